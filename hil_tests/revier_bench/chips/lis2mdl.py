# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ST LIS2MDL on I2C: field samples, offset registers, threshold interrupt that wakes the node.

DS = LIS2MDL datasheet rev. 6: table 24 registers, 8.1 to 8.14. The chip samples at 10 to 100 Hz;
the model looks at the samples that are read, and for the interrupt at those after each change
of the environment. Faults by name: "silent", "frozen" (no new sample), "wrong id", "saturated"
(the field of a magnet).
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import FieldEnvironment

WHO_AM_I = 0x40
UT_PER_DIGIT = 0.15
_ODR_HZ = (10, 20, 50, 100)
_TURN_ON_US = 9_400  # DS table 3, low power 10 Hz
_WATCH_US = 500_000  # while a vehicle moves
_WATCH_COUNT = 12
_RESET = {0x4F: WHO_AM_I, 0x60: 0x03, 0x61: 0, 0x62: 0, 0x63: 0xE0, 0x65: 0, 0x66: 0}
_WRITABLE = {*range(0x45, 0x4B), 0x60, 0x61, 0x62, 0x63, 0x65, 0x66}


class Lis2mdl:
    def __init__(
        self, host: ChipHost, environment: FieldEnvironment, chance: Random, interrupt_pin: int
    ) -> None:
        self.host = host
        self.faults: set[str] = set()
        self._environment = environment
        self._chance = chance
        self._pin = interrupt_pin
        self._on = False
        self._pointer = 0
        self._watch = 0
        self._generation = 0
        self._reset()

    def power(self, on: bool, t_us: int) -> None:  # noqa: ARG002
        self._on = on
        self._reset()

    def _reset(self) -> None:
        self._registers = dict(_RESET)
        self._begun_us: int | None = None
        self._single = False
        self._read_sample = -1
        self._source = 0
        self._latched = False
        self._generation += 1
        self.host.drive(self._pin, False)

    # -- I2C --

    def write(self, data: bytes, t_us: int) -> bool:
        if not self._on or "silent" in self.faults:
            return False
        if data:
            self._pointer = data[0] & 0x7F
            for i, value in enumerate(data[1:]):
                self._set(self._pointer + i, value, t_us)
        return True

    def read(self, n: int, t_us: int) -> bytes | None:
        if not self._on or "silent" in self.faults:
            return None
        first = self._pointer
        output = self._output(t_us) if first <= 0x6D and first + n > 0x68 else b""
        return bytes(self._get(first + i, t_us, output) for i in range(n))

    def _set(self, register: int, value: int, t_us: int) -> None:
        if register not in _WRITABLE:
            self.host.note_misuse(f"lis2mdl: write to register 0x{register:02X}")
            return
        if register == 0x60 and value & 0x20:
            self._reset()
            return
        self._registers[register] = value
        if register == 0x60:
            self._single = value & 3 == 1
            self._begun_us = None if value & 3 >= 2 else t_us + _TURN_ON_US
            self._read_sample = -1
        if register in (0x60, 0x61, 0x62, 0x63):
            self._arm(t_us)

    def _get(self, register: int, t_us: int, output: bytes) -> int:
        if 0x68 <= register <= 0x6D:
            return output[register - 0x68]
        if register == 0x67:
            return self._status(t_us)
        if register == 0x64:
            return self._take_source(t_us)
        if register in (0x6E, 0x6F):
            digits = round((self._environment.temperature_c(t_us) - 25.0) * 8)
            return struct.pack("<h", digits)[register - 0x6E]
        if register == 0x4F and "wrong id" in self.faults:
            return 0x3D
        return self._registers.get(register, 0)

    # -- samples --

    @property
    def _period_us(self) -> int:
        return 1_000_000 // _ODR_HZ[self._registers[0x60] >> 2 & 3]

    def _sample(self, t_us: int) -> int:
        """Number of the newest sample, -1 if there is none."""
        if self._begun_us is None or t_us < self._begun_us or "frozen" in self.faults:
            return -1
        return 0 if self._single else (t_us - self._begun_us) // self._period_us

    def _status(self, t_us: int) -> int:
        new = self._sample(t_us) - self._read_sample
        return (0x0F if new > 0 else 0) | (0xF0 if new > 1 and self._read_sample >= 0 else 0)

    def _output(self, t_us: int) -> bytes:
        if not self._registers[0x62] & 0x10:
            self.host.note_misuse("lis2mdl: output read without BDU: a sample may be torn (DS 8.7)")
        self._read_sample = self._sample(t_us)
        return struct.pack("<3h", *self._digits(self._read_sample, corrected=True))

    def _digits(self, sample: int, corrected: bool) -> list[int]:
        if sample < 0:
            return [0, 0, 0]
        assert self._begun_us is not None
        field = self._environment.field_ut(self._begun_us + sample * self._period_us)
        if "saturated" in self.faults:
            field = (6_000.0, field[1], field[2])
        offsets = (0, 0, 0)
        if corrected:
            offsets = struct.unpack(
                "<3h", bytes(self._registers.get(0x45 + i, 0) for i in range(6))
            )
        values = (round(f / UT_PER_DIGIT) - o for f, o in zip(field, offsets, strict=True))
        return [max(-32_768, min(32_767, value)) for value in values]

    # -- interrupt --

    def _arm(self, t_us: int) -> None:
        """Look at the next sample, then at those after each change."""
        self._generation += 1
        if not self._registers[0x63] & 1 or self._begun_us is None:
            self._latched = False
            self._show()
            return
        self._look_later(t_us + self._period_us)

    def _look_later(self, t_us: int) -> None:
        generation = self._generation
        self.host.at(t_us, lambda: self._look(generation))

    def _look(self, generation: int) -> None:
        if generation != self._generation or not self._on:
            return
        t_us = self.host.now_us
        self._compare(t_us)
        if self._watch > 0:
            self._watch -= 1
            self._look_later(t_us + _WATCH_US)
            return
        change_us = self._environment.next_change_us(t_us)
        if change_us is not None:
            self._watch = _WATCH_COUNT
            self._look_later(max(change_us, t_us) + self._period_us)

    def _compare(self, t_us: int) -> None:
        registers = self._registers
        digits = self._digits(self._sample(t_us), corrected=bool(registers[0x61] & 0x08))
        threshold = registers[0x65] | registers[0x66] << 8
        bits = 0
        for axis, value in enumerate(digits):
            if not registers[0x63] >> (7 - axis) & 1:
                continue
            if value > threshold:
                bits |= 0x80 >> axis
            elif value < -threshold:
                bits |= 0x10 >> axis
        self._source = bits | (1 if bits else 0)
        self._latched = bool(bits) or (self._latched and bool(registers[0x63] & 2))
        self._show()

    def _take_source(self, t_us: int) -> int:
        """DS 8.9: reading clears a latched interrupt; the next sample may raise it again."""
        if not self._registers[0x63] & 1:
            return 0
        source, self._source = self._source, 0
        self._latched = False
        self._show()
        self._arm(t_us)
        return source

    def _show(self) -> None:
        active_high = bool(self._registers[0x63] & 4)
        on_pin = bool(self._registers[0x62] & 0x40)
        level = on_pin and self._latched == active_high and bool(self._registers[0x63] & 1)
        self.host.drive(self._pin, level)
