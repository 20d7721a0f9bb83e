# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Windows five seconds after the uplink, as some networks have them, before and after downlinks.

A light sleep of 5 s that errs by 1,000 ppm is 5 ms off. A downlink's end, seen to the poll, tells
the node by how much; it opens the next windows where they belong, and asks for narrower ones. One
downlink tells it as well as one light sleep does; three are taken here, as their errors differ.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from revier_bench import image
from revier_bench.measure.rx_window_watch import (
    INTERVAL_US,
    Opening,
    Setting,
    Watch,
    clock_error,
    make_board,
)
from revier_bench.measure.sim_speed import joined_flash
from revier_bench.network_server import frames
from revier_bench.virtual_board import Kernel, WiredBoard
from revier_bench.world.air import Emission, NullAir, Reception
from revier_bench.world.airtime import lora_airtime_us

RX1_DELAY_S = 5
NODES = 12
UPLINKS = 16
# These uplinks of each node; each the last of its wake, for the next wake uses the news
ANSWERED = (6, 7, 8)
DR = 5
KEYS = frames.SessionKeys(bytes(range(16)), bytes(range(16, 32)))


class Answers(NullAir):
    """Answers some uplinks of each node, in RX1, at the microsecond."""

    def __init__(self) -> None:
        self.boards: dict[str, tuple[WiredBoard, Watch]] = {}
        self.cuts: dict[str, tuple[int, int]] = {}  # windows before the first answer and the last
        self._uplinks: Counter[str] = Counter()
        self._answer: dict[str, Emission] = {}

    def add(self, board: WiredBoard, watch: Watch) -> None:
        self.boards[board.radio.name] = board, watch

    def emit(self, emission: Emission) -> None:
        name = emission.sender
        self._uplinks[name] += 1
        board, watch = self.boards[name]
        number = self._uplinks[name]
        watch.learnt = number > ANSWERED[0]
        if number in ANSWERED:
            so_far = len(watch.openings)
            self.cuts[name] = self.cuts.get(name, (so_far, 0))[0], so_far
            answer = self._answer[name] = _answer(emission, ANSWERED.index(number))
            board.at(answer.start_us, lambda: board.radio.on_emission(answer))

    def ongoing(self, listener: Any, now_us: int) -> list[Emission]:
        answer = self._answer.get(listener.name)
        return [answer] if answer and answer.start_us <= now_us < answer.end_us else []

    def outcome(self, emission: Emission, listener: Any) -> Reception | None:  # noqa: ARG002
        return Reception(emission, -80.0, 8.0, crc_ok=True)


def _answer(up: Emission, f_cnt: int) -> Emission:
    """An empty downlink to the node that sent `up`."""
    data = frames.parse_uplink(up.payload)
    assert isinstance(data, frames.DataUp)
    down = frames.DataDown(
        confirmed=False, dev_addr=data.dev_addr, adr=False, ack=False, f_pending=False,
        f_cnt=f_cnt, f_opts=b"", f_port=None, frm_payload=b"",
    )  # fmt: skip
    payload = frames.build_data_down(down, KEYS)
    airtime_us = lora_airtime_us(
        len(payload),
        up.spreading_factor,
        up.bandwidth_hz,
        5,
        8,
        crc=False,
        explicit=True,
        ldro=False,
    )
    return replace(
        up, sender="network", start_us=up.end_us + RX1_DELAY_S * 1_000_000, airtime_us=airtime_us,
        iq_inverted=True, crc_on=False, payload=payload,
    )  # fmt: skip


def delayed_windows(
    setting: Setting, nodes: int = NODES, uplinks: int = UPLINKS
) -> tuple[list[Opening], list[Opening]]:
    """RX1 of nodes at SF7 before the first downlink and after the last one."""
    with tempfile.TemporaryDirectory(prefix="revier-rx-window-") as name:
        folder = Path(name)
        base = image.build(folder / "build")
        air = Answers()
        with Kernel(build_dir=folder / "build") as kernel:
            for number in range(nodes):
                flash = joined_flash("air", number, folder, folder / "build", base, DR, RX1_DELAY_S)
                board = make_board(kernel, setting, folder, flash, "air", number, air)
                air.add(board, Watch(board.radio.modem, clock_error(), RX1_DELAY_S))
                board.at(number * INTERVAL_US // nodes, board.power_on)
            kernel.run_until((uplinks + 1) * INTERVAL_US)
        before: list[Opening] = []
        after: list[Opening] = []
        for board_name, (_, watch) in air.boards.items():
            first, last = air.cuts[board_name]
            before += [one for one in watch.openings[:first] if one.number == 1]
            after += [one for one in watch.openings[last:] if one.number == 1]
        return before, after
