# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Somebody who presses reset until it helps: for boards on a pseudo-terminal, which has no RTS."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from revier_bench.virtual_board.board import VirtualBoard
from revier_bench.virtual_board.kernel import Kernel

OPENED = "revier service open"
PRESS_EVERY_S = 4.0  # the service window is open for 3 s


class ResetButton:
    """A technician who unplugs the board and plugs it in, until its service window is used.

    Made before the kernel runs; `pressed` may be used in any thread after that. `lines`: what the
    board has said; it grows.
    """

    def __init__(self, kernel: Kernel, board: VirtualBoard, lines: Sequence[str]) -> None:
        self._board, self._lines = board, lines
        self._pressed, self._press = os.pipe()
        kernel.watch(self._pressed, self._cycle)

    @contextmanager
    def pressed(self) -> Iterator[None]:
        over, seen = threading.Event(), len(self._lines)

        def press() -> None:
            while not over.is_set() and OPENED not in self._lines[seen:]:
                os.write(self._press, b"x")
                over.wait(PRESS_EVERY_S)

        thread = threading.Thread(target=press)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _cycle(self) -> None:
        """In the kernel's thread."""
        os.read(self._pressed, 64)
        if OPENED not in self._lines[-1:]:
            self._board.power_off()
            self._board.power_on()
