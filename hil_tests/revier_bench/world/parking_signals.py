# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The magnetic field of a parking bay for some days, with all that disturbs it, from one seed.

The ranges are set before any detector is tuned on them, and stay. Seeds 0 to 999 are for tuning,
10,000 to 10,999 for reports. What is not computed from a dipole is an engineering estimate.

A vehicle is a dipole that rolls along the bay and stands; neighbours give 1/15 to 1/8 of a
vehicle's field at 1 m. A motorbike rides through, a trolley is left for minutes: no vehicle parks.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from random import Random

from revier_bench.world.calendar_de import interpolate
from revier_bench.world.chance import stream
from revier_bench.world.parking_bay import OCCUPANCY_WEEKDAY, dwell_minutes_mean, dwells_at

Vector = tuple[float, float, float]

DAY_S = 86_400
DAYS = 3
UT_M3_PER_A_M2 = 0.1  # mu0 / 4 pi
MOMENT_A_M2 = (100.0, 300.0)
WEAK_SHARE = 1 / 8  # aluminium, high chassis
WEAK = 0.3
HEIGHT_M = (0.5, 0.75)  # of the dipole above the sensor
STOP_ALONG_M = (0.25, 0.6)  # deviation, most
STOP_ACROSS_M = (0.15, 0.35)
ROLL_FROM_M = 5.0
ROLL_S = (2.0, 4.0)
PAUSE_SHARE = 0.15  # of those who roll in halt half-way
PAUSE_S = (1.0, 8.0)
VACANT_S_MIN = 60.0
DWELL_S_MIN = 90.0
NEIGHBOURS = 2
NEIGHBOUR = (1 / 15, 1 / 8)
DRIFT_UT_PER_K = (0.05, 0.2)
SWING_K = (2.0, 12.0)  # half of what the road warms from night to afternoon
DAY_TO_DAY_K = 3.0
NOISE_UT = 0.12  # of one sample
TRAM_SHARE = 1 / 4  # of the bays lie at a tram or another line with direct current
TRAM_EVERY_S = (240.0, 600.0)
TRAM_HOURS = (5, 24)
TRAM_UT = (0.5, 5.0)
TRAM_S = (8.0, 40.0)
TRAM_RISE_S = 3.0
PASSERS_PER_DAY = 40.0  # lorries in the lane, motorbikes, trolleys
PASSER_UT = (0.3, 4.0)
PASSER_S = (2.0, 8.0)
MOTORBIKE_SHARE = 0.05
MOTORBIKE_UT = (2.0, 10.0)
TROLLEY_SHARE = 0.1
TROLLEY_UT = (0.2, 2.0)
TROLLEY_S = (60.0, 1_800.0)
BUMPS_PER_DAY = 1 / 60  # a wheel or a plough moves the sensor
BUMP_UT = (1.0, 10.0)
BUMP_AT_ARRIVAL_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Stay:
    """Seconds. `at`: the dipole's place at rest, from the sensor (along, across, up), m."""

    arrive_s: float
    still_s: float
    leave_s: float
    gone_s: float
    moment: Vector
    at: Vector
    pause_s: float = 0.0

    def progress(self, t_s: float) -> float:
        """0 outside .. 1 at rest."""
        if t_s >= self.leave_s:
            return max(0.0, (self.gone_s - t_s) / (self.gone_s - self.leave_s))
        if t_s >= self.still_s:
            return 1.0
        rolling_s = self.still_s - self.arrive_s - self.pause_s
        rolled_s = t_s - self.arrive_s
        if rolled_s > rolling_s / 2:
            rolled_s = max(rolling_s / 2, rolled_s - self.pause_s)
        return max(0.0, rolled_s / rolling_s)


@dataclass(frozen=True, slots=True)
class Passage:
    """What disturbs for a while: rises, stays, falls. Seconds."""

    begin_s: float
    end_s: float
    rise_s: float
    field_ut: Vector

    def share(self, t_s: float) -> float:
        return min(1.0, (t_s - self.begin_s) / self.rise_s, (self.end_s - t_s) / self.rise_s)


def dipole_ut(moment: Vector, at: Vector) -> Vector:
    """Flux density at the origin of a dipole (A m^2) at `at` (m)."""
    square = at[0] * at[0] + at[1] * at[1] + at[2] * at[2]
    along = 3 * (moment[0] * at[0] + moment[1] * at[1] + moment[2] * at[2]) / square
    scale = UT_M3_PER_A_M2 / (square * math.sqrt(square))
    return (
        scale * (along * at[0] - moment[0]),
        scale * (along * at[1] - moment[1]),
        scale * (along * at[2] - moment[2]),
    )


