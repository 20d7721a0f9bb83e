# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From an erased chip to a proven reading: esptool, raw REPL, MAC and gRPC are real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from revier_provision.workshop.make_node import NodeMade, Wanted, make_node
from revier_provision.workshop.opened import open_bench
from revier_provision.workshop.step_events import NodeStep, StepEvent, StepFailedError

if TYPE_CHECKING:
    from .conftest import Desk

pytestmark = pytest.mark.pty


def run(desk: Desk, events: list[StepEvent], board: str | None = None) -> NodeMade:
    with open_bench(desk.site, desk.table(), by="bench") as bench:
        wanted = Wanted(port=desk.board.url, board=board, local_mac_ok=True)
        return make_node(bench, wanted, events.append)


@pytest.mark.timeout(900)  # half a minute on a free machine
def test_an_erased_chip_becomes_a_proven_node_though_its_cable_was_pulled(desk: Desk) -> None:
    events: list[StepEvent] = []

    def pull(event: StepEvent) -> None:
        events.append(event)
        if event.step is NodeStep.RUNTIME and event.fraction:
            desk.board.cut()

    with (
        open_bench(desk.site, desk.table(), by="bench") as bench,
        pytest.raises(StepFailedError) as failed,
    ):
        make_node(bench, Wanted(port=desk.board.url, local_mac_ok=True), pull)
    assert failed.value.step is NodeStep.RUNTIME
    assert "run again" in failed.value.cure
    desk.board.plug()
    events.clear()
    made = run(desk, events)
    done = {e.step: e.readback for e in events if e.state == "done"}
    assert done[NodeStep.FIND].startswith("ESP32-S3, 02:52:45:56:00:01 on rfc2217:")
    assert "MicroPython v1.29.0, compared by the chip" in done[NodeStep.RUNTIME]
    assert "files read back" in done[NodeStep.FIRMWARE]
    assert done[NodeStep.SELF_TEST] == "sps30 ok, bme280 ok, radio ok"
    assert made.proof is not None
    assert "pm25" in made.proof.values
    fractions = [e.fraction for e in events if e.step is NodeStep.RUNTIME and e.fraction]
    assert fractions[-1] == 1.0

    events.clear()
    again = run(desk, events)
    skipped = {e.step for e in events if e.state == "skipped"}
    assert skipped == set(NodeStep) - {NodeStep.FIND, NodeStep.SELF_TEST, NodeStep.LABEL}
    assert again.proven_before is not None


def test_the_wrong_board_is_refused_before_anything_is_flashed(desk: Desk) -> None:
    before = desk.board.flash.read()
    with pytest.raises(StepFailedError, match="has an ESP32, but this board has an ESP32-S3"):
        run(desk, [], board="lilygo_t3_v1_6_1")
    assert desk.board.flash.read() == before
    assert desk.network.registry.devices == {}
