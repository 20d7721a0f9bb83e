# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""MicroPython's raw REPL over any byte stream: a serial port, a pseudo-terminal, a test's script.

Protocol: MicroPython docs/reference/repl.rst, "Raw mode" and "Raw-paste mode"; peculiarities from
mpremote's transport_serial.py. Source text sent to the board appears in no error and no log: it may
hold a key.

Waits are for what the board says, never for a time: boards differ in how long they take to reset
when a port is opened (ampy issue 19), and a pseudo-terminal does not reset at all.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from revier_provision.errors import BoardError

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
BANNER = b"raw REPL; CTRL-B to exit\r\n>"
OUTPUT_BYTES_MAX = 64 * 1024
NOISE_BYTES_MAX = 256 * 1024
LINE_BYTES_MAX = 4 * 1024  # of the console: docs/protocol/console.md needs far less
KNOCK_INTERVAL_S = 0.1  # the service window may be as short as 3 s
INTERRUPT_EVERY_KNOCKS = 10
QUIET_S = 0.15
ANSWER_S = 5.0
PLAIN_CHUNK_BYTES = 128  # plain raw mode has no flow control: less than the UART's FIFO at a time


class ByteStream(Protocol):
    """What pyserial offers. `read` returns fewer bytes, or none, when its short timeout is over."""

    def read(self, size: int = ...) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...


class BoardSilentError(BoardError):
    """No REPL: the board is asleep, outside its service window, or not there."""


class BoardTimeoutError(BoardError):
    """A program on the board did not end in time."""


class RemoteError(BoardError):
    """A program on the board raised; `exception` is its last line, without the source text."""

    def __init__(self, exception: str) -> None:
        self.exception = exception
        super().__init__(f"The board raised {exception}", "Run again; see the error's own words")


