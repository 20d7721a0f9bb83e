# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A part that talks on a UART: bytes take their time, one after the other.

Faults by name: "silent" (nothing comes), "torn" (a part of each frame is missing), "checksum"
(one bit of each frame is wrong), "noise" (stray bytes before each frame), "deaf" (the next command
that wakes it goes unheard, once).
"""

from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.timeline import NEVER_US

_BITS_PER_BYTE = 10
_KEPT_BYTES = 2_000


class UartTalker:
    name = "uart"
    baud = 9600

    def __init__(self, host: ChipHost, chance: Random) -> None:
        self.host = host
        self.faults: set[str] = set()
        self.chance = chance
        self.on = False
        self._sent: list[tuple[int, int]] = []
        """bytes on the wire: when each has arrived, and what it is"""
        self._free_us = 0
        self._heard = bytearray()

    # -- what a part overrides --

    def restart(self, t_us: int) -> None:
        """As after power-on."""

    def report_us(self) -> int:
        """When it next says something by itself."""
        return NEVER_US

    def report(self, t_us: int) -> None:
        """Say it, and move report_us() on."""

    def hear(self, heard: bytearray, t_us: int) -> None:
        """Take whole commands out of the bytes heard so far."""

    # -- for the part --

    def note(self, text: str) -> None:
        self.host.note_misuse(f"{self.name}: {text}")

    def hears(self, fault: str) -> bool:
        """False once for a fault that happens once."""
        if fault in self.faults:
            self.faults.discard(fault)
            return False
        return True

    def say(self, frame: bytes, t_us: int) -> None:
        if "silent" in self.faults:
            return
        begin_us = max(t_us, self._free_us)
        byte_us = _BITS_PER_BYTE * 1_000_000 / self.baud
        data = self._spoil(frame)
        for i, byte in enumerate(data):
            self._sent.append((begin_us + round((i + 1) * byte_us), byte))
        self._free_us = begin_us + round(len(data) * byte_us)
        self._sent = self._sent[-_KEPT_BYTES:]

    def _spoil(self, frame: bytes) -> bytes:
        data = bytearray(frame)
        if "checksum" in self.faults:
            data[self.chance.randrange(len(data) // 2, len(data) - 1)] ^= 0x04
        if "torn" in self.faults:
            at = self.chance.randrange(1, len(data))
            del data[at : at + self.chance.randrange(1, len(data))]
        if "noise" in self.faults:
            data[:0] = bytes(self.chance.randrange(256) for _ in range(7))
        return bytes(data)

    # -- UART --

    def power(self, on: bool, t_us: int) -> None:
        self.on = on
        self._sent.clear()
        self._heard.clear()
        self._free_us = t_us
        self.restart(t_us)

    def receive(self, until_us: int) -> bytes:
        self._report_until(until_us)
        ready = [byte for at_us, byte in self._sent if at_us <= until_us]
        self._sent = self._sent[len(ready) :]
        return bytes(ready)

    def next_us(self, after_us: int) -> int:
        self._report_until(after_us)
        for at_us, _ in self._sent:
            if at_us > after_us:
                return at_us
        return self.report_us() if self.on else NEVER_US

    def write(self, data: bytes, t_us: int) -> None:
        if not self.on:
            return
        self._report_until(t_us)
        self._heard += data
        self.hear(self._heard, t_us)

    def _report_until(self, until_us: int) -> None:
        while self.on and self.report_us() <= until_us:
            self.report(self.report_us())
