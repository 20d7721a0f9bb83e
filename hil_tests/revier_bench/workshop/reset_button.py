# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Somebody who unplugs a virtual board and plugs it in, until a program is in its service window.

A program's start may take longer than the window is open, on a busy machine at least.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from revier_bench.virtual_board import Kernel, WiredBoard

OPENED = "revier service open"
PRESS_EVERY_S = 4.0  # the service window is open for 3 s


class ResetButton:
    """`lines` is what the board's console said, and grows."""

    def __init__(self, kernel: Kernel, board: WiredBoard, lines: Sequence[str]) -> None:
        self._board = board
        self._lines = lines
        self._since = 0  # lines before this are of an earlier run
        self._pressed, self._press = os.pipe()
        kernel.watch(self._pressed, self._cycle)

    @contextmanager
    def pressed(self) -> Iterator[None]:
        """In any thread, while the world's time goes on in its own."""
        over = threading.Event()
        self._since = len(self._lines)

        def press() -> None:
            while not over.is_set() and not self._open:
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
        """In the world's thread."""
        os.read(self._pressed, 64)
        if not self._open:
            self._board.power_off()
            self._board.power_on()

    @property
    def _open(self) -> bool:
        return OPENED in self._lines[self._since :]
