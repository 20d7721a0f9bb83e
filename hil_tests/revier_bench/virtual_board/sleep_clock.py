# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The ESP32's RC oscillator that times sleep: off by up to 5 %, drifting with temperature."""

import math
from random import Random

from revier_bench.virtual_board.spec import BoardSpec

_DAY_US = 86_400_000_000
_DEEP_MAX_PPM = 50_000
_LIGHT_MAX_PPM = 1_000
TICKS_PERIOD = 1 << 30


class SleepClock:
    def __init__(self, spec: BoardSpec) -> None:
        chance = spec.chance("sleep clock")
        drift = spec.sleep_clock_drift_ppm
        drawn = chance.randint(-_DEEP_MAX_PPM + drift, _DEEP_MAX_PPM - drift)
        self._deep = drawn if spec.sleep_clock_error_ppm is None else spec.sleep_clock_error_ppm
        light_max = _LIGHT_MAX_PPM - spec.light_sleep_jitter_ppm
        drawn = chance.randint(-light_max, light_max)
        self._light = drawn if spec.light_sleep_error_ppm is None else spec.light_sleep_error_ppm
        self._drift = drift
        self._phase = chance.random() * 2 * math.pi
        self._jitter = spec.chance("light sleep")
        self._jitter_ppm = spec.light_sleep_jitter_ppm if self._light else 0
        self._wake = spec.chance("light sleep's end")
        self._near_wrap = spec.ticks_near_wrap
        self._first_near = spec.chance("ticks").random() < 0.5

    def error_ppm(self, now_us: int) -> int:
        """Deep sleep takes this much longer than asked."""
        angle = 2 * math.pi * now_us / _DAY_US + self._phase
        return self._deep + round(self._drift * math.sin(angle))

    def true_us(self, asked_us: int, now_us: int) -> int:
        return asked_us + asked_us * self.error_ppm(now_us) // 1_000_000

    def believed_us(self, true_us: int, now_us: int) -> int:
        """What the node's RTC counts while `true_us` pass in deep sleep."""
        return true_us * 1_000_000 // (1_000_000 + self.error_ppm(now_us))

    def light_ppm(self) -> int:
        return self._light + self._jitter.randint(-self._jitter_ppm, self._jitter_ppm)

    def wake_us(self, most_us: int) -> int:
        """A light sleep ends so much later than its clock says: the oscillator, the flash."""
        return self._wake.randint(0, most_us) if most_us else 0

    def ticks_at_boot(self, boot: int, chance: Random, boot_us: int) -> int:
        """ticks_us() when boot.py starts: just booted, or seconds before both ticks wrap."""
        near = self._near_wrap
        if near is None:
            near = bool(boot % 2) == self._first_near
        if not near:
            return boot_us
        return 1000 * TICKS_PERIOD - chance.randint(1_000_000, 6_000_000)
