# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ST LIS3DH on I2C: acceleration, two interrupt generators (6D position, threshold), INT1.

DS = LIS3DH datasheet rev. 2: 8.6 to 8.32 registers, table 4, table 11. The model looks at samples
that are read, and for the interrupts at every sample for some seconds after each change of the
environment. Faults by name: "silent", "frozen" (no new sample), "wrong id", "saturated".
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import MotionEnvironment
from revier_bench.chips.register_chip import RegisterChip

WHO_AM_I = 0x33
_ODR_HZ = (0, 1, 10, 25, 50, 100, 200, 400)
_BOOT_US = 5_000  # DS 5.1
_TURN_ON_SAMPLES = 7  # high resolution (DS table 11); 1 in low power
_MG_PER_DIGIT = (1, 2, 4, 12)
_MG_PER_THRESHOLD = (16, 32, 62, 186)
_WATCH_SAMPLES = 40
_NOISE_MG = 2.0
_WRITABLE = (0x1F, *range(0x20, 0x27), 0x30, 0x32, 0x33, 0x34, 0x36, 0x37)
_RESET = dict.fromkeys(_WRITABLE, 0)
_RESET[0x20] = 0x07
_SIDE_BITS = ((0x01, 0x02), (0x04, 0x08), (0x10, 0x20))


