# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every shipped board description: the firmware starts on it, joins and sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import Kernel
from revier_bench.virtual_board.ground_parts import RfSwitch
from revier_bench.virtual_board.wiring import BOARDS_DIR

from .conftest import SECOND_US, Node
from .small_network import PORT, SmallNetwork

BOARDS = sorted(path.stem for path in BOARDS_DIR.glob("*.json"))
CASES: list[tuple[str, str, dict[str, Any]]] = [
    *((board, kind, {}) for board in BOARDS for kind in ("air", "parking", "waste")),
    ("lilygo_t_beam_sx1262", "parking", {"power_chip": "axp2101"}),
    ("lilygo_t_beam_sx1276", "waste", {"power_chip": "axp2101"}),
]


def test_the_boards_that_we_promise_are_there() -> None:
    assert {
        "heltec_v3", "lilygo_t3_s3", "lilygo_t_beam_sx1262", "lilygo_t_beam_sx1276",
        "xiao_esp32s3_wio_sx1262", "generic_esp32s3",
    } <= set(BOARDS)  # fmt: skip


@pytest.mark.parametrize(("board", "kind", "more"), CASES)
def test_a_node_on_this_board_joins_and_sends(
    real_node: Callable[..., Node], kernel: Kernel, board: str, kind: str, more: dict[str, Any]
) -> None:
    network = SmallNetwork(kernel, 1)
    node = real_node(kind, board=board, air=network, environment=Still(battery=3_300), **more)
    network.radio = node.board.radio
    node.board.power_on()
    kernel.run_until(90 * SECOND_US)
    said = "\n".join(node.lines)
    assert "revier selftest" in said, said
    assert "revier joined" in said, said
    assert len(network.uplinks) >= 2, said
    assert said.count(f"port={PORT} len=12 window=1") == len(network.uplinks), said
    assert "revier error" not in said, said
    assert "state=fault" not in said, said
    assert node.board.counters["crashes"] == 0
    assert node.board.misuse == []


@pytest.mark.parametrize("fault", ["silent", "wrong id", "stuck"])
def test_a_t_beam_without_its_power_chip_says_so_and_sleeps(
    real_node: Callable[..., Node], kernel: Kernel, fault: str
) -> None:
    fail = frozenset({f"pmu:{fault}"})
    node = real_node("waste", board="lilygo_t_beam_sx1262", fail=fail)
    node.board.power_on()
    kernel.run_until(60 * SECOND_US)
    said = "\n".join(node.lines)
    assert "revier error code=BoardError what=power_chip:" in said, said
    assert node.board.asleep


def test_a_description_that_cannot_be_true_is_not_built(tmp_path: Path) -> None:
    description = json.loads((BOARDS_DIR / "heltec_v3.json").read_text("utf-8"))
    image.check_boards(BOARDS_DIR)
    description["uart"]["rx"] = 8
    (tmp_path / "heltec_v3.json").write_text(json.dumps(description), "utf-8")
    with pytest.raises(RuntimeError, match=r"heltec_v3\.json: uart rx: GPIO8 is used by radio cs"):
        image.check_boards(tmp_path)


def test_an_antenna_switch_that_stands_wrong_is_noted() -> None:
    class Board:
        def __init__(self) -> None:
            self.outs = 0
            self.misuse: list[str] = []

        def note_misuse(self, text: str) -> None:
            self.misuse.append(text)

    class Radio:
        def transfer(self, mosi: bytes, t_us: int) -> bytes:
            return mosi

    board = Board()
    switch = RfSwitch(board, Radio(), 38)  # type: ignore[arg-type]
    for outs, command in ((1 << 38, 0x82), (0, 0x83), (0, 0x80), (1 << 38, 0x80)):
        board.outs = outs
        assert switch.transfer(bytes((command, 0)), 0) == bytes((command, 0))
    assert board.misuse == []
    for outs, command in ((0, 0x82), (1 << 38, 0x83)):
        board.outs = outs
        switch.transfer(bytes((command, 0)), 0)
    assert len(board.misuse) == 2
