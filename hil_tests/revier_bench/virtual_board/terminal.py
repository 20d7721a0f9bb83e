# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The board's serial line: who listens, who types, and whose time counts while they do."""

import time
from typing import TYPE_CHECKING

from revier_bench.virtual_board import link
from revier_bench.virtual_board.console import LineConsole, PtyConsole

if TYPE_CHECKING:
    from revier_bench.virtual_board.board import VirtualBoard


class Terminal:
    """While a client has the PTY and the node waits for input, its time is the wall's."""

    def __init__(self, board: "VirtualBoard") -> None:
        self._board = board
        self.console: LineConsole | PtyConsole = LineConsole()
        self._waiting = False
        self.abandoned = False  # the node waits no more for the answer that it asked for
        self._wall: tuple[int, float] | None = None

    @property
    def attached(self) -> bool:
        return isinstance(self.console, PtyConsole)

    def attach(self) -> str:
        self.console.close()
        self._board.kernel.attach(self._board)
        console = self.console = PtyConsole(self._board.process.interrupt)
        inner, outer = console.fds()
        self._board.kernel.watch(inner, self._relay_output)
        self._board.kernel.watch(outer, self._relay_input)
        return console.path

    # -- output --

    def emit(self, t_us: int) -> None:
        """Lines that were printed up to t_us."""
        for line in self.console.lines():
            self._board.tell(t_us, self._board.on_console_line, line)

    def finish(self) -> None:
        """The process ends: also its unfinished line."""
        for line in self.console.rest():
            self._board.tell(self._board.now_us, self._board.on_console_line, line)

    def last_words(self) -> str:
        return " | ".join(self.console.rest())[-400:]

    def _relay_output(self) -> None:
        board = self._board
        t_us = max(board.now_us, board.kernel.now_us) + 1
        for line in self.console.lines():
            board.tell(t_us, board.on_console_line, line)

    def rebooted(self, soft: bool) -> bool:
        """A new process starts. True if main.py must not run (soft reset from the raw REPL)."""
        self._waiting = False
        self._wall = None
        if not isinstance(self.console, PtyConsole):
            return False
        self.console.rebooted(soft)
        return self.console.raw

    # -- input --

    def write(self, data: bytes) -> None:
        self.console.write(data)
        self._typed()

    def started(self) -> None:
        """The node reads its input from now on."""
        if isinstance(self.console, PtyConsole):
            self.console.ready = True
            self.console.flush_input()

    def _relay_input(self) -> None:
        if isinstance(self.console, PtyConsole) and self.console.relay_input():
            self._typed()
            if self.console.interrupted:
                self._interrupt()

    def _interrupt(self) -> None:
        """A sleep is over."""
        if self._board.interruptible:
            self._board.wake()

    def abandon(self) -> None:
        """The node has forgotten the call before: it ends, and then the node is told so."""
        if self._board.running:
            self.tell_abandoned()
            return
        self.abandoned = True
        self._typed()
        self._interrupt()

    def tell_abandoned(self) -> None:
        self.abandoned = False
        words = self._board.reply_words(link.ABANDONED)
        self._board.process.send(link.REPLY.pack(*words))

    def _typed(self) -> None:
        if not self._waiting:
            return
        bound_us = self.wall_bound_us()
        self._waiting = False
        self._wall = None
        self._board.wake(bound_us)

    def wait(self, until_us: int) -> None:
        """The node polls its input."""
        self._waiting = True
        self._board.wait(self._board.now_us if self.abandoned else until_us, self._over)
        if self.attached:
            self.live_in_wall_time(True)

    def _over(self) -> None:
        self._waiting = False
        self._wall = None
        self._board.reply(self._board.now_us)

    # -- time --

    def live_in_wall_time(self, on: bool) -> None:
        self._wall = (self._board.now_us, time.monotonic()) if on and self.attached else None

    def wall_bound_us(self) -> int | None:
        """The node's time by the wall clock, None while virtual time counts."""
        if self._wall is None:
            return None
        since_us, since_s = self._wall
        bound_us = since_us + int((time.monotonic() - since_s) * 1e6)
        if self._waiting and bound_us >= self._board.target_us:
            self._wall = None  # the service window is over
            self._board.kernel.touch(self._board)
        return bound_us

    def reset(self) -> None:
        self._waiting = self.abandoned = False
        self._wall = None

    def close(self) -> None:
        if isinstance(self.console, PtyConsole):
            for fd in self.console.fds():
                self._board.kernel.unwatch(fd)
        self.console.close()