class RawRepl:
    """A client of one board's REPL. `enter` first; then `run` as often as needed; then `leave`."""

    def __init__(
        self,
        stream: ByteStream,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._sleep = sleep
        self._buffer = b""
        self._paste: bool | None = None  # None: not yet asked
        self.sent_bytes = 0

    def enter(self, window_s: float = 30.0) -> None:
        """Knock until the raw REPL answers. Any byte in the service window opens the REPL.

        Raises BoardSilentError after `window_s`.
        """
        deadline = self._clock() + window_s
        for knock in itertools.count(1):
            # Ctrl-C ends a program that runs, but would also break into a boot.py that has just
            # seen the knock: so only now and then.
            interrupt = CTRL_C + CTRL_C if knock % INTERRUPT_EVERY_KNOCKS == 0 else b""
            self._write(interrupt + b"\r" + CTRL_A)
            next_knock = min(deadline, self._clock() + KNOCK_INTERVAL_S)
            if self._wait_for(BANNER, next_knock):
                break
            if self._clock() >= deadline:
                raise BoardSilentError(
                    "The board did not open its REPL within {window_s:g} s",
                    "Check cable and port, press its reset button (or unplug and plug it in), "
                    "and run again at once: the service window is open for 3 s after power-on",
                    window_s=window_s,
                )
        self._synchronise(deadline + ANSWER_S)

    def run(self, source: str | bytes, limit_s: float = 20.0) -> str:
        """Execute and return what it printed, or raise RemoteError or BoardTimeoutError."""
        deadline = self._clock() + limit_s
        self._send(source.encode() if isinstance(source, str) else source, deadline)
        output = self._until(CTRL_D, deadline)
        traceback = self._until(CTRL_D, deadline)
        self._until(b">", deadline)
        if traceback:
            raise RemoteError(_last_line(traceback))
        return output.decode("utf-8", "replace").replace("\r\n", "\n")

    def leave(self, *, reset: bool = True) -> None:
        """Back to the ordinary REPL; `reset` restarts the board so that the node begins to work."""
        if reset:
            # The board goes away while executing this: no answer is awaited.
            self._send(b"import machine\nmachine.reset()", self._clock() + ANSWER_S)
            return
        self._write(CTRL_B)

    def lines(self, limit_s: float) -> Iterator[str]:
        """What the board says after `leave`, a line at a time, for `limit_s`. Bytes that are no
        text are replaced. Raises BoardError when the port goes away.
        """
        deadline = self._clock() + limit_s
        self._buffer = b""
        while self._clock() < deadline:
            self._read_some()
            *whole, self._buffer = self._buffer.split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace").strip()
            self._buffer = self._buffer[-LINE_BYTES_MAX:]

    def _synchronise(self, deadline: float) -> None:
        """Later knocks are still in the line: wait until it is quiet, then ask something new."""
        self._paste = False
        for attempt in range(3):
            self._drain(deadline)
            marker = f"revier-{attempt}-{int(self._clock() * 1000) % 1000000}"
            try:
                answer = self.run(f"print({marker!r})", ANSWER_S)
            except BoardError:
                self._write(CTRL_C + CTRL_A)
                continue
            if answer.strip() == marker:
                self._paste = None
                return
        raise BoardSilentError(
            "The board's REPL answers, but not what was asked",
            "Close other programs that use the port (a terminal, an editor), then run again",
        )

    def _drain(self, deadline: float) -> None:
        quiet_since = self._clock()
        while self._clock() - quiet_since < QUIET_S and self._clock() < deadline:
            if self._read_some():
                quiet_since = self._clock()
        self._buffer = b""

    def _send(self, source: bytes, deadline: float) -> None:
        if self._paste is not False:
            self._write(CTRL_E + b"A" + CTRL_A)
            answer = self._exactly(2, deadline)
            if answer == b"R\x01":
                self._paste = True
                self._send_pasted(source, deadline)
                return
            # b"R\x00": understood, not supported; b"ra": too old, prints the banner again
            if answer != b"R\x00":
                self._until(b">", deadline)
            self._paste = False
        for start in range(0, len(source), PLAIN_CHUNK_BYTES):
            self._write(source[start : start + PLAIN_CHUNK_BYTES])
            self._sleep(0.01)
        self._write(CTRL_D)
        if self._exactly(2, deadline) != b"OK":
            raise BoardError(
                "The board's REPL did not take the program", "Press its reset button and run again"
            )

    def _send_pasted(self, source: bytes, deadline: float) -> None:
        window = int.from_bytes(self._exactly(2, deadline), "little")
        room = window
        sent = 0
        while sent < len(source):
            while room == 0 or self._buffer:
                mark = self._exactly(1, deadline)
                if mark == CTRL_A:
                    room += window
                elif mark == CTRL_D:
                    self._write(CTRL_D)
                    raise BoardError(
                        "The board stopped taking the program",
                        "Press its reset button and run again",
                    )
            chunk = source[sent : sent + room]
            self._write(chunk)
            sent += len(chunk)
            room -= len(chunk)
        self._write(CTRL_D)
        self._until(CTRL_D, deadline)  # window marks may still come before it

    def _until(self, end: bytes, deadline: float) -> bytes:
        """What came before `end`; both are taken from the buffer."""
        while end not in self._buffer:
            if len(self._buffer) > OUTPUT_BYTES_MAX:
                raise BoardError(
                    "The board printed more than {most} bytes",
                    "Press its reset button and run again",
                    most=OUTPUT_BYTES_MAX,
                )
            self._wait(deadline)
        found, _, self._buffer = self._buffer.partition(end)
        return found

    def _exactly(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._wait(deadline)
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _wait(self, deadline: float) -> None:
        if not self._read_some() and self._clock() >= deadline:
            self._write(CTRL_C)
            raise BoardTimeoutError(
                "The board did not answer in time",
                "Check the cable, press the reset button and run again",
            )

    def _wait_for(self, text: bytes, deadline: float) -> bool:
        """Look for `text` in the noise of a starting board; forget the noise."""
        while self._clock() < deadline:
            self._read_some()
            if text in self._buffer:
                self._buffer = b""
                return True
            self._buffer = self._buffer[-NOISE_BYTES_MAX:]
        return False

    def _read_some(self) -> bool:
        try:
            data = self._stream.read(1)
            waiting = int(getattr(self._stream, "in_waiting", 0)) if data else 0
            if waiting:
                data += self._stream.read(waiting)
        except OSError as error:
            raise _unplugged(error) from None
        self._buffer += data
        return bool(data)

    def _write(self, data: bytes) -> None:
        self.sent_bytes += len(data)
        try:
            self._stream.write(data)
        except OSError as error:
            raise _unplugged(error) from None


def _unplugged(error: OSError) -> BoardError:
    return BoardError(
        "The port went away ({why})",
        "Plug the board in again, close other programs that use the port, and run again",
        why=error.strerror or type(error).__name__,
    )


def _last_line(traceback: bytes) -> str:
    lines = traceback.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")[:200]
