# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's serial console: captured as lines with virtual time, or as a PTY."""

import contextlib
import os
import pty
import re
import socket
import termios
import time
import tty
from collections.abc import Callable
from typing import Protocol

_LINE_MAX = 4096
_SEEN = 256
_AT_ONCE_S = 0.1


class Console(Protocol):
    tty: bool

    def child_fd(self) -> int: ...
    def write(self, data: bytes) -> None: ...
    def drain(self) -> bytes: ...
    def close(self) -> None: ...


class LineConsole:
    """A socket pair; the kernel drains it at the node's marks."""

    tty = False

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._partial = b""

    def child_fd(self) -> int:
        return self._theirs.fileno()

    def write(self, data: bytes) -> None:
        self._ours.send(data)

    def drain(self) -> bytes:
        data = b""
        with contextlib.suppress(BlockingIOError):
            while chunk := self._ours.recv(65536):
                data += chunk
        return data

    def lines(self) -> list[str]:
        """Whole lines that were printed since the last call."""
        data = self._partial + self.drain()
        *whole, self._partial = data.split(b"\n")
        if len(self._partial) > _LINE_MAX:
            whole.append(self._partial)
            self._partial = b""
        return [line.rstrip(b"\r").decode("utf-8", "replace") for line in whole]

    def rest(self) -> list[str]:
        """At the end of a process: also an unfinished line."""
        lines = self.lines()
        if self._partial:
            lines.append(self._partial.decode("utf-8", "replace"))
            self._partial = b""
        return lines

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


class PtyConsole:
    """Two terminals: the node's own inside, the client's outside; text is relayed between.

    The interpreter of the host ends its process where a board would soft-reset; what a client
    sees is a board: CR LF, "MPY: soft reboot", the raw REPL again after Ctrl-D in the raw REPL.
    """

    tty = True

    def __init__(self, interrupt: Callable[[], bool]) -> None:
        """interrupt: Ctrl-C interrupts what runs; False: it is only a byte now."""
        self._interrupt = interrupt
        self._inner, self._inner_child = pty.openpty()
        attributes = termios.tcgetattr(self._inner_child)
        attributes[0] = attributes[1] = 0
        attributes[3] = 0
        attributes[6][termios.VMIN] = 1
        termios.tcsetattr(self._inner_child, termios.TCSANOW, attributes)
        self._outer, self._outer_child = pty.openpty()
        tty.setraw(self._outer_child)
        self.path = os.ttyname(self._outer_child)
        os.set_blocking(self._inner, False)
        os.set_blocking(self._outer, False)
        self.raw = False
        self.ready = False
        self.interrupted = False  # by what was handed over last
        self._interrupted_s = 0.0
        self._seen = b""
        self._entering = False
        self._hiding = False
        self._waiting = b""
        self._lines = b""

    def child_fd(self) -> int:
        return self._inner_child

    def fds(self) -> tuple[int, int]:
        """Inner and outer master, for the kernel's epoll."""
        return self._inner, self._outer

    def write(self, data: bytes) -> None:
        """Input for the node."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._inner, data)

    def say(self, data: bytes) -> None:
        """Output for the client."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._outer, data)

    def drain(self) -> bytes:
        return b""

    def lines(self) -> list[str]:
        """Whole lines that went to the client since the last call."""
        self.relay_output()
        *whole, self._lines = self._lines.split(b"\n")
        return [line.rstrip(b"\r").decode("utf-8", "replace") for line in whole]

    rest = lines

    def rebooted(self, soft: bool) -> None:
        """A new process starts; raw REPL only survives a soft reset."""
        self.ready = False
        self.relay_output()
        self._entering = self.raw = self.raw and soft
        self._seen = b""
        if soft:
            self.say(b"MPY: soft reboot\r\n")

    def relay_output(self) -> None:
        try:
            data = os.read(self._inner, 65536)
        except (BlockingIOError, OSError):
            return
        data = re.sub(rb"(?<!\r)\n", b"\r\n", data)
        self._lines = (self._lines + data)[-65536:]
        self._seen = (self._seen + data)[-_SEEN:]
        if self._entering:
            if b">>> " in self._seen:  # the new process is at its prompt: back into the raw REPL
                os.write(self._inner, b"\x01")
                self._seen = b""
                self._entering, self._hiding = False, True
            return
        if self._hiding:
            start = self._seen.find(b"raw REPL")
            if start < 0:
                return
            data = self._seen[start:]
            self._hiding = False
        raw, friendly = self._seen.rfind(b"raw REPL; CTRL-B"), self._seen.rfind(b"\n>>> ")
        if raw >= 0 or friendly >= 0:
            self.raw = raw > friendly
        self.say(data)

    def relay_input(self) -> bool:
        """True if the client typed something that the node now has."""
        try:
            data = os.read(self._outer, 65536)
        except (BlockingIOError, OSError):
            return False
        self._waiting += data
        return self.flush_input()

    def flush_input(self) -> bool:
        """Hand over what the client typed, once the node has started. What is typed at once
        interrupts once."""
        if not self.ready or not self._waiting:
            return False
        data, self._waiting = self._waiting, b""
        first, found, rest = data.partition(b"\x03")
        again = time.monotonic() - self._interrupted_s < _AT_ONCE_S
        self.interrupted = bool(found) and (again or self._interrupt())
        if self.interrupted:
            self._interrupted_s = time.monotonic()
            data = first + rest.replace(b"\x03", b"")
        self.write(data)
        return True

    def close(self) -> None:
        for fd in (self._inner, self._inner_child, self._outer, self._outer_child):
            os.close(fd)
