# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The optical counter inside Sensirion's PM sensors: its second, fan, laser, cleaning, values.

DS = SPS30 datasheet version 2.0: 4.2 cleaning, 4.3 values, 4.4 status (SEN5x version 2: 5.2, 5.4).
Faults by name: "fan" (stuck: the values stand still), "laser" (no light: zero), "frozen" (the
values never change), "cleaning" (the fan cleans itself as soon as it is started).
"""

from random import Random

from revier_bench.chips.environments import ParticleEnvironment

PERIOD_US = 1_000_000
SETTLE_US = 8_000_000  # DS table 1: 8 s at high, 30 s at the lowest concentrations
CLEANING_US = 10_000_000
STATUS_FAN_SPEED, STATUS_CLEANING, STATUS_LASER, STATUS_FAN = 1 << 21, 1 << 19, 1 << 5, 1 << 4
_FAN_SEEN_US = 2_000_000  # twice in succession at one check a second
_SPEED_SEEN_US = 5_000_000  # not in the first 3 s

Values = tuple[float, ...]
"""PM1, PM2.5, PM4, PM10 in ug/m3; particles to 0.5, 1, 2.5, 4, 10 um in 1/cm3; typical size, um"""


class ParticleCounter:
    def __init__(
        self,
        environment: ParticleEnvironment,
        chance: Random,
        faults: set[str],
        sticky: int = STATUS_FAN,
    ) -> None:
        self._environment = environment
        self._chance = chance
        self._faults = faults
        self._sticky_bits = sticky
        self.reset()

    def reset(self) -> None:
        self.running = False
        self._stuck_bits = 0
        self._started_us = 0
        self._cleaning_until_us = 0
        self._answered = 0
        self._frozen: Values | None = None

    def start(self, t_us: int) -> None:
        self.running = True
        self._started_us = t_us
        self._answered = 0
        if "cleaning" in self._faults:
            self.clean(t_us)

    def stop(self, t_us: int) -> None:
        self.status(t_us)
        self.running = False
        self._cleaning_until_us = 0

    def clean(self, t_us: int) -> None:
        self._cleaning_until_us = t_us + CLEANING_US

    def clear_status(self) -> None:
        self._stuck_bits = 0

    def cleaning(self, t_us: int) -> bool:
        return self.running and t_us < self._cleaning_until_us

    def is_new(self, t_us: int) -> bool:
        return self._second(t_us) > self._answered

    def read(self, t_us: int) -> Values | None:
        """The newest values, None before the first."""
        self._answered = self._second(t_us)
        return self._values(t_us) if t_us - self._started_us >= PERIOD_US else None

    def status(self, t_us: int) -> int:
        """The register's bits; those in `sticky` stay until they are cleared."""
        bits = 0
        ran_us = t_us - self._started_us if self.running else 0
        if "fan" in self._faults and ran_us >= _FAN_SEEN_US:
            bits |= STATUS_FAN
            if ran_us >= _SPEED_SEEN_US and not self.cleaning(t_us):
                bits |= STATUS_FAN_SPEED
        if "laser" in self._faults and ran_us >= _FAN_SEEN_US:
            bits |= STATUS_LASER
        self._stuck_bits |= bits & self._sticky_bits
        return bits | self._stuck_bits

    def _second(self, t_us: int) -> int:
        """Number of the newest value; none comes while the fan cleans itself."""
        if not self.running:
            return self._answered
        if self.cleaning(t_us):
            return self._answered
        return (t_us - self._started_us) // PERIOD_US

    def _values(self, t_us: int) -> Values:
        """Masses of the air with 3 % + 0.3 of noise, less while the fan runs up; counts follow."""
        if self._frozen is not None and self._faults & {"frozen", "fan"}:
            return self._frozen
        share = min(1.0, (t_us - self._started_us) / SETTLE_US)
        if "laser" in self._faults:
            return (0.0,) * 10
        masses = [
            max(0.0, share * m * self._chance.gauss(1.0, 0.03) + self._chance.gauss(0.0, 0.15))
            for m in self._environment.pm_ug_m3(t_us)
        ]
        for i in range(1, 4):
            masses[i] = max(masses[i], masses[i - 1])
        counts = [masses[0] * 6.6, *(m * 7.7 for m in masses)]
        counts = [max(counts[: i + 1]) for i in range(5)]
        self._frozen = (*masses, *counts, 0.6)
        return self._frozen