def _direction(chance: Random) -> Vector:
    while True:
        x, y, z = (chance.gauss(0.0, 1.0) for _ in range(3))
        length = math.sqrt(x * x + y * y + z * z)
        if length > 0:
            return (x / length, y / length, z / length)


def _of_length(chance: Random, bounds: tuple[float, float]) -> Vector:
    x, y, z = _direction(chance)
    length = chance.uniform(*bounds)
    return (x * length, y * length, z * length)


def _clipped(chance: Random, deviation_and_most: tuple[float, float]) -> float:
    deviation, most = deviation_and_most
    return max(-most, min(most, chance.gauss(0.0, deviation)))


@dataclass
class ParkingSignals:
    """Time is seconds from midnight of a weekday; the field is as the sensor's axes see it."""

    seed: int
    days: int = DAYS
    stays: list[Stay] = field(init=False)
    passages: list[Passage] = field(init=False)
    bumps: list[tuple[float, Vector]] = field(init=False)

    def __post_init__(self) -> None:
        name = f"parking-signals:{self.seed}"
        place = stream(name, "place")
        self.base_ut = _of_length(place, (47.0, 51.0))
        self.drift_ut_per_k = tuple(
            place.choice((-1, 1)) * place.uniform(*DRIFT_UT_PER_K) for _ in range(3)
        )
        self._swing_k = place.uniform(*SWING_K)
        self._mean_c = [place.gauss(14.0, DAY_TO_DAY_K) for _ in range(self.days + 2)]
        self.stays = self._stays(stream(name, "stays"))
        self._neighbours = [
            self._neighbour(stream(name, f"neighbour:{n}")) for n in range(NEIGHBOURS)
        ]
        self.passages = self._passages(stream(name, "passages"), place.random() < TRAM_SHARE)
        self.bumps = self._bumps(stream(name, "bumps"))
        self._arrivals = [stay.arrive_s for stay in self.stays]
        self._begins = [passage.begin_s for passage in self.passages]
        self._longest_s = max(p.end_s - p.begin_s for p in self.passages)

    @property
    def end_s(self) -> float:
        return float(self.days * DAY_S)

    def temperature_c(self, t_s: float) -> float:
        day, hour = divmod(t_s / DAY_S, 1)
        a, b = self._mean_c[int(day)], self._mean_c[int(day) + 1]
        return a + (b - a) * hour - self._swing_k * math.cos(2 * math.pi * (hour - 1 / 8))

    def stay_at(self, t_s: float) -> Stay | None:
        """The truth: who rolls or stands above the sensor."""
        index = bisect_right(self._arrivals, t_s) - 1
        return self.stays[index] if index >= 0 and t_s < self.stays[index].gone_s else None

    def field_ut(self, t_s: float) -> Vector:
        """Without the noise of the sensor (NOISE_UT)."""
        warm_k = self.temperature_c(t_s) - 15.0
        x, y, z = (
            base + drift * warm_k
            for base, drift in zip(self.base_ut, self.drift_ut_per_k, strict=True)
        )
        for more in self._parts(t_s):
            x, y, z = x + more[0], y + more[1], z + more[2]
        return (x, y, z)

    def moving(self) -> list[tuple[float, float, bool]]:
        """(begin, end, fast) of all that moves, by begin; fast: look at each sample."""
        found = [(s.arrive_s, s.still_s, True) for s in self.stays]
        found += [(s.leave_s, s.gone_s, True) for s in self.stays]
        for neighbour, _ in self._neighbours:
            found += [(s.arrive_s, s.still_s, False) for s in neighbour]
            found += [(s.leave_s, s.gone_s, False) for s in neighbour]
        for p in self.passages:
            found.append((p.begin_s, p.begin_s + p.rise_s, False))
            found.append((p.end_s - p.rise_s, p.end_s, False))
        found += [(at_s, at_s, False) for at_s, _ in self.bumps]
        return sorted(found)

    def _parts(self, t_s: float) -> list[Vector]:
        parts = []
        stay = self.stay_at(t_s)
        if stay is not None:
            away_m = ROLL_FROM_M * (1 - stay.progress(t_s))
            parts.append(dipole_ut(stay.moment, (stay.at[0] + away_m, stay.at[1], stay.at[2])))
        for stays, arrivals in self._neighbours:
            index = bisect_right(arrivals, t_s) - 1
            if index >= 0 and t_s < stays[index].gone_s:
                parts.append(_scaled(stays[index].at, stays[index].progress(t_s)))
        index = bisect_right(self._begins, t_s) - 1
        while index >= 0 and self._begins[index] > t_s - self._longest_s:
            passage = self.passages[index]
            if t_s < passage.end_s:
                parts.append(_scaled(passage.field_ut, passage.share(t_s)))
            index -= 1
        parts += [step for at_s, step in self.bumps if at_s <= t_s]
        return parts

    def _stays(self, chance: Random) -> list[Stay]:
        stays: list[Stay] = []
        t_s = 0.0
        while True:
            t_s = self._next_arrival_s(chance, t_s)
            if t_s >= self.end_s:
                return stays
            stays.append(_new_stay(chance, t_s))
            t_s = stays[-1].gone_s + VACANT_S_MIN

    def _next_arrival_s(self, chance: Random, t_s: float) -> float:
        while True:
            t_s += chance.expovariate(0.06) * 60
            hour = t_s % DAY_S / 3_600
            target = interpolate(OCCUPANCY_WEEKDAY, hour)
            rate_per_min = target / (1 - target) / dwell_minutes_mean(dwells_at(hour))
            if chance.random() * 0.06 < rate_per_min:
                return t_s

    def _neighbour(self, chance: Random) -> tuple[list[Stay], list[float]]:
        """`at` of such a stay is its field here, uT."""
        stays = []
        for stay in self._stays(chance):
            at_1_m = dipole_ut(stay.moment, (0.0, 1.0, 0.0))
            stays.append(replace(stay, at=_scaled(at_1_m, chance.uniform(*NEIGHBOUR))))
        return stays, [stay.arrive_s for stay in stays]

    def _passages(self, chance: Random, tram: bool) -> list[Passage]:
        passages = []
        t_s = 0.0
        while t_s < self.end_s:
            t_s += chance.expovariate(PASSERS_PER_DAY / DAY_S)
            passages.append(_passer(chance, t_s))
        line = _direction(chance)
        t_s = 0.0
        while tram and t_s < self.end_s:
            t_s += chance.uniform(*TRAM_EVERY_S)
            if TRAM_HOURS[0] <= t_s % DAY_S / 3_600 < TRAM_HOURS[1]:
                ut = chance.choice((-1, 1)) * chance.uniform(*TRAM_UT)
                end_s = t_s + chance.uniform(*TRAM_S)
                passages.append(Passage(t_s, end_s, TRAM_RISE_S, _scaled(line, ut)))
        return sorted(passages, key=lambda passage: passage.begin_s)

    def _bumps(self, chance: Random) -> list[tuple[float, Vector]]:
        bumps = []
        t_s = chance.expovariate(BUMPS_PER_DAY / DAY_S)
        while t_s < self.end_s:
            at_s = t_s
            if chance.random() < BUMP_AT_ARRIVAL_SHARE and self.stays:
                stay = min(self.stays, key=lambda stay: abs(stay.arrive_s - t_s))
                at_s = stay.arrive_s + 0.7 * (stay.still_s - stay.arrive_s)
            bumps.append((at_s, _of_length(chance, BUMP_UT)))
            t_s += chance.expovariate(BUMPS_PER_DAY / DAY_S)
        return sorted(bumps)


