# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Virtual time over many boards: conservative, deterministic, synchronous.

Each board has its own clock and runs ahead alone (its process computes in parallel with others)
as long as nothing from outside can reach it. A board whose radio listens is *exposed*: it
advances only when no other board and no world event can come before. `bounds[i]` is the earliest
time at which board i could still do something to the world; a world event runs when every bound
is later. All ties have an order (world first, then boards by index), so one seed gives one run,
whatever the speed of the processes.
"""

import gc
import os
import select
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from revier_bench.chips.timeline import NEVER_US, Timeline, Timer
from revier_bench.virtual_board.processes import ProcessServer
from revier_bench.virtual_board.shim_build import build_shim

DEFAULT_START_UNIX_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
_SLICE_US = 20_000  # with a pace the world runs in slices of this length
_STALL_S = 60.0  # a node that computes this long without a call hangs
_IDLE_POLL_S = 0.005


class NodeError(Exception):
    """A node's process hung or died. args: (board name, what happened)."""


class Actor(Protocol):
    """What the kernel needs of a board."""

    index: int
    name: str
    exposed: bool
    running: bool
    now_us: int

    def progress(self, safe_us: int) -> None: ...
    def on_dead(self, boot: int, status: int) -> None: ...
    def wall_bound_us(self) -> int | None: ...
    def close(self) -> None: ...


