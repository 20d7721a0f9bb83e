# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Windows five seconds after the uplink, as some networks have them, before and after a downlink.

A light sleep of 5 s that errs by 1,000 ppm is 5 ms off. A downlink's end, seen to the poll, tells
the node by how much; it opens the next windows where they belong, and asks for narrower ones.
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
UPLINKS = 14
ANSWERED = 6  # this uplink of each node is; the last of its wake, for the next ones use the news
DR = 5
KEYS = frames.SessionKeys(bytes(range(16)), bytes(range(16, 32)))


class Answers(NullAir):
    """Answers one uplink of each node, in RX1, at the microsecond."""

    def __init__(self) -> None:
        self.boards: dict[str, tuple[WiredBoard, Watch]] = {}
        self._uplinks: Counter[str] = Counter()
        self._answer: dict[str, Emission] = {}

    def add(self, board: WiredBoard, watch: Watch) -> None:
        self.boards[board.radio.name] = board, watch

    def emit(self, emission: Emission) -> None:
        name = emission.sender
        self._uplinks[name] += 1
        board, watch = self.boards[name]
        if self._uplinks[name] == ANSWERED:
            answer = self._answer[name] = _answer(emission)
            board.at(answer.start_us, lambda: board.radio.on_emission(answer))
        elif self._uplinks[name] == ANSWERED + 1:
            watch.learnt = True

    def ongoing(self, listener: Any, now_us: int) -> list[Emission]:
        answer = self._answer.get(listener.name)
        return [answer] if answer and answer.start_us <= now_us < answer.end_us else []

    def outcome(self, emission: Emission, listener: Any) -> Reception | None:  # noqa: ARG002
        return Reception(emission, -80.0, 8.0, crc_ok=True)


def _answer(up: Emission) -> Emission:
    """An empty downlink to the node that sent `up`."""
    data = frames.parse_uplink(up.payload)
    assert isinstance(data, frames.DataUp)
    down = frames.DataDown(
        confirmed=False, dev_addr=data.dev_addr, adr=False, ack=False, f_pending=False,
        f_cnt=0, f_opts=b"", f_port=None, frm_payload=b"",
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
    """RX1 of nodes at SF7 before and after the one downlink."""
    with tempfile.TemporaryDirectory(prefix="revier-rx-window-") as name:
        folder = Path(name)
        base = image.build(folder / "build")
        air = Answers()
        cut: list[tuple[list[Opening], list[Opening]]] = []
        with Kernel(build_dir=folder / "build") as kernel:
            for number in range(nodes):
                flash = joined_flash("air", number, folder, folder / "build", base, DR, RX1_DELAY_S)
                board = make_board(kernel, setting, folder, flash, "air", number, air)
                air.add(board, Watch(board.radio.modem, clock_error(), RX1_DELAY_S))
                board.at(number * INTERVAL_US // nodes, board.power_on)
            kernel.run_until((uplinks + 1) * INTERVAL_US)
        for _, watch in air.boards.values():
            first = [one for one in watch.openings if one.number == 1]
            assert len(first) >= ANSWERED, "no window after the answer"
            cut.append((first[: ANSWERED - 1], first[ANSWERED - 1 :]))
        return [o for before, _ in cut for o in before], [o for _, after in cut for o in after]
