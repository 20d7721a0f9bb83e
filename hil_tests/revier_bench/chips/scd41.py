# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SCD41 on I2C: CO2 by periodic measuring or single shots, sleep, settings.

DS = SCD4x datasheet version 1.4: table 9 commands; 3.10.4 the wake-up is never acknowledged; the
first reading after it is wrong. Faults by name: those of sensirion_words.py, "frozen" (values
never change), "self-test" (it fails).
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import AirEnvironment
from revier_bench.chips.sensirion_words import WordChip

PERIODIC, LOW_POWER, READ, READY, STOP = 0x21B1, 0x21AC, 0xEC05, 0xE4B8, 0x3F86
SINGLE_SHOT, SINGLE_SHOT_RHT, POWER_DOWN, WAKE = 0x219D, 0x2196, 0x36E0, 0x36F6
PRESSURE, SERIAL, VARIANT = 0xE000, 0x3682, 0x202F
PERSIST, SELF_TEST, RECALIBRATE = 0x3615, 0x3639, 0x362F
FACTORY_RESET, REINITIALISE = 0x3632, 0x3646
PERIOD_US = {PERIODIC: 5_000_000, LOW_POWER: 30_000_000}
WAIT_US = {
    STOP: 500_000, SINGLE_SHOT: 5_000_000, SINGLE_SHOT_RHT: 50_000, PERSIST: 800_000,
    SELF_TEST: 10_000_000, RECALIBRATE: 400_000, FACTORY_RESET: 1_200_000, REINITIALISE: 30_000,
    PERIODIC: 0, LOW_POWER: 0,
}  # fmt: skip
WAIT_USUAL_US = 1_000
WAKE_US = 30_000
DEFAULTS = {
    0x2318: 1498, 0x2322: 0, PRESSURE: 1013, 0x2313: 1, 0x233F: 400, 0x2340: 44, 0x234B: 156,
    VARIANT: 0x1441,
}  # fmt: skip
WRITES = {0x241D: 0x2318, 0x2427: 0x2322, 0x2416: 0x2313, 0x243A: 0x233F, 0x2445: 0x2340,
          0x244E: 0x234B}  # fmt: skip
SERIAL_NUMBER = bytes.fromhex("73b1eb073b0c")
_WHILE_MEASURING = (READ, READY, STOP, PRESSURE)
_RECALIBRATE_AFTER_US = 180_000_000


