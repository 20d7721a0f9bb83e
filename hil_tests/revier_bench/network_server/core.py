# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The network server without IO: messages and time in, events and downlinks out.

```
server = NetworkServer(Registry(), SeededChance("1"))
server.handle(GatewayUp(frame), now_ns)  # -> outputs
server.deadline_ns()                     # when to call `elapse` at the latest; None: nothing waits
server.elapse(now_ns)                    # -> outputs
```
Nothing raises for what a radio, a gateway or an application sends: it makes an event, or it is
counted in `server.refused` with its reason, as ChirpStack only logs it.
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from chirpstack_api import gw
from google.protobuf.message import DecodeError

from revier_bench.network_server import commands, downlink, frames, join, region, tx_ack, uplink
from revier_bench.network_server.chance import Chance
from revier_bench.network_server.registry import Gateway, Registry
from revier_bench.network_server.state import Output, Response, Settings, State, Uplink
from revier_bench.network_server.times import GPS_EPOCH_UNIX_S, NS_PER_S, timestamp

YEAR_10000_UNIX_S = 253_402_300_800
COPIES_MAX = 100  # of one frame; a real frame is heard by a few dozen gateways at most


@dataclass(frozen=True, slots=True)
class GatewayUp:
    payload: bytes  # gw.UplinkFrame


@dataclass(frozen=True, slots=True)
class GatewayAck:
    payload: bytes  # gw.DownlinkTxAck


@dataclass(frozen=True, slots=True)
class GatewayStats:
    payload: bytes  # gw.GatewayStats


@dataclass(frozen=True, slots=True)
class DownCommand:
    """What came on application/<application_id>/device/<dev_eui>/command/down."""

    application_id: str
    dev_eui: str
    payload: bytes
    as_json: bool = True


Step = GatewayUp | GatewayAck | GatewayStats | DownCommand
Work = Callable[[int], list[Output]]
Key = tuple[bytes, bytes]


@dataclass(slots=True)
class NetworkServer:
    registry: Registry
    chance: Chance
    settings: Settings = field(default_factory=Settings)
    refused: Counter[str] = field(default_factory=Counter)
    state: State = field(init=False)
    _collecting: dict[Key, list[gw.UplinkFrame]] = field(default_factory=dict)
    _due: list[tuple[int, int, Work]] = field(default_factory=list)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.state = State(self.registry, self.chance, self.settings)

    def handle(self, step: Step, now_ns: int) -> list[Output]:
        try:
            match step:
                case GatewayUp(payload):
                    return self._collect(gw.UplinkFrame.FromString(payload), now_ns)
                case GatewayAck(payload):
                    ack = gw.DownlinkTxAck.FromString(payload)
                    return tx_ack.handle(self.state, ack, now_ns)
                case GatewayStats(payload):
                    return self._stats(gw.GatewayStats.FromString(payload), now_ns)
                case DownCommand():
                    return self._command(step)
        except DecodeError:
            return self._refuse("not the protobuf message of its topic")

    def deadline_ns(self) -> int | None:
        return self._due[0][0] if self._due else None

    def elapse(self, now_ns: int) -> list[Output]:
        """Do what is due by now, in order of its time."""
        out: list[Output] = []
        while self._due and self._due[0][0] <= now_ns:
            due_ns, _, work = heapq.heappop(self._due)
            out += work(max(due_ns, now_ns))
        return out

    def _later(self, due_ns: int, work: Work) -> None:
        self._serial += 1
        heapq.heappush(self._due, (due_ns, self._serial, work))

    def _refuse(self, reason: str) -> list[Output]:
        self.refused[reason] += 1
        return []

    def _collect(self, frame: gw.UplinkFrame, now_ns: int) -> list[Output]:
        """Copies of a frame within the deduplication window become one uplink."""
        if not (frame.HasField("tx_info") and frame.HasField("rx_info")):
            return self._refuse("no tx_info or no rx_info")
        if not _is_sane(frame.rx_info):
            return self._refuse("an SNR or a time that cannot be")
        frame.rx_info.ns_time.CopyFrom(timestamp(now_ns))
        key = (frame.phy_payload, frame.tx_info.SerializeToString(deterministic=True))
        copies = self._collecting.setdefault(key, [])
        if not copies:
            self._later(now_ns + self.settings.deduplication_ns, lambda at: self._uplink(key, at))
        if len(copies) >= COPIES_MAX:
            return self._refuse("more copies than gateways can be in reach")
        copies.append(frame)
        return []

    def _uplink(self, key: Key, now_ns: int) -> list[Output]:
        copies = self._collecting.pop(key)
        deduplication_id = self.chance.uuid("deduplication_id")
        tx_info = copies[0].tx_info
        try:
            parsed = frames.parse_uplink(key[0])
            dr = region.uplink_dr(tx_info)
            region.uplink_channel(tx_info.frequency, dr)
        except (frames.FrameError, region.RegionError) as error:
            return self._refuse(type(error).__name__)
        rx_info = [c.rx_info for c in copies if self._annotate(c.rx_info, now_ns)]
        if not rx_info:
            return self._refuse("no known gateway")
        received = Uplink(deduplication_id, key[0], tx_info, rx_info, dr)
        if isinstance(parsed, frames.JoinRequest):
            return join.handle(self.state, received, parsed, now_ns)
        out, response = uplink.handle(self.state, received, parsed, now_ns)
        if response is not None:
            self._answer_later(response, now_ns)
        return out

    def _answer_later(self, response: Response, now_ns: int) -> None:
        session = response.context.device.session
        assert session is not None
        extra_s = max(0, session.rx1_delay_s - region.RX1_DELAY_S)
        wait_ns = self.settings.downlink_delay_ns
        if wait_ns:  # a longer RX1 delay gives the application more time to answer
            wait_ns += extra_s * NS_PER_S
        self._later(now_ns + wait_ns, lambda at: downlink.respond(self.state, response, at))

    def _annotate(self, rx_info: gw.UplinkRxInfo, now_ns: int) -> bool:
        """Add what the registry knows of the gateway; False: it knows no such gateway."""
        gateway = self.registry.gateways.get(rx_info.gateway_id)
        if gateway is None:
            return False
        self._seen(gateway, now_ns)
        if not rx_info.HasField("location"):
            rx_info.location.CopyFrom(gateway.location)
        return True

    @staticmethod
    def _seen(gateway: Gateway, now_ns: int) -> None:
        gateway.last_seen_ns = max(now_ns, gateway.last_seen_ns or 0)

    def _stats(self, stats: gw.GatewayStats, now_ns: int) -> list[Output]:
        gateway = self.registry.gateways.get(stats.gateway_id)
        if gateway is None:
            return self._refuse("no known gateway")
        self._seen(gateway, now_ns)
        gateway.metadata = dict(stats.metadata)
        return []

    def _command(self, step: DownCommand) -> list[Output]:
        try:
            item = commands.queue_item(
                self.state, step.application_id, step.dev_eui, step.payload, as_json=step.as_json
            )
            self.state.queue.enqueue(item)
        except (ValueError, LookupError) as error:
            return self._refuse(f"command: {type(error).__name__}")
        return []


def _is_sane(rx_info: gw.UplinkRxInfo) -> bool:
    times = (rx_info.gw_time, rx_info.time_since_gps_epoch)
    return math.isfinite(rx_info.snr) and all(
        0 <= t.seconds < YEAR_10000_UNIX_S - GPS_EPOCH_UNIX_S and 0 <= t.nanos < NS_PER_S
        for t in times
    )
