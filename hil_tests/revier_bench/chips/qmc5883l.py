# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""QST QMC5883L on I2C: samples at 10 to 200 Hz, held while they are read.

DS = QMC5883L datasheet 1.0: table 13 registers, 9.2.1 output, 9.2.2 status, 9.2.4 control.
Faults by name: "silent", "frozen" (no new sample), "wrong id", "saturated" (overflow bit).
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import FieldEnvironment
from revier_bench.chips.register_chip import RegisterChip

CHIP_ID = 0xFF
_ODR_HZ = (10, 50, 100, 200)
_DIGITS_PER_UT = (120.0, 30.0)
_RANGE_UT = (200.0, 800.0)
_NEW, _OVERFLOW, _SKIPPED = 1, 2, 4
_POWER_ON_US = 350  # DS table 9
_NOISE_UT = 0.2  # DS table 2: 2 mG
_WRITABLE = (0x09, 0x0A, 0x0B)


class Qmc5883l(RegisterChip):
    name = "qmc5883l"

    def __init__(self, host: ChipHost, environment: FieldEnvironment, chance: Random) -> None:
        super().__init__(host)
        self._environment = environment
        self._chance = chance
        self.reset(0)

    def reset(self, t_us: int) -> None:
        self.ready_us = t_us + _POWER_ON_US
        self._registers = dict.fromkeys(_WRITABLE, 0)
        self._begun_us: int | None = None
        self._read_sample = -1
        self._held: tuple[int, bytes, int] | None = None  # sample, output, status bits

    def poke(self, register: int, value: int, t_us: int) -> None:
        if register not in _WRITABLE:
            self.misuse(f"write to register 0x{register:02X}")
            return
        if register == 0x0A and value & 0x80:
            self.reset(t_us)
            return
        self._registers[register] = value
        if register != 0x09:
            return
        if value & 1 and self._registers[0x0B] != 1:
            self.misuse("measures without the SET/RESET period of 0x01 (DS 9.2.5)")
        self._begun_us = t_us if value & 3 == 1 else None
        self._read_sample, self._held = -1, None

    def peek(self, register: int, n: int, t_us: int) -> bytes:
        held = self._hold(t_us)
        values = bytes(self._get(register + i, held, t_us) for i in range(n))
        if register <= 5:
            self._read_sample = held[0]
            # DS 9.2.1: the output stays as it is until Z MSB was read
            self._held = None if register + n > 5 else held
        return values

    def _get(self, register: int, held: tuple[int, bytes, int], t_us: int) -> int:
        if register <= 5:
            return held[1][register]
        if register == 0x06:
            return self._status(held)
        if register in (0x07, 0x08):
            digits = round((self._environment.temperature_c(t_us) - 4.0) * 100)
            return struct.pack("<h", digits)[register - 7]
        if register == 0x0D:
            return 0x10 if "wrong id" in self.faults else CHIP_ID
        return self._registers.get(register, 0)

    def _status(self, held: tuple[int, bytes, int]) -> int:
        sample, _, bits = held
        if sample > self._read_sample:
            bits |= _NEW
        if self._read_sample >= 0 and sample > self._read_sample + 1:
            bits |= _SKIPPED
        return bits

    def _sample(self, t_us: int) -> int:
        if self._begun_us is None or "frozen" in self.faults:
            return self._read_sample
        return (t_us - self._begun_us) // self._period_us - 1

    @property
    def _period_us(self) -> int:
        return 1_000_000 // _ODR_HZ[self._registers[0x09] >> 2 & 3]

    def _hold(self, t_us: int) -> tuple[int, bytes, int]:
        if self._held is not None:
            return self._held
        sample = self._sample(t_us)
        if sample < 0 or self._begun_us is None:
            return (sample, bytes(6), 0)
        scale = self._registers[0x09] >> 4 & 1
        taken_us = self._begun_us + (sample + 1) * self._period_us
        field = [
            axis + self._chance.gauss(0.0, _NOISE_UT)
            for axis in self._environment.field_ut(taken_us)
        ]
        if "saturated" in self.faults:
            field[2] = 2_000.0
        over = any(abs(axis) > _RANGE_UT[scale] for axis in field)
        digits = [max(-32_768, min(32_767, round(axis * _DIGITS_PER_UT[scale]))) for axis in field]
        return (sample, struct.pack("<3h", *digits), _OVERFLOW if over else 0)