def _scaled(vector: Vector, by: float) -> Vector:
    return (vector[0] * by, vector[1] * by, vector[2] * by)


def _new_stay(chance: Random, arrive_s: float) -> Stay:
    dwells = dwells_at(arrive_s % DAY_S / 3_600)
    _, median_min, deviation = chance.choices(dwells, [share for share, _, _ in dwells])[0]
    dwell_s = max(DWELL_S_MIN, 60 * median_min * math.exp(chance.gauss(0.0, deviation)))
    moment = _of_length(chance, MOMENT_A_M2)
    if chance.random() < WEAK_SHARE:
        moment = _scaled(moment, WEAK)
    along, across = _clipped(chance, STOP_ALONG_M), _clipped(chance, STOP_ACROSS_M)
    pause_s = chance.uniform(*PAUSE_S) if chance.random() < PAUSE_SHARE else 0.0
    still_s = arrive_s + chance.uniform(*ROLL_S) + pause_s
    leave_s = still_s + dwell_s
    gone_s = leave_s + chance.uniform(*ROLL_S)
    at = (along, across, chance.uniform(*HEIGHT_M))
    return Stay(arrive_s, still_s, leave_s, gone_s, moment, at, pause_s)


def _passer(chance: Random, t_s: float) -> Passage:
    kind = chance.random()
    if kind < MOTORBIKE_SHARE:
        bounds, lasts = MOTORBIKE_UT, PASSER_S
    elif kind < MOTORBIKE_SHARE + TROLLEY_SHARE:
        bounds, lasts = TROLLEY_UT, TROLLEY_S
    else:
        bounds, lasts = PASSER_UT, PASSER_S
    lasting_s = chance.uniform(*lasts)
    return Passage(t_s, t_s + lasting_s, min(1.0, lasting_s / 2), _of_length(chance, bounds))