class Lis3dh(RegisterChip):
    name = "lis3dh"

    def __init__(
        self, host: ChipHost, environment: MotionEnvironment, chance: Random, interrupt_pin: int
    ) -> None:
        super().__init__(host)
        self._environment = environment
        self._chance = chance
        self._pin = interrupt_pin
        self._generation = 0
        self.reset(0)

    def reset(self, t_us: int) -> None:
        self.ready_us = t_us + _BOOT_US
        self._registers: dict[int, int] = dict(_RESET)
        self._begun_us = t_us
        self._read_sample = -1
        self._reference = (0.0, 0.0, 0.0)
        self._runs = [0, 0]
        self._sources = [0, 0]
        self._increment = False
        self._stop_watching()
        self.host.drive(self._pin, False)

    # -- I2C --

    def start_register(self, address: int) -> int:
        self._increment = bool(address & 0x80)
        return address & 0x7F

    def written(self, register: int, n: int) -> None:
        if n > 1 and not self._increment:
            self.misuse(f"0x{register:02X} and on written without the increment bit (DS 6.1.1)")

    def poke(self, register: int, value: int, t_us: int) -> None:
        if register not in _RESET:
            self.misuse(f"write to register 0x{register:02X}")
            return
        self._registers[register] = value
        if register in (0x20, 0x23):
            self._begun_us, self._read_sample = t_us, -1
            if self._registers[0x20] & 8 and self._registers[0x23] & 8:
                self.misuse("LPen and HR at once (DS table 10)")
        if register == 0x24 and value & 0x80:
            self.reset(t_us)
        if register >= 0x20:
            self._watch(t_us)

    def peek(self, register: int, n: int, t_us: int) -> bytes:
        if n > 1 and not self._increment:
            self.misuse("several bytes read without the increment bit (DS 6.1.1)")
            return bytes([self._get(register, t_us, b"")] * n)
        output = self._output(t_us) if register <= 0x2D and register + n > 0x28 else b""
        return bytes(self._get(register + i, t_us, output) for i in range(n))

    def _get(self, register: int, t_us: int, output: bytes) -> int:
        if 0x28 <= register <= 0x2D:
            return output[register - 0x28] if output else 0
        if register == 0x0F:
            return 0x32 if "wrong id" in self.faults else WHO_AM_I
        if register == 0x07:
            on = self._registers[0x1F] == 0xC0 and self._registers[0x23] & 0x80
            return 0x04 if on and self._sample(t_us) >= 0 else 0
        if register in (0x0C, 0x0D):
            degrees = round(self._environment.temperature_c(t_us) - 25.0)
            return struct.pack("<h", degrees * 256)[register - 0x0C]
        if register == 0x27:
            new = self._sample(t_us) - self._read_sample
            return (0x0F if new > 0 else 0) | (0xF0 if new > 1 and self._read_sample >= 0 else 0)
        if register in (0x31, 0x35):
            return self._take_source((register - 0x31) // 4, t_us)
        if register == 0x26:  # DS 8.13
            self._reference = self._environment.acceleration_mg(t_us)
        return self._registers.get(register, 0)

    # -- samples --

    @property
    def _period_us(self) -> int:
        hertz = _ODR_HZ[min(7, self._registers[0x20] >> 4)]
        return 1_000_000 // hertz if hertz else 0

    def _sample(self, t_us: int) -> int:
        """Number of the newest good sample, -1 if there is none."""
        if not self._period_us or "frozen" in self.faults:
            return -1
        first = 1 if self._registers[0x20] & 8 else _TURN_ON_SAMPLES
        return (t_us - self._begun_us) // self._period_us - first

    def _output(self, t_us: int) -> bytes:
        if not self._registers[0x23] & 0x80:
            self.misuse("output read without BDU: a sample may be torn (DS 8.11)")
        self._read_sample = self._sample(t_us)
        if self._read_sample < 0:
            return bytes(6)
        scale = self._registers[0x23] >> 4 & 3
        coarse = bool(self._registers[0x20] & 8)
        values = []
        for mg in self._environment.acceleration_mg(t_us):
            seen_mg = 9_999.0 if "saturated" in self.faults else mg
            seen_mg += self._chance.gauss(0.0, _NOISE_MG)
            digits = max(-2_048, min(2_047, round(seen_mg / _MG_PER_DIGIT[scale])))
            values.append((digits >> 4 << 8) if coarse else digits << 4)
        return struct.pack("<3h", *values)

    # -- interrupts --

    def _stop_watching(self) -> None:
        self._generation += 1
        self._left = 0

    def _watch(self, t_us: int) -> None:
        self._stop_watching()
        self._left = _WATCH_SAMPLES
        if self._period_us and (self._registers[0x30] or self._registers[0x34]):
            self._later(t_us + self._period_us)
        else:
            self._show()

    def _later(self, t_us: int) -> None:
        generation = self._generation
        self.host.at(t_us, lambda: self._look(generation))

    def _look(self, generation: int) -> None:
        if generation != self._generation or not self.on:
            return
        t_us = self.host.now_us
        if "frozen" not in self.faults:
            self._compare(t_us)
        if self._left > 0:
            self._left -= 1
            self._later(t_us + self._period_us)
            return
        change_us = self._environment.next_motion_us(t_us)
        if change_us is not None:
            self._left = _WATCH_SAMPLES
            self._later(max(change_us, t_us) + self._period_us)

    def _compare(self, t_us: int) -> None:
        acceleration = self._environment.acceleration_mg(t_us)
        for number, base in enumerate((0x30, 0x34)):
            felt = acceleration
            if self._registers[0x21] >> number & 1:  # high-pass on this generator
                a, r = acceleration, self._reference
                felt = (a[0] - r[0], a[1] - r[1], a[2] - r[2])
            bits = self._meets(base, felt)
            self._runs[number] = self._runs[number] + 1 if bits else 0
            active = self._runs[number] > self._registers[base + 3]
            latched = self._registers[0x24] >> (3 - 2 * number) & 1
            if active:
                self._sources[number] = 0x40 | bits
            elif not latched:
                self._sources[number] = bits
        self._show()

    def _meets(self, base: int, felt: tuple[float, ...]) -> int:
        """The axis bits that make up the condition of INTn_CFG, 0 if it is not met."""
        config = self._registers[base]
        threshold_mg = self._registers[base + 2] * _MG_PER_THRESHOLD[self._registers[0x23] >> 4 & 3]
        bits = 0
        for (low, high), mg in zip(_SIDE_BITS, felt, strict=True):
            six = config & 0x40
            if mg > threshold_mg or (not six and abs(mg) > threshold_mg):
                bits |= high
            elif mg < -threshold_mg if six else True:
                bits |= low
        met = bits & config & 0x3F
        if config & 0xC0 == 0x80:  # AND
            return met if met == config & 0x3F else 0
        return met

    def _take_source(self, number: int, t_us: int) -> int:
        """DS 8.23: reading clears a latched interrupt; the next sample may raise it again."""
        source, self._sources[number] = self._sources[number], 0
        self._runs[number] = 0
        self._show()
        self._watch(t_us)
        return source

    def _show(self) -> None:
        routed = self._registers[0x22]
        level = any(
            routed >> bit & 1 and source & 0x40
            for bit, source in zip((6, 5), self._sources, strict=True)
        )
        active_low = bool(self._registers[0x25] & 2)
        self.host.drive(self._pin, level != active_low)
