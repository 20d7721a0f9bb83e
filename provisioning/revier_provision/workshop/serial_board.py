# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board on a serial port: in its service window, and then as a node that tells what it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from revier_provision.board.raw_repl import RawRepl, RemoteError
from revier_provision.board.repl_board import ReplBoard, entered, open_port
from revier_provision.errors import BoardError
from revier_provision.workshop.self_test import PartResult, newest
from revier_provision.workshop.table import Console

SELF_TEST_S = 60.0  # a fan's start and a first measurement are in it
LINES_MAX = 2000
LINE_BYTES_MAX = 400
REOPEN_S = 0.5
READ_BYTES = 256


class Stream(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...

    def close(self) -> None: ...


class SerialBoard(ReplBoard):
    """NodeBoard over an entered RawRepl. `reopen` brings the port back after a USB chip's reset."""

    def __init__(self, repl: RawRepl, stream: Stream, reopen: Callable[[], Stream]) -> None:
        super().__init__(repl)
        self._stream = stream
        self._reopen = reopen

    def self_test(self) -> tuple[PartResult, ...]:
        """Each chip answers or is named. Raises BoardError if the test itself cannot run."""
        try:
            lines = self.cable("self_test()", SELF_TEST_S)
        except RemoteError as error:
            raise _no_self_test(error) from None
        found = newest(lines)
        if found is None:
            cure = "Put Revier's firmware on the board (a bundle in the site file) and run again"
            raise BoardError("The board's firmware told no result of its self-test", cure)
        return found

    def start_node(self) -> Console:
        self.restart()
        return SerialConsole(self._stream, self._reopen)


class SerialConsole:
    """Reads what the node says, in a thread, until it is closed. A lost port is opened again:
    a chip with its own USB takes it along into deep sleep."""

    def __init__(self, stream: Stream, reopen: Callable[[], Stream]) -> None:
        self._stream: Stream | None = stream
        self._reopen = reopen
        self._lines: list[str] = []
        self._rest = b""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="console", daemon=True)
        self._thread.start()

    def lines(self) -> Sequence[str]:
        return list(self._lines)

    def close(self) -> None:
        self._closed.set()
        self._thread.join(5.0)
        if self._stream is not None:
            self._stream.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                if self._stream is None:
                    self._stream = self._reopen()
                self._take(self._stream.read(READ_BYTES))
            except (OSError, BoardError, TypeError):  # TypeError: pyserial's of a closed port
                self._lose()

    def _lose(self) -> None:
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
        self._stream = None
        self._closed.wait(REOPEN_S)

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-LINE_BYTES_MAX:]
        for line in lines:
            text = line[:LINE_BYTES_MAX].decode("utf-8", "replace").strip()
            if text and len(self._lines) < LINES_MAX:
                self._lines.append(text)


@contextmanager
def open_serial_board(port: str, window_s: float) -> Iterator[SerialBoard]:
    """A board in its service window; it is restarted at the end, also if that was not asked for."""
    with entered(port, window_s) as (repl, stream):
        board = SerialBoard(repl, stream, lambda: open_port(port))
        yield board
        if not board.left:
            repl.leave(reset=True)


def _no_self_test(error: RemoteError) -> BoardError:
    """The node's own errors, docs/protocol/console.md."""
    kind, _, what = error.exception.partition(": ")
    if kind == "BoardError" and what.startswith("power chip"):
        cure = "Check the board's power chip and its I2C lines, or use another board"
        return BoardError("The board's {what}", cure, what=what)
    if kind in ("BoardError", "UnprovisionedError"):
        cure = "Check --board and that the bundle has this board's description, then run again"
        return BoardError("The node cannot start: {what}", cure, what=what)
    if kind == "AttributeError":
        cure = "Put newer firmware on the board (a bundle in the site file) and run again"
        return BoardError("The board's firmware knows no self-test by cable", cure)
    cure = "Run again; if it repeats, report this line"
    return BoardError("The self-test broke off ({exception})", cure, exception=error.exception)