class Kernel:
    """Virtual time. Use as a context manager, or call close().

    start_unix_us   the world's microsecond 0
    build_dir       where the compiled shims are kept between runs (default: a temporary folder)
    """

    def __init__(
        self, start_unix_us: int = DEFAULT_START_UNIX_US, build_dir: Path | None = None
    ) -> None:
        self.start_unix_us = start_unix_us
        self.now_us = 0
        self.limit_us = 0
        self.bounds: list[int] = []
        self.boards: list[Actor] = []
        self._frozen = False
        self._world = Timeline()
        self._touched: dict[int, Actor] = {}
        self._exposed: dict[int, Actor] = {}
        self._attached: list[Actor] = []
        self._readers: dict[int, Callable[[], None]] = {}
        self._epoll = select.epoll()
        self._stopping = threading.Event()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if build_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="revier-shim-")
            build_dir = Path(self._temporary.name)
        self.shim_dir = build_shim(build_dir)
        self._servers: dict[int, ProcessServer] = {}
        self._wake_r, self._wake_w = os.pipe()
        self.watch(self._wake_r, self._woken)

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Power off all boards and end the fork server. Idempotent."""
        if self._epoll.closed:
            return
        for server in self._servers.values():
            server.close()
        for board in self.boards:
            board.close()
        self._epoll.close()
        os.close(self._wake_r)
        os.close(self._wake_w)
        if self._temporary is not None:
            self._temporary.cleanup()

    # -- for the world --

    def at(self, t_us: int, fn: Callable[[], object]) -> Timer:
        """Run fn at t_us (not before now). fn may block: the world's clock stands still.

        fn reaches boards through the air only; to do something to one board at a time of its
        own use VirtualBoard.at(). Returns a Timer with cancel().
        """
        return self._world.add(max(t_us, self.now_us), fn)

    def run_until(self, t_us: int, pace: float | None = None) -> None:
        """Let everything before t_us happen; now_us is t_us afterwards.

        pace None: as fast as possible; 1.0: wall speed. Ends early after stop().
        """
        if pace is None:
            self._run(t_us)
            self._stopping.clear()
            return
        anchor_us, anchor_s = self.now_us, time.monotonic()
        while self.now_us < t_us and not self._stopping.is_set():
            wall_us = anchor_us + int((time.monotonic() - anchor_s) * 1e6 * pace)
            self._run(min(t_us, max(wall_us, self.now_us + _SLICE_US)))
            due_s = anchor_s + (self.now_us - anchor_us) / 1e6 / pace
            while (left_s := due_s - time.monotonic()) > 0 and not self._stopping.is_set():
                self._poll(left_s)
        self._stopping.clear()

    def stop(self) -> None:
        """End run_until() soon. From any thread or signal handler."""
        self._stopping.set()
        os.write(self._wake_w, b"x")

    # -- for boards --

    def join(self, board: Actor) -> int:
        """A new board; returns its index."""
        self.boards.append(board)
        self.bounds.append(NEVER_US)
        return len(self.boards) - 1

    def attach(self, board: Actor) -> None:
        """A person or a tool is at the board's console: wall time may count."""
        self._attached.append(board)

    def post(self, board: Actor, t_us: int, fn: Callable[[], object]) -> Timer:
        """World event from a board, later than the board's bound."""
        return self._world.add(t_us, fn, board.index)

    def server(self, heap_bytes: int) -> ProcessServer:
        """The fork server for interpreters with this heap."""
        server = self._servers.get(heap_bytes)
        if server is None:
            server = ProcessServer(self.shim_dir, heap_bytes, self._on_dead)
            self._servers[heap_bytes] = server
            self.watch(server.fileno(), server.poll)
        return server

    def touch(self, board: Actor) -> None:
        """The board may have to go on (new event, request, power)."""
        self._touched[board.index] = board

    def expose(self, board: Actor, exposed: bool) -> None:
        if exposed:
            self._exposed[board.index] = board
        else:
            self._exposed.pop(board.index, None)

    def horizon_us(self, board: Actor) -> int:
        """Nothing from outside reaches an exposed board before this."""
        bounds = self.bounds
        own = bounds[board.index]
        bounds[board.index] = NEVER_US
        others = min(bounds)
        bounds[board.index] = own
        return min(others, self._world.next_us)

    def watch(self, fd: int, reader: Callable[[], None]) -> None:
        self._readers[fd] = reader
        self._epoll.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        if self._readers.pop(fd, None) is not None and not self._epoll.closed:
            self._epoll.unregister(fd)

    def _woken(self) -> None:
        os.read(self._wake_r, 4096)

    # -- the loop --

    def _run(self, limit_us: int) -> None:
        if not self._frozen:
            gc.freeze()  # what is loaded by now is not searched for garbage again: 10 % faster
            self._frozen = True
        self.limit_us = max(limit_us, self.now_us)
        for board in self.boards:
            self._touched[board.index] = board
        stalled_s = time.monotonic() + _STALL_S
        while not self._stopping.is_set():
            if self._advance():
                continue
            if self._finished():
                self.now_us = self.limit_us
                return
            if self._poll():
                stalled_s = time.monotonic() + _STALL_S
            elif time.monotonic() > stalled_s:
                self._report_stall()
                stalled_s = time.monotonic() + _STALL_S

    def _advance(self) -> bool:
        """Everything that can happen without hearing from a process; False if nothing could."""
        touched = self._touched
        if touched:
            self._touched = {}
            for index in sorted(touched):
                board = touched[index]
                if not board.running and not board.exposed:
                    board.progress(self.limit_us)
        bound_us = min(self.bounds, default=NEVER_US)
        next_us = self._world.next_us
        if next_us < bound_us and next_us < self.limit_us:
            self.now_us = next_us
            self._world.pop().run()
            return True
        return self._advance_exposed(bound_us)

    def _advance_exposed(self, bound_us: int) -> bool:
        """Let the exposed boards go on to whom nothing can happen before `bound_us`."""
        if not self._exposed or bound_us >= self.limit_us:
            return bool(self._touched)
        moved = False
        for index in sorted(self._exposed):
            board = self._exposed.get(index)
            if board is None or board.running or self.bounds[index] > bound_us:
                continue
            board.progress(bound_us + 1)
            moved = True
        return moved or bool(self._touched)

    def _finished(self) -> bool:
        if min(self.bounds, default=NEVER_US) < self.limit_us:
            return False
        return not any(board.running and board.wall_bound_us() is None for board in self.boards)

    def _poll(self, timeout_s: float = 1.0) -> bool:
        """Handle what processes say; waits for it. False if nothing came for a while."""
        for board in self._attached:
            bound_us = board.wall_bound_us()
            if bound_us is not None:
                self.bounds[board.index] = bound_us
                timeout_s = min(timeout_s, _IDLE_POLL_S)
        readers = self._readers
        events = self._epoll.poll(timeout_s, 256)
        for fd, _ in events:
            if fd in readers:
                readers[fd]()
        return bool(events)

    def _report_stall(self) -> None:
        for board in self.boards:
            if board.running and board.wall_bound_us() is None:
                raise NodeError(board.name, f"no call for {_STALL_S:.0f} s at {board.now_us} us")

    def _on_dead(self, board_id: int, boot: int, status: int) -> None:
        self.boards[board_id].on_dead(boot, status)
