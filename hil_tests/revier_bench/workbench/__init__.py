# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A technician's workbench without a board: a virtual board on a serial port that esptool flashes.

with BenchBoard(tmp_path, chip="ESP32-S3") as board:
    Flasher(board.url, BaudMemory()).flash(RuntimeImage.load(...))
    with open_board(board.url) as repl: ...
"""

from revier_bench.workbench.bench_board import BenchBoard, Faults
from revier_bench.workbench.runtime_image import make_runtime
from revier_bench.workbench.usb_adapter import State

__all__ = ["BenchBoard", "Faults", "State", "make_runtime"]
