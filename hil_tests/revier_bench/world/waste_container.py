# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One waste container: deposits, settling, emptying, and the echoes of an ultrasonic sensor."""

import math
from bisect import bisect_right

from revier_bench.world.calendar_de import HOUR_US, interpolate, local_time
from revier_bench.world.chance import stream
from revier_bench.world.environment import Environment
from revier_bench.world.weather import Weather

DEPOSITS_PER_HOUR = ((0, 0.02), (6, 0.15), (9, 0.45), (13, 0.5), (18, 0.7), (21, 0.25), (24, 0.02))
BAG_SHARE = 0.06  # ESTIMATE: one deposit in sixteen is a bag
SETTLING_PER_HOUR = 0.003
EMPTYING_DAYS = 7
PARTIAL_EMPTYING_SHARE = 0.05
WALL_ECHO_SHARE, NEAR_ECHO_SHARE, NO_ECHO_SHARE = 0.08, 0.05, 0.03  # ESTIMATE
ECHO_NOISE_MM = 10.0
EMPTYING_US = 20_000_000
EMPTYING_DEG = (60.0, 110.0)


class WasteEnvironment(Environment):
    """One container: deposits, settling, emptying, and the echoes of an ultrasonic sensor.

    `empty_mm` and `full_mm` are the distances from the sensor to the floor and to a full load.
    """

    def __init__(
        self,
        seed: str,
        name: str,
        weather: Weather,
        start_unix_us: int,
        empty_mm: int,
        full_mm: int,
    ) -> None:
        super().__init__(seed, name, weather, start_unix_us)
        assert full_mm < empty_mm
        self._empty_mm, self._full_mm = empty_mm, full_mm
        self._random = stream(self._seed, "deposits")
        self._emptying_day = self._random.randrange(EMPTYING_DAYS)
        self._times_us = [0]
        self._fills = [self._random.uniform(0.05, 0.7)]
        self._hours = 0
        self._motions: list[tuple[int, tuple[float, float, float]]] = [(0, _leaning(0.0))]
        self._sun_share = self._random.uniform(5.0, 25.0)

    def temperature_c(self, t_us: int) -> float:
        """Under the lid: 5 to 25 K above ambient in full sun, which is no fire."""
        return self._weather.temperature_c(t_us) + self._sun_share * self._weather.sun(t_us)

    def fill_fraction(self, t_us: int) -> float:
        """The truth: 0 empty .. 1 full."""
        self._live_until(t_us)
        index = bisect_right(self._times_us, t_us) - 1
        age_h = (t_us - self._times_us[index]) / HOUR_US
        return self._fills[index] * math.exp(-SETTLING_PER_HOUR * age_h)

    def acceleration_mg(self, t_us: int) -> tuple[float, float, float]:
        """Upright but for the moment of an emptying."""
        self._live_until(t_us)
        index = bisect_right(self._motions, t_us, key=lambda motion: motion[0]) - 1
        return self._motions[index][1]

    def next_motion_us(self, t_us: int) -> int | None:
        self._live_until(t_us)
        while self._motions[-1][0] <= t_us:
            self._live_one_hour()
        index = bisect_right(self._motions, t_us, key=lambda motion: motion[0])
        return self._motions[index][0]

    def distance_mm(self, t_us: int) -> int | None:
        """One echo: usually the load, sometimes wall or bag edge, sometimes none."""
        span_mm = self._empty_mm - self._full_mm
        true_mm = self._empty_mm - self.fill_fraction(t_us) * span_mm
        chance = stream(self._seed, f"echo:{t_us}")
        kind = chance.random()
        if kind < NO_ECHO_SHARE:
            return None
        if kind < NO_ECHO_SHARE + WALL_ECHO_SHARE:
            true_mm *= chance.uniform(0.45, 0.9)
        elif kind < NO_ECHO_SHARE + WALL_ECHO_SHARE + NEAR_ECHO_SHARE:
            true_mm -= chance.uniform(60.0, 200.0)
        return max(30, round(true_mm + chance.gauss(0.0, ECHO_NOISE_MM)))

    def _live_until(self, t_us: int) -> None:
        while self._hours * HOUR_US <= t_us:
            self._live_one_hour()

    def _live_one_hour(self) -> None:
        hour_us = self._hours * HOUR_US
        self._hours += 1
        local = local_time(self._start_unix_us + hour_us)
        chance = self._random
        moments = sorted(
            hour_us + chance.randrange(HOUR_US)
            for _ in range(_poisson(chance.random(), interpolate(DEPOSITS_PER_HOUR, local.hour)))
        )
        for moment_us in moments:
            volume = (
                chance.uniform(0.05, 0.15)
                if chance.random() < BAG_SHARE
                else (chance.gammavariate(2.0, 0.006))
            )
            self._set(moment_us, min(1.0, self._fill_now(moment_us) + volume))
        if int(local.hour) == 8 and local.day_of_year % EMPTYING_DAYS == self._emptying_day:
            rest = chance.uniform(0.2, 0.5) if chance.random() < PARTIAL_EMPTYING_SHARE else 0.02
            begin_us = max(hour_us, self._times_us[-1]) + 1
            self._set(begin_us, self._fill_now(begin_us) * rest)
            angle_deg = stream(self._seed, f"emptying:{begin_us}").uniform(*EMPTYING_DEG)
            self._motions.append((begin_us, _leaning(angle_deg)))
            self._motions.append((begin_us + EMPTYING_US, _leaning(0.0)))

    def _fill_now(self, t_us: int) -> float:
        age_h = (t_us - self._times_us[-1]) / HOUR_US
        return self._fills[-1] * math.exp(-SETTLING_PER_HOUR * age_h)

    def _set(self, t_us: int, fill: float) -> None:
        self._times_us.append(t_us)
        self._fills.append(fill)


def _leaning(angle_deg: float) -> tuple[float, float, float]:
    """Gravity in mg, felt upwards."""
    angle = math.radians(angle_deg)
    return 1_000.0 * math.sin(angle), 0.0, 1_000.0 * math.cos(angle)


def _poisson(uniform: float, mean: float) -> int:
    """Inverse of the distribution function; for small means."""
    count, term = 0, math.exp(-mean)
    total = term
    while uniform > total and count < 50:
        count += 1
        term *= mean / count
        total += term
    return count
