# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One parking bay: vehicles come and go, the field above the sensor changes, radio suffers.

CARPARKS = occupancy of 22 German car parks, week of 2022-06-13 (defgsus/parking-data)
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from revier_bench.world.calendar_de import interpolate, local_time
from revier_bench.world.chance import stream
from revier_bench.world.environment import MINUTE_US, SECOND_US, Environment
from revier_bench.world.weather import Weather

# CARPARKS, median occupancy
# fmt: off
OCCUPANCY_WEEKDAY = (
    (0, 0.12), (3, 0.07), (6, 0.08), (8, 0.19), (9, 0.31), (11, 0.64),
    (12, 0.64), (15, 0.54), (17, 0.48), (18, 0.38), (21, 0.21), (24, 0.12),
)
OCCUPANCY_WEEKEND = (
    (0, 0.25), (5, 0.17), (8, 0.23), (11, 0.44), (14, 0.46), (17, 0.37),
    (20, 0.41), (24, 0.25),
)
# fmt: on
# ESTIMATE: share, median minutes, log deviation. Errands, shopping; work in the morning, the
# night in the evening.
Dwells = tuple[tuple[float, float, float], ...]
DWELLS_MORNING: Dwells = ((0.35, 12.0, 0.7), (0.35, 55.0, 0.6), (0.30, 450.0, 0.25))
DWELLS_DAY: Dwells = ((0.5, 12.0, 0.7), (0.5, 55.0, 0.6))
DWELLS_EVENING: Dwells = ((0.5, 12.0, 0.7), (0.45, 55.0, 0.6), (0.05, 660.0, 0.2))
DWELL_US_MIN = 90 * SECOND_US
VACANT_US_MIN = 60 * SECOND_US
ARRIVALS_PER_MIN_MAX = 0.06
# IGRF-13 near 51.6 N 7.2 E, 2025, rounded: north, east, down
EARTH_FIELD_UT = (19.2, 1.0, 45.4)
FIELD_NOISE_UT = 0.12
DRIFT_UT_PER_K = (0.05, 0.2)
DRIFT_CHECK_US = 15 * MINUTE_US  # how often slow drift is worth a look
UNDER_A_CAR_DB = (10.0, 25.0)
FLUSH_WITH_THE_GROUND_DB = 3.0  # ESTIMATE: antenna in the road, no car


@dataclass(frozen=True, slots=True)
class Stay:
    """One vehicle: it rolls in until `still_us`, begins to roll out at `leave_us`."""

    arrive_us: int
    still_us: int
    leave_us: int
    gone_us: int
    offset_ut: tuple[float, float, float]
    loss_db: float

    def share(self, t_us: int) -> float:
        """0 away .. 1 at rest above the sensor."""
        if t_us <= self.arrive_us or t_us >= self.gone_us:
            return 0.0
        if t_us < self.still_us:
            return (t_us - self.arrive_us) / (self.still_us - self.arrive_us)
        if t_us > self.leave_us:
            return (self.gone_us - t_us) / (self.gone_us - self.leave_us)
        return 1.0


def dwells_at(hour: float) -> Dwells:
    """How long those stay who arrive at this local hour."""
    if 5 <= hour < 10:
        return DWELLS_MORNING
    return DWELLS_DAY if 10 <= hour < 17 else DWELLS_EVENING


@cache
def dwell_minutes_mean(dwells: Dwells) -> float:
    return sum(share * median * math.exp(dev**2 / 2) for share, median, dev in dwells)