class Scd41(WordChip):
    name = "scd41"

    def __init__(self, host: ChipHost, environment: AirEnvironment, chance: Random) -> None:
        super().__init__(host, chance)
        self._environment = environment
        self._kept = dict(DEFAULTS)
        self.writes = 0
        """of the EEPROM, which takes 2,000"""
        self.restart(0)

    def restart(self, t_us: int) -> None:
        self.settings = dict(self._kept)
        self._asleep = False
        self._fresh(t_us)

    def _fresh(self, t_us: int) -> None:
        """As after power-on or waking: nothing measured, the next reading is a bad one."""
        self._mode: int | None = None
        self._since_us = self._measuring_us = t_us
        self._taken = 0
        self._first = True
        self._shot: tuple[int, bytes] | None = None
        self._frozen: bytes | None = None
        self._correction = 0

    def asleep(self) -> bool:
        return self._asleep

    def wake(self, code: int, t_us: int) -> bool:
        if code == WAKE and self.hears("deaf"):
            self._asleep = False
            self._fresh(t_us)
            self.busy(t_us, WAKE_US)
        return False

    @property
    def measuring(self) -> bool:
        return self._mode is not None

    def execute(self, code: int, words: tuple[int, ...], t_us: int) -> bool:
        if code == WAKE:  # awake: not acknowledged either
            return False
        if self.measuring and code not in _WHILE_MEASURING:
            return False
        if code == PRESSURE or code in WRITES or code in self.settings:
            if not self._setting(code, words):
                return False
        elif code in PERIOD_US:
            self._mode, self._since_us, self._taken = code, t_us, 0
            self._measuring_us = t_us
        elif code in (READ, READY, SERIAL):
            self.say(code)
        elif not self._act(code, words, t_us):
            self.note(f"unknown command 0x{code:04X}")
            return False
        self.busy(t_us, WAIT_US.get(code, WAIT_USUAL_US))
        return True

    def _setting(self, code: int, words: tuple[int, ...]) -> bool:
        target = WRITES.get(code, code)
        if not words:
            return code in self.settings and self.say(code)
        if len(words) != 1 or (code not in WRITES and code != PRESSURE):
            self.note(f"0x{code:04X} takes no {len(words)} words")
            return False
        self.settings[target] = words[0]
        return True

    def _act(self, code: int, words: tuple[int, ...], t_us: int) -> bool:
        if code == STOP:
            self._mode = None
        elif code == POWER_DOWN:
            self._asleep = True
        elif code == SINGLE_SHOT:
            done_us = t_us + WAIT_US[SINGLE_SHOT]
            self._shot = (done_us, self._measure(done_us))
        elif code == SINGLE_SHOT_RHT:
            done_us = t_us + WAIT_US[SINGLE_SHOT_RHT]
            self._shot = (done_us, b"\0\0" + self._measure(done_us)[2:])
        elif code == PERSIST:
            self._kept = dict(self.settings)
            self.writes += 1
        elif code == RECALIBRATE and len(words) == 1:
            self._recalibrate(words[0], t_us)
        elif code == SELF_TEST:
            self.say(code)
        elif code in (FACTORY_RESET, REINITIALISE):
            self._kept = dict(DEFAULTS) if code == FACTORY_RESET else self._kept
            self.restart(t_us)
        else:
            return False
        return True

    def _recalibrate(self, target_ppm: int, t_us: int) -> None:
        """DS 3.7.1: after three minutes of measuring in the mode of later use."""
        measured_us = self._since_us - self._measuring_us
        lasted_us = max(measured_us, t_us - self._measuring_us)
        if self._first or lasted_us < _RECALIBRATE_AFTER_US:
            self._correction = 0xFFFF
        else:
            self._correction = 0x8000 + target_ppm - round(self._environment.co2_ppm(t_us))
        self.say(RECALIBRATE)

    def answer(self, code: int, t_us: int) -> bytes | None:
        if code == READY:
            return (0x8006 if self._is_new(t_us) else 0x8000).to_bytes(2, "big")
        if code == READ:
            return self._take(t_us)
        if code == SERIAL:
            return SERIAL_NUMBER
        if code == SELF_TEST:
            return b"\0\x04" if "self-test" in self.faults else b"\0\0"
        if code == RECALIBRATE:
            return self._correction.to_bytes(2, "big")
        return self.settings[code].to_bytes(2, "big")

    # -- measuring --

    def _is_new(self, t_us: int) -> bool:
        if self._mode is not None:
            return (t_us - self._since_us) // PERIOD_US[self._mode] > self._taken
        return self._shot is not None and t_us >= self._shot[0]

    def _take(self, t_us: int) -> bytes | None:
        """The buffer is emptied by reading; without data the read is refused (DS 3.5.2)."""
        if not self._is_new(t_us):
            return None
        if self._mode is not None:
            self._taken = (t_us - self._since_us) // PERIOD_US[self._mode]
            return self._measure(t_us)
        assert self._shot is not None
        data, self._shot = self._shot[1], None
        return data

    def _measure(self, t_us: int) -> bytes:
        if self._frozen is not None and "frozen" in self.faults:
            return self._frozen
        env, noise = self._environment, self.chance.gauss
        # it corrects for the pressure that it was told; the density follows the real one
        co2 = env.co2_ppm(t_us) * env.pressure_pa(t_us) / 100 / self.settings[PRESSURE]
        co2 += noise(0.0, 10.0)
        if self._first:
            co2 = self.chance.choice((0.35, 2.5)) * co2
            self._first = False
        temperature = env.temperature_c(t_us) + noise(0.0, 0.02)
        humidity = min(100.0, max(0.0, env.humidity_pct(t_us) + noise(0.0, 0.1)))
        self._frozen = struct.pack(
            ">3H",
            min(40_000, max(1, round(co2))),
            round((temperature + 45) / 175 * 65535),
            round(humidity / 100 * 65535),
        )
        return self._frozen
