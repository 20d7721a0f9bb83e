# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A virtual board on a pseudo-terminal, for those who work at its REPL."""

from __future__ import annotations

import threading
from pathlib import Path

from revier_bench.virtual_board import BoardSpec, Kernel, build_board, clone_image
from revier_bench.virtual_board.spec import HEAP_KIB
from revier_bench.workshop.reset_button import ResetButton
from revier_bench.world.air import NullAir

START_UNIX_US = 1_795_000_000_000_000
MAC = bytes.fromhex("025245560001")  # locally administered: no real board has it
LIMIT_US = 600_000_000


class Calm:
    """An environment in which nothing happens."""

    def pm_ug_m3(self, t_us: int) -> tuple[float, float, float, float]:
        return 1.0, 2.0, 3.0, 4.0

    def temperature_c(self, t_us: int) -> float:
        return 20.0

    def humidity_pct(self, t_us: int) -> float:
        return 50.0

    def pressure_pa(self, t_us: int) -> float:
        return 101_325.0

    def battery_mv(self, t_us: int) -> int:
        return 3900


class Table:
    """One virtual board under a kernel that runs in a thread of its own, at wall speed."""

    def __init__(
        self,
        folder: Path,
        flash: Path,
        heap_kib: int = HEAP_KIB,
        cut_after_flash_bytes: int | None = None,
    ) -> None:
        """flash: an image; the board gets a copy of it. heap_kib: of the 32-bit chip.
        cut_after_flash_bytes: power fails when so many were programmed, also within a write."""
        self.flash = clone_image(flash, folder / "board" / "flash.img")
        self.kernel = Kernel(START_UNIX_US, folder / "shim")
        spec = BoardSpec(
            name="a",
            mac=MAC,
            flash_image=self.flash,
            work_dir=folder / "board",
            heap_kib=heap_kib,
        )
        self.board = build_board(self.kernel, spec, NullAir(), Calm())
        self.lines: list[str] = []
        self.said = threading.Condition()
        self.board.on_console_line = self._hear
        self.port = self.board.attach_pty()
        self.button = ResetButton(self.kernel, self.board, self.lines)
        if cut_after_flash_bytes is not None:
            self.board.cut_power_after_flash_bytes(cut_after_flash_bytes)
        self.board.power_on()
        self._thread = threading.Thread(target=self.kernel.run_until, args=(LIMIT_US, 1.0))
        self._thread.start()

    def _hear(self, t_us: int, line: str) -> None:
        with self.said:
            self.lines.append(line)
            self.said.notify_all()

    def wait_for(self, text: str, limit_s: float = 20) -> None:
        with self.said:
            heard = self.said.wait_for(lambda: any(text in line for line in self.lines), limit_s)
        assert heard, f"{text!r} was not said: {self.lines}"

    def close(self) -> None:
        self.kernel.stop()
        self._thread.join()
        self.kernel.close()
