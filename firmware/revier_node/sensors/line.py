# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Frames on a UART that begin with known bytes and end with a checksum: found, waited for."""

import time

from revier_node.sensors import NO_ANSWER

MYPY = False
if MYPY:
    from collections.abc import Callable

    from machine import UART


GARBLED = "garbled"  # bytes came, but no frame that was wanted
_POLL_MS = 10
_CHUNK = 64
_FLUSH_CHUNKS = 8  # twice the 256 bytes that machine.UART keeps


def flush(uart: "UART") -> None:
    """Throw away what came before: it answers no question that is asked now."""
    for _ in range(_FLUSH_CHUNKS):
        if not uart.any() or not uart.read(_CHUNK):
            break


class Frames:
    """Cuts frames out of a byte stream; a byte that begins none is dropped, one at a time.

    measure(data, count) looks at the first `count` bytes: the length of the whole frame that they
    begin with, 0 if they may become one, -1 if not. No frame is longer than `longest`.
    """

    def __init__(self, measure: "Callable[[bytearray, int], int]", longest: int) -> None:
        self._measure = measure
        self._data = bytearray(longest)
        self._count = 0

    def feed(self, data: bytes) -> "list[bytes]":
        """All frames that end in these bytes."""
        found = []
        for byte in data:
            self._data[self._count] = byte
            self._count += 1
            while self._count:
                length = self._measure(self._data, self._count)
                if length == 0:
                    assert self._count < len(self._data)
                    break
                if length > 0:
                    found.append(bytes(self._data[:length]))
                self._drop(length if length > 0 else 1)
        return found

    def _drop(self, length: int) -> None:
        self._count -= length
        for i in range(self._count):
            self._data[i] = self._data[i + length]


class Line:
    """A UART and the frames on it. Methods give None or a frame, and set `error`."""

    def __init__(
        self, uart: "UART", measure: "Callable[[bytearray, int], int]", longest: int
    ) -> None:
        self._uart = uart
        self._measure = measure
        self._longest = longest
        self.error = ""

    def ask(
        self, question: bytes, wanted: "Callable[[bytes], bool]", limit_ms: int
    ) -> "bytes | None":
        """Send a command; the first frame thereafter that is wanted, None after limit_ms."""
        flush(self._uart)
        self._uart.write(question)
        frames = Frames(self._measure, self._longest)
        heard = False
        start_ms = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start_ms) < limit_ms:
            chunk = self._uart.read(_CHUNK) if self._uart.any() else None
            if not chunk:
                time.sleep_ms(_POLL_MS)
                continue
            heard = True
            for frame in frames.feed(chunk):
                if wanted(frame):
                    return frame
        self.error = GARBLED if heard else NO_ANSWER
        return None
