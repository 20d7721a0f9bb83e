# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Feeds the recording to the core, as its radio gateways and its application did."""

from collections.abc import Sequence
from typing import TypeVar

from chirpstack_api import gw

from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import (
    DownCommand,
    GatewayAck,
    GatewayStats,
    GatewayUp,
    NetworkServer,
)
from revier_bench.network_server.events import Event
from revier_bench.network_server.queue import QueueItem
from revier_bench.network_server.state import Downlink, Output
from revier_bench.network_server.times import NS_PER_S

from . import recording
from .recording import Recorded

Item = TypeVar("Item")
DEVICE = "70b3d57ed0000001"


class RecordedChance:
    """Draws the recorded DevAddrs, everything else from a seed."""

    def __init__(self, dev_addrs: list[bytes]) -> None:
        self._seeded = SeededChance("recording")
        self._dev_addrs = list(dev_addrs)

    def uuid(self, name: str) -> str:
        return self._seeded.uuid(name)

    def dev_addr(self) -> bytes:
        return self._dev_addrs.pop(0)

    def downlink_id(self) -> int:
        return self._seeded.downlink_id()

    def pick(self, items: Sequence[Item], weights: Sequence[int]) -> Item:
        return self._seeded.pick(items, weights)


class Replay:
    """Feeds the recording to the core and keeps what comes out."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.messages = recording.messages(folder)
        self.server = NetworkServer(
            recording.registry(folder), RecordedChance(recording.dev_addrs(folder))
        )
        self.events: list[Event] = []
        self.downlinks: list[Downlink] = []
        self._recorded_downlinks = [
            gw.DownlinkFrame.FromString(m.payload) for m in self.messages if m.is_downlink
        ]
        self._enqueue = recording.enqueued_by_grpc(folder)

    def run(self, until: str = "") -> "Replay":
        """Feed all, or all up to and including the message in that file."""
        for message in self.messages:
            self._take(self._elapse(message.at_ns))
            self._feed(message)
            if message.file == until:
                return self
        self._take(self._elapse(self.messages[-1].at_ns + 10 * NS_PER_S))
        return self

    def _elapse(self, until_ns: int) -> list[Output]:
        out: list[Output] = []
        while (due_ns := self.server.deadline_ns()) is not None and due_ns <= until_ns:
            out += self.server.elapse(due_ns)
        return out

    def _feed(self, message: Recorded) -> None:
        now_ns, payload = message.at_ns, message.payload
        if message.file in self._enqueue:
            item_id, data = self._enqueue[message.file]
            self.server.state.queue.enqueue(QueueItem(item_id, DEVICE, 200, data))
        if message.is_command:
            application_id = message.topic.split("/")[1]
            step = DownCommand(application_id, message.dev_eui, payload, self.folder == "json")
            self._take(self.server.handle(step, now_ns))
        elif message.topic.startswith("eu868/") and message.kind == "up":
            self._take(self.server.handle(GatewayUp(payload), now_ns))
        elif message.topic.startswith("eu868/") and message.kind == "ack":
            self._take(self.server.handle(GatewayAck(self._translate(payload)), now_ns))
        elif message.kind == "stats":
            self._take(self.server.handle(GatewayStats(payload), now_ns))

    def _translate(self, payload: bytes) -> bytes:
        """The answer to the recorded downlink as answer to ours."""
        ack = gw.DownlinkTxAck.FromString(payload)
        ids = [f.downlink_id for f in self._recorded_downlinks]
        number = ids.index(ack.downlink_id)
        if number < len(self.downlinks):
            ack.downlink_id = self.downlinks[number].frame.downlink_id
        return ack.SerializeToString()

    def _take(self, outputs: list[Output]) -> None:
        self.events += [o for o in outputs if isinstance(o, Event)]
        self.downlinks += [o for o in outputs if isinstance(o, Downlink)]
