# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One sensor on a virtual board, and a script of the test's that drives it on MicroPython."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import (
    BoardSpec,
    Kernel,
    WiredBoard,
    build_board,
    clone_image,
)
from revier_bench.virtual_board.wiring import BOARDS_DIR
from revier_bench.world.air import NullAir

SECOND_US = 1_000_000
HEAD = """
import time
from revier_node import board as parts
board = parts.load("bench")
wiring = board["kinds"]["air"]
def tell(outcome):
    print("said", outcome)
def supply(on):
    parts.switch(wiring["power"], on)
    parts.switch(wiring["boost"], on)
supply(True)
time.sleep_ms(100)
"""
Outcome = tuple[str, Any, str]
Play = Callable[..., list[Outcome]]


class Stage:
    """The board of the last play."""

    board: WiredBoard
    sensor: Any


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def play(kernel: Kernel, firmware: Path, build_dir: Path, tmp_path: Path, stage: Stage) -> Play:
    """play((name, wiring), script, faults) -> what the script told, from power-on to its end."""

    def run(
        part: tuple[str, dict[str, Any]],
        script: str,
        fail: tuple[str, ...] = (),
        environment: Still | None = None,
        misuse: bool = False,
        seconds: int = 200,
    ) -> list[Outcome]:
        name, wiring = part
        board = json.loads((BOARDS_DIR / "heltec_v3.json").read_text("utf-8"))
        air = board["kinds"]["air"]
        board["kinds"] = {"air": {"power": air["power"], "boost": air["boost"], name: wiring}}
        file = tmp_path / "bench.json"
        file.write_text(json.dumps(board), "utf-8")
        flash = clone_image(firmware, tmp_path / "flash.img")
        files = {"/main.py": (HEAD + script).encode(), "/boards/bench.json": file.read_bytes()}
        image.write_files(flash, files, build_dir)
        spec = BoardSpec(
            name="node",
            mac=bytes.fromhex("025245560001"),
            flash_image=flash,
            work_dir=tmp_path,
            board="bench",
            board_file=file,
            seed="7",
            fail=frozenset(f"{name}:{fault}" for fault in fail),
        )
        stage.board = build_board(kernel, spec, NullAir(), environment or Still())
        stage.sensor = stage.board.sensors[name]
        lines: list[str] = []
        stage.board.on_console_line = lambda _, line: lines.append(line)
        stage.board.power_on()
        kernel.run_until(seconds * SECOND_US)
        assert not [line for line in lines if "Traceback" in line], "\n".join(lines)
        assert misuse or stage.board.misuse == []
        return [
            ast.literal_eval(line.removeprefix("said "))
            for line in lines
            if line.startswith("said ")
        ]

    return run
