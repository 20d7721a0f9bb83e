# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""DFRobot A02YYUW ultrasonic sensor: frames FF H L SUM at 9600 baud every 100 to 300 ms.

W = DFRobot wiki SEN0311. Without an echo it sends 0 mm. Faults by name: "silent", "checksum"
(every frame spoilt), "noise" (bytes between the frames), "partial" (every other frame breaks off),
"frozen" (always the first distance), "blind" (an echo from the housing: 30 mm).
"""

from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import EchoEnvironment
from revier_bench.chips.timeline import NEVER_US

BYTE_US = 1_042  # ten bits at 9600 baud
FIRST_FRAME_US = 250_000
RANGE_MM = (30, 4_500)
_FRAMES_KEPT = 200


def frame(distance_mm: int) -> bytes:
    """W: 1953 mm is FF 07 A1 A7."""
    high, low = distance_mm >> 8, distance_mm & 0xFF
    return bytes((0xFF, high, low, (0xFF + high + low) & 0xFF))


class A02yyuw:
    baud = 9600

    def __init__(self, host: ChipHost, environment: EchoEnvironment, chance: Random) -> None:
        self.host = host
        self.faults: set[str] = set()
        self._environment = environment
        self._chance = chance
        self._next_frame_us = NEVER_US
        self._sent: list[tuple[int, int]] = []
        """bytes on the wire: when each has arrived, and what it is"""
        self._frames = 0
        self._first_mm: int | None = None

    def power(self, on: bool, t_us: int) -> None:
        self._next_frame_us = t_us + FIRST_FRAME_US if on else NEVER_US
        self._sent.clear()

    def receive(self, until_us: int) -> bytes:
        self._send_frames(until_us)
        ready = [byte for at_us, byte in self._sent if at_us <= until_us]
        self._sent = self._sent[len(ready) :]
        return bytes(ready)

    def next_us(self, after_us: int) -> int:
        self._send_frames(after_us)
        for at_us, _ in self._sent:
            if at_us > after_us:
                return at_us
        return self._next_frame_us + BYTE_US if self._next_frame_us < NEVER_US else NEVER_US

    def write(self, data: bytes, t_us: int) -> None:
        """Its RX pin only chooses between averaged and raw values; bytes mean nothing."""

    def _send_frames(self, until_us: int) -> None:
        """Whole frames that begin by then."""
        while self._next_frame_us <= until_us:
            begin_us = self._next_frame_us
            self._next_frame_us += self._chance.randrange(100_000, 300_000)
            if "silent" in self.faults:
                continue
            for i, byte in enumerate(self._bytes(begin_us)):
                self._sent.append((begin_us + (i + 1) * BYTE_US, byte))
        if len(self._sent) > 4 * _FRAMES_KEPT:
            self._sent = self._sent[-4 * _FRAMES_KEPT :]

    def _bytes(self, t_us: int) -> bytes:
        distance_mm = self._distance_mm(t_us)
        low, high = RANGE_MM
        if distance_mm is None or not low <= distance_mm <= high:
            distance_mm = 0
        data = bytearray(frame(distance_mm))
        if "checksum" in self.faults:
            data[3] ^= 0x10
        if "noise" in self.faults:
            data += bytes((self._chance.randrange(256), 0xFF))
        self._frames += 1
        if "partial" in self.faults and self._frames % 2:
            del data[2:]
        return bytes(data)

    def _distance_mm(self, t_us: int) -> int | None:
        distance_mm = self._environment.distance_mm(t_us)
        if "blind" in self.faults:
            return RANGE_MM[0]
        if "frozen" in self.faults:
            if self._first_mm is None:
                self._first_mm = distance_mm
            return self._first_mm
        return distance_mm