class ParkingEnvironment(Environment):
    """One bay: vehicles come by an inhomogeneous Poisson process and stay by a dwell mixture."""

    def __init__(self, seed: str, name: str, weather: Weather, start_unix_us: int) -> None:
        super().__init__(seed, name, weather, start_unix_us)
        self._random = stream(self._seed, "stays")
        self._stays: list[Stay] = []
        self._free_from_us = 0
        place = stream(self._seed, "place")
        turn = place.uniform(0.0, 2 * math.pi)
        north, east, down = EARTH_FIELD_UT
        iron = [place.gauss(0.0, 4.0) for _ in range(3)]
        self._base_ut = (
            north * math.cos(turn) + east * math.sin(turn) + iron[0],
            east * math.cos(turn) - north * math.sin(turn) + iron[1],
            down + iron[2],
        )
        self._drift_ut_per_k = tuple(
            place.choice((-1, 1)) * place.uniform(*DRIFT_UT_PER_K) for _ in range(3)
        )

    def temperature_c(self, t_us: int) -> float:
        """In the road surface: warmer in the sun."""
        return self._weather.temperature_c(t_us) + 12.0 * self._weather.sun(t_us)

    def field_ut(self, t_us: int) -> tuple[float, float, float]:
        """Flux density in the sensor's axes, with noise."""
        stay = self._stay_at(t_us)
        share = stay.share(t_us) if stay else 0.0
        offset_ut = stay.offset_ut if stay else (0.0, 0.0, 0.0)
        warm_k = self.temperature_c(t_us) - 15.0
        noise = stream(self._seed, f"field:{t_us}")
        x, y, z = (
            base + share * offset + drift * warm_k + noise.gauss(0.0, FIELD_NOISE_UT)
            for base, offset, drift in zip(
                self._base_ut, offset_ut, self._drift_ut_per_k, strict=True
            )
        )
        return (x, y, z)

    def occupied(self, t_us: int) -> bool:
        """The truth: a vehicle stands or rolls above the sensor."""
        return self._stay_at(t_us) is not None

    def next_change_us(self, t_us: int) -> int | None:
        """When the field is worth another look: a vehicle moves, or the drift check is due."""
        drift_us = (t_us // DRIFT_CHECK_US + 1) * DRIFT_CHECK_US
        self._extend(drift_us)
        for stay in self._stays[max(self._index(t_us), 0) :]:
            for moment_us in (stay.arrive_us, stay.still_us, stay.leave_us, stay.gone_us):
                if moment_us > t_us:
                    return min(moment_us, drift_us)
        return drift_us

    def stays(self, until_us: int) -> list[Stay]:
        """Those that begin before."""
        self._extend(until_us)
        return [stay for stay in self._stays if stay.arrive_us < until_us]

    def ground_loss_db(self, t_us: int) -> float:
        """What ground and vehicle take from the radio."""
        stay = self._stay_at(t_us)
        return FLUSH_WITH_THE_GROUND_DB + (stay.loss_db * stay.share(t_us) if stay else 0.0)

    def _index(self, t_us: int) -> int:
        return bisect_right(self._stays, t_us, key=lambda stay: stay.arrive_us) - 1

    def _stay_at(self, t_us: int) -> Stay | None:
        self._extend(t_us)
        index = self._index(t_us)
        if index < 0 or self._stays[index].gone_us <= t_us:
            return None
        return self._stays[index]

    def _extend(self, t_us: int) -> None:
        while self._free_from_us <= t_us:
            arrive_us = self._next_arrival_us(self._free_from_us + VACANT_US_MIN)
            stay = self._new_stay(arrive_us)
            self._stays.append(stay)
            self._free_from_us = stay.gone_us

    def _next_arrival_us(self, from_us: int) -> int:
        """Thinning: the rate that keeps the bay as occupied as CARPARKS at that hour."""
        rate_max_per_min = ARRIVALS_PER_MIN_MAX
        t_us = from_us
        while True:
            t_us += max(1, round(self._random.expovariate(rate_max_per_min) * MINUTE_US))
            local = local_time(self._start_unix_us + t_us)
            knots = OCCUPANCY_WEEKEND if local.weekend else OCCUPANCY_WEEKDAY
            target = interpolate(knots, local.hour)
            mean_min = dwell_minutes_mean(dwells_at(local.hour))
            rate_per_min = target / (1 - target) / mean_min
            if self._random.random() * rate_max_per_min < rate_per_min:
                return t_us

    def _new_stay(self, arrive_us: int) -> Stay:
        chance = self._random
        dwells = dwells_at(local_time(self._start_unix_us + arrive_us).hour)
        _, median_min, deviation = chance.choices(dwells, [share for share, _, _ in dwells])[0]
        dwell_us = round(median_min * math.exp(chance.gauss(0.0, deviation)) * MINUTE_US)
        dwell_us = max(dwell_us, DWELL_US_MIN)
        # ESTIMATE: several to more than 100 uT; one vehicle in eight is aluminium or high
        strength_ut = max(12.0, 32.0 * math.exp(chance.gauss(0.0, 0.5)))
        if chance.random() < 0.125:
            strength_ut *= 0.45
        direction = [chance.gauss(0.0, 1.0), chance.gauss(0.0, 1.0), 1.6 + chance.gauss(0.0, 0.6)]
        length = math.hypot(*direction)
        x, y, z = (strength_ut * part / length for part in direction)
        still_us = arrive_us + round(chance.uniform(2.0, 4.0) * SECOND_US)
        leave_us = still_us + dwell_us
        gone_us = leave_us + round(chance.uniform(2.0, 4.0) * SECOND_US)
        loss_db = chance.uniform(*UNDER_A_CAR_DB)
        return Stay(arrive_us, still_us, leave_us, gone_us, (x, y, z), loss_db)
