# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""MEMSIC MMC5603NJ on I2C: one measurement at a time, a bridge with an offset, SET and RESET.

DS = MMC5603NJ datasheet rev. B: Internal Control 0 to 2, Status 1, table 1.
Faults by name: "silent", "frozen" (never done), "wrong id", "saturated", "not loaded" (OTP),
"coil" (SET and RESET do nothing: what is left after a field of some 30 G).
"""

from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import FieldEnvironment
from revier_bench.chips.register_chip import RegisterChip

PRODUCT_ID = 0x10
_UT_PER_DIGIT = 0.00625
_MEASURE_US = (6_600, 3_500, 2_000, 1_200)  # DS: bandwidth 00 to 11
_COIL_US = 1_000  # until the capacitor is full again
_START_US = 20_000  # software reset; power-on as long
_NOISE_UT = 0.2
_FIELD, _TEMPERATURE, _SET, _RESET = 0x01, 0x02, 0x08, 0x10
_DONE = {_FIELD: 0x40, _TEMPERATURE: 0x80}
_WRITABLE = (0x1A, 0x1B, 0x1C, 0x1D)


class Mmc5603(RegisterChip):
    name = "mmc5603"

    def __init__(self, host: ChipHost, environment: FieldEnvironment, chance: Random) -> None:
        super().__init__(host)
        self._environment = environment
        self._chance = chance
        self.offset_ut = tuple(chance.uniform(-60.0, 60.0) for _ in range(3))
        """of the bridge; DS table 1"""
        self.reset(0)

    def reset(self, t_us: int) -> None:
        self._ready_us = t_us + _START_US
        self._polarity = self._chance.choice((1, -1))  # nobody knows it before a SET or RESET
        self._coil_us = -_COIL_US
        self._bandwidth = 0
        self._done = 0
        self._running: tuple[int, int] | None = None  # what, until
        self._output = bytearray(9)
        self._degrees = 0

    def poke(self, register: int, value: int, t_us: int) -> None:
        if register not in _WRITABLE:
            self.misuse(f"write to register 0x{register:02X}")
        elif register == 0x1C and value & 0x80:
            self.reset(t_us)
        elif register == 0x1C:
            self._bandwidth = value & 3
        elif register == 0x1B:
            self._command(value, t_us)

    def _command(self, value: int, t_us: int) -> None:
        self._settle(t_us)
        if t_us < self._ready_us:
            self.misuse("a command before the start-up of 20 ms is over")
            return
        if bin(value & 0x1B).count("1") > 1:
            self.misuse("several commands at once (DS: Internal Control 0)")
            return
        if self._running:
            self.misuse("a command while it measures")
            return
        if value & (_SET | _RESET):
            if "coil" not in self.faults:
                self._polarity = 1 if value & _SET else -1
            self._coil_us = t_us
        elif value & (_FIELD | _TEMPERATURE):
            if t_us < self._coil_us + _COIL_US:
                self.misuse("measures within 1 ms of SET or RESET")
            what = value & (_FIELD | _TEMPERATURE)
            self._done &= ~_DONE[what]
            self._running = (what, t_us + _MEASURE_US[self._bandwidth])

    def _settle(self, t_us: int) -> None:
        if self._running is None or t_us < self._running[1] or "frozen" in self.faults:
            return
        what, end_us = self._running
        self._running = None
        self._done |= _DONE[what]
        if what == _TEMPERATURE:
            celsius = self._environment.temperature_c(end_us)
            self._degrees = max(0, min(255, round((celsius + 75.0) / 0.8)))
        else:
            self._take(end_us)

    def _take(self, t_us: int) -> None:
        for axis, field_ut in enumerate(self._environment.field_ut(t_us)):
            if "saturated" in self.faults:
                field_ut = 4_000.0  # noqa: PLW2901
            seen_ut = self._polarity * field_ut + self.offset_ut[axis]
            seen_ut += self._chance.gauss(0.0, _NOISE_UT)
            digits = max(0, min(0xFFFFF, round(seen_ut / _UT_PER_DIGIT) + (1 << 19)))
            self._output[2 * axis] = digits >> 12
            self._output[2 * axis + 1] = digits >> 4 & 0xFF
            self._output[6 + axis] = (digits & 0x0F) << 4

    def peek(self, register: int, n: int, t_us: int) -> bytes:
        self._settle(t_us)
        return bytes(self._get(register + i, t_us) for i in range(n))

    def _get(self, register: int, t_us: int) -> int:
        if register <= 8:
            if self._running and self._running[0] == _FIELD and register == 0:
                self.misuse("output read while it measures")
            return self._output[register]
        if register == 0x09:
            return self._degrees
        if register == 0x18:
            loaded = t_us >= self._ready_us and "not loaded" not in self.faults
            return self._done | (0x10 if loaded else 0)
        if register == 0x39:
            return 0x30 if "wrong id" in self.faults else PRODUCT_ID
        return 0
