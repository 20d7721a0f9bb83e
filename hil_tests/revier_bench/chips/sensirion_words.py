# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What every Sensirion part on I2C does: commands, words with CRC, waiting times, refusals.

S = Sensirion embedded-i2c-sen5x, sensirion_i2c.h: polynomial 0x31, start 0xFF.
Faults by name (`faults`): "silent" (no acknowledge), "crc" (replies spoilt), "torn" (the second
half of a reply does not come), "nack" (the next transfer is not acknowledged, once), "deaf" (the
next wake-up goes unheard, once).
"""

from random import Random

from revier_bench.chips.base import ChipHost


def _crc_of_byte(crc: int) -> int:
    for _ in range(8):
        crc = ((crc << 1) ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc


_CRC = bytes(_crc_of_byte(byte) for byte in range(256))


def crc8(data: bytes) -> int:
    """Polynomial 0x31, start 0xFF."""
    crc = 0xFF
    for byte in data:
        crc = _CRC[crc ^ byte]
    return crc


def with_crc(data: bytes) -> bytes:
    """Each 16-bit word followed by its CRC."""
    words = (data[i : i + 2] for i in range(0, len(data), 2))
    return b"".join(word + bytes((crc8(word),)) for word in words)


class WordChip:
    """A part by its commands: execute() does one or refuses, answer() is what it then says."""

    name = "sensirion"
    power_up_us = 30_000

    def __init__(self, host: ChipHost, chance: Random) -> None:
        self.host = host
        self.faults: set[str] = set()
        self.chance = chance
        self.on = False
        self._ready_us = 0
        self._pointer: int | None = None

    # -- what a part overrides --

    def asleep(self) -> bool:
        return False

    def wake(self, code: int, t_us: int) -> bool:  # noqa: ARG002
        """A command while asleep: whether it is acknowledged."""
        return False

    def restart(self, t_us: int) -> None:
        """As after power-on."""

    def execute(self, code: int, words: tuple[int, ...], t_us: int) -> bool:
        """Do a command; False refuses it."""
        raise NotImplementedError

    def answer(self, code: int, t_us: int) -> bytes | None:
        """Data without CRC; None refuses the read."""
        raise NotImplementedError

    # -- for the part --

    def note(self, text: str) -> None:
        self.host.note_misuse(f"{self.name}: {text}")

    def busy(self, t_us: int, duration_us: int) -> None:
        self._ready_us = max(self._ready_us, t_us + duration_us)

    def say(self, code: int) -> bool:
        """The next read gets the answer to this command."""
        self._pointer = code
        return True

    def hears(self, fault: str) -> bool:
        """False once for a fault that happens once."""
        if fault in self.faults:
            self.faults.discard(fault)
            return False
        return True

    # -- I2C --

    def power(self, on: bool, t_us: int) -> None:
        self.on = on
        self._pointer = None
        self._ready_us = t_us + self.power_up_us
        self.restart(t_us)

    def write(self, data: bytes, t_us: int) -> bool:
        if not self.on or "silent" in self.faults or not self.hears("nack"):
            return False
        code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 0
        if self.asleep():
            return self.wake(code, t_us)
        if self._early(f"0x{code:04X}", t_us):
            return False
        self._pointer = None
        if len(data) < 2:
            return len(data) == 0
        words = self._words(code, data[2:])
        return words is not None and self.execute(code, words, t_us)

    def read(self, n: int, t_us: int) -> bytes | None:
        if not self.on or self.asleep() or "silent" in self.faults or not self.hears("nack"):
            return None
        if self._early("a read", t_us):
            return None
        if self._pointer is None:
            self.note("read without a command to answer")
            return None
        data = self.answer(self._pointer, t_us)
        return None if data is None else self._spoil(with_crc(data), n)

    def _early(self, what: str, t_us: int) -> bool:
        if t_us >= self._ready_us:
            return False
        self.note(f"{what} {self._ready_us - t_us} us too early")
        return True

    def _words(self, code: int, arguments: bytes) -> tuple[int, ...] | None:
        words = []
        for i in range(0, len(arguments), 3):
            word = arguments[i : i + 2]
            if len(arguments) < i + 3 or crc8(word) != arguments[i + 2]:
                self.note(f"argument of 0x{code:04X} without a valid CRC")
                return None
            words.append(int.from_bytes(word, "big"))
        return tuple(words)

    def _spoil(self, data: bytes, n: int) -> bytes:
        if n > len(data):
            self.note(f"{n} bytes read of {len(data)}")
        data = data[:n]
        if "crc" in self.faults:
            data = data[:2] + bytes((data[2] ^ 0x55,)) + data[3:]
        if "torn" in self.faults:  # the line stays high
            half = len(data) // 2
            data = data[:half] + b"\xff" * (len(data) - half)
        return data
