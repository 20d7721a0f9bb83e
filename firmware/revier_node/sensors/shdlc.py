# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SHDLC, Sensirion's frames on a UART: 7E ADR CMD LEN data CHK 7E there, with STATE back.

DS = Sensirion SPS30 datasheet version 2.0, 5.2: byte stuffing (table 5), states (table 6).
"""

import time

from revier_node.sensors import NO_ANSWER
from revier_node.sensors.line import flush

MYPY = False
if MYPY:
    from machine import UART


ANSWER_LIMIT_MS = 60  # DS table 7: at most 20 ms to answer; a reading takes 5 ms on the wire
NOT_NOW = 0x43  # DS table 6: not allowed in the current state
STATE_MASK = 0x7F  # DS figure 5: the upper bit says that the status register has an error
_FLAG, _ESCAPE, _FLIP = 0x7E, 0x7D, 0x20
_STUFFED = b"\x7e\x7d\x11\x13"
_FRAME_MAX = 45  # ADR CMD STATE LEN, a reading's 40 bytes, CHK: nothing longer is asked for
_POLL_MS = 2
_CHUNK = 64


def pack(command: int, data: bytes = b"") -> bytearray:
    """A frame to the device with address 0."""
    content = bytes((0, command, len(data))) + data
    frame = bytearray((_FLAG,))
    for byte in content + bytes((~sum(content) & 0xFF,)):
        if byte in _STUFFED:
            frame.append(_ESCAPE)
            frame.append(byte ^ _FLIP)
        else:
            frame.append(byte)
    frame.append(_FLAG)
    return frame


class Frames:
    """Finds the device's frames in a byte stream."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._escaped = False
        self._spoilt = True  # until the first flag

    def feed(self, data: bytes) -> list:
        """All frames that end in these bytes: (command, state, data)."""
        found = []
        for byte in data:
            if byte == _FLAG:  # ends one or begins one: what lies between torn frames fails below
                if not (self._spoilt or self._escaped):
                    frame = _checked(self._content)
                    if frame:
                        found.append(frame)
                self._content = bytearray()
                self._escaped = self._spoilt = False
            elif self._escaped:
                self._escaped = False
                self._spoilt |= byte ^ _FLIP not in _STUFFED
                self._content.append(byte ^ _FLIP)
            elif byte == _ESCAPE:
                self._escaped = True
            elif len(self._content) < _FRAME_MAX:
                self._content.append(byte)
            else:
                self._spoilt = True
        return found


def _checked(content: bytearray) -> "tuple | None":
    if len(content) < 5 or content[0] or content[3] != len(content) - 5:
        return None
    if sum(content) & 0xFF != 0xFF:  # the checksum is the complement of the rest
        return None
    return (content[1], content[2], bytes(content[4:-1]))


class Device:
    """One device at a UART. `ask` gives its data or None, and sets `error`."""

    def __init__(self, uart: "UART") -> None:
        self._uart = uart
        self.error = ""
        self.state = 0

    def wake(self, command: int) -> "bytes | None":
        """DS 5.3.5: FF makes the pulse that opens the interface, the command follows in 100 ms."""
        self._uart.write(b"\xff")
        return self.ask(command)

    def ask(self, command: int, data: bytes = b"") -> "bytes | None":
        flush(self._uart)
        self._uart.write(pack(command, data))
        frames = Frames()
        heard = False
        start_ms = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start_ms) < ANSWER_LIMIT_MS:
            chunk = self._uart.read(_CHUNK) if self._uart.any() else None
            if not chunk:
                time.sleep_ms(_POLL_MS)
                continue
            heard = True
            for code, state, answer in frames.feed(chunk):
                if code == command:  # else late, to an earlier question
                    return self._accept(state, answer)
        self.error = "garbled" if heard else NO_ANSWER
        return None

    def _accept(self, state: int, answer: bytes) -> "bytes | None":
        self.state = state & STATE_MASK
        if self.state:
            self.error = "state %#x" % self.state
            return None
        return answer
