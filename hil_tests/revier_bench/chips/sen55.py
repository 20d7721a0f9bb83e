# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SEN55 on I2C: particles, humidity, temperature, VOC and NOx index.

DS = SEN5x datasheet version 2: table 12 commands, 5.4 status (error bits stick), 6.1.5 values.
Faults by name: those of sensirion_words.py and particle_counter.py, "rht" and "gas" (their error
bits; their values are unknown).
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import AirEnvironment
from revier_bench.chips.particle_counter import (
    STATUS_CLEANING,
    STATUS_FAN,
    STATUS_LASER,
    ParticleCounter,
)
from revier_bench.chips.sensirion_words import WordChip

START, START_GAS, STOP, READY, READ = 0x0021, 0x0037, 0x0104, 0x0202, 0x03C4
READ_NUMBERS, CLEAN, VOC_STATE, AUTO_CLEAN = 0x0413, 0x5607, 0x6181, 0x8004
NAME, SERIAL, VERSION = 0xD014, 0xD033, 0xD100
STATUS, CLEAR_STATUS, RESET = 0xD206, 0xD210, 0xD304
WAIT_US = {START: 50_000, START_GAS: 50_000, STOP: 200_000, RESET: 100_000}
WAIT_USUAL_US = 20_000
STATUS_RHT, STATUS_GAS = 1 << 6, 1 << 7
NOX_AFTER_US = 10_500_000  # unknown for the first 10 to 11 s
UNKNOWN_PM, UNKNOWN = 0xFFFF, 0x7FFF
_READS = (READY, READ, READ_NUMBERS, VOC_STATE, AUTO_CLEAN, NAME, SERIAL, VERSION)


class Sen55(WordChip):
    name = "sen55"
    power_up_us = 50_000

    def __init__(self, host: ChipHost, environment: AirEnvironment, chance: Random) -> None:
        super().__init__(host, chance)
        self._environment = environment
        self.counter = ParticleCounter(environment, chance, self.faults, STATUS_FAN | STATUS_LASER)
        self._gas_us: int | None = None
        self._with_pm = False
        self._stuck = self._told = 0
        self._voc_state = bytes(8)
        self._interval_s = 604_800

    def restart(self, t_us: int) -> None:  # noqa: ARG002
        self.counter.reset()
        self._gas_us = None
        self._stuck = 0
        self._voc_state = bytes(8)

    @property
    def measuring(self) -> bool:
        return self._gas_us is not None

    def execute(self, code: int, words: tuple[int, ...], t_us: int) -> bool:
        if code in (READY, READ, READ_NUMBERS, CLEAN) and not self.measuring:
            return False
        if code in (START, START_GAS):
            self._start(code == START, t_us)
        elif code == STOP:
            self.counter.stop(t_us)
            self._gas_us = None
        elif code == CLEAN:
            self.counter.clean(t_us)
        elif code == RESET:
            self.restart(t_us)
        elif code in (STATUS, CLEAR_STATUS):
            self._told = self._status(t_us)
            if code == CLEAR_STATUS:
                self._stuck = 0
                self.counter.clear_status()
            self.say(STATUS)
        elif code == VOC_STATE and words:
            if self.measuring:
                self.note("VOC state written while it measures (DS 6.1.11)")
            self._voc_state = struct.pack(">4H", *words)
        elif code in _READS:
            self.say(code)
        else:
            self.note(f"unknown command 0x{code:04X}")
            return False
        self.busy(t_us, WAIT_US.get(code, WAIT_USUAL_US))
        return True

    def _start(self, with_pm: bool, t_us: int) -> None:
        if not self.measuring:
            self._gas_us = t_us
        self._with_pm = with_pm
        self.counter.start(t_us)  # without particles its second goes on, the fan does not

    def _status(self, t_us: int) -> int:
        now = self.counter.status(t_us) if self._with_pm else 0
        if self.measuring and "rht" in self.faults:
            self._stuck |= STATUS_RHT
        if self.measuring and "gas" in self.faults:
            self._stuck |= STATUS_GAS
        cleaning = STATUS_CLEANING if self.counter.cleaning(t_us) else 0
        return now | self._stuck | cleaning

    def answer(self, code: int, t_us: int) -> bytes | None:
        if code == READY:
            return bytes((0, 1 if self.counter.is_new(t_us) else 0))
        if code == READ:
            return self._reading(t_us)
        if code == READ_NUMBERS:
            values = self.counter.read(t_us) if self._with_pm else None
            if values is None:
                return b"\xff\xff" * 10
            ticks = [round(value * 10) for value in values[:9]] + [round(values[9] * 1000)]
            return struct.pack(">10H", *(min(tick, 0xFFFE) for tick in ticks))
        if code == STATUS:
            return self._told.to_bytes(4, "big")
        if code == VOC_STATE:
            return self._voc_state
        if code == AUTO_CLEAN:
            return self._interval_s.to_bytes(4, "big")
        if code == VERSION:
            return b"\x02\x00"
        return (b"SEN55" if code == NAME else b"0123456789ABCDEF").ljust(32, b"\0")

    def _reading(self, t_us: int) -> bytes:
        values = self.counter.read(t_us)
        if values is None or self._gas_us is None:
            return struct.pack(">8H", *[UNKNOWN_PM] * 4, *[UNKNOWN] * 4)
        masses = [min(round(value * 10), 0xFFFE) for value in values[:4]]
        if not self._with_pm:
            masses = [UNKNOWN_PM] * 4
        env = self._environment
        noise = 0.0 if "frozen" in self.faults else self.chance.gauss(0.0, 1.0)
        climate = [
            round(env.humidity_pct(t_us) * 100 + 3 * noise),
            round(env.temperature_c(t_us) * 200 + 2 * noise),
        ]
        if "rht" in self.faults:
            climate = [UNKNOWN, UNKNOWN]
        indices = [round(env.voc_index(t_us) * 10), round(env.nox_index(t_us) * 10)]
        if t_us - self._gas_us < NOX_AFTER_US:
            indices[1] = UNKNOWN
        if "gas" in self.faults:
            indices = [UNKNOWN, UNKNOWN]
        return struct.pack(">4H4h", *masses, *climate, *indices)
