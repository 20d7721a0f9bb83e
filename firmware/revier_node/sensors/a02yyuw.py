# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""DFRobot A02YYUW waterproof ultrasonic distance sensor, UART 9600 8N1.

W = DFRobot wiki SEN0311: frame FF H L SUM, SUM = (FF + H + L) & FF, millimetres; 30 to 4500 mm;
    RX low: raw values every 100 to 300 ms; RX high or open: averaged values every 500 ms.
"""

import time

from revier_node.sensors import fault, missing, valid

MYPY = False
if MYPY:
    from machine import UART


BAUD = 9600
RANGE_MIN_MM = 30
RANGE_MAX_MM = 4_500
ECHO_LIMIT_MS = 700  # even averaged values come every 500 ms: without one it is silent
_POLL_MS = 20
_HEADER = 0xFF
_BUFFER_MAX = 64


class Parser:
    """Finds frames in a byte stream.

    FF may also be a data byte (511 mm is FF 01 FF FF), so a frame begins where header, checksum
    and range agree; if they do not, one byte is dropped and the search goes on.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> "tuple | None":
        """(state, mm, reason) of the newest whole frame in all bytes so far, None if none."""
        self._bytes += data
        outcome = None
        while len(self._bytes) >= 4:
            found = self._frame()
            if found:
                outcome = found
                self._bytes = self._bytes[4:]
            else:
                self._bytes = self._bytes[1:]
        return outcome

    def _frame(self) -> "tuple | None":
        head, high, low, check = self._bytes[:4]
        if head != _HEADER or (head + high + low) & 0xFF != check:
            return None
        distance_mm = high << 8 | low
        if distance_mm > RANGE_MAX_MM:
            return None  # no frame of this sensor: FF FF 01 FF inside 511 mm passes the checksum
        if distance_mm < RANGE_MIN_MM:
            return missing("no echo")
        return valid(distance_mm)


class A02yyuw:
    def __init__(self, uart: "UART") -> None:
        self._uart = uart

    def read(self) -> tuple:
        """The next distance in mm; what came before the call is thrown away."""
        while self._uart.any():
            if not self._uart.read(_BUFFER_MAX):
                break
        parser = Parser()
        heard = False
        start_ms = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start_ms) < ECHO_LIMIT_MS:
            data = self._uart.read(_BUFFER_MAX) if self._uart.any() else None
            if data:
                heard = True
                outcome = parser.feed(data)
                if outcome:
                    return outcome
            time.sleep_ms(_POLL_MS)
        return fault("garbled") if heard else fault("silent")
