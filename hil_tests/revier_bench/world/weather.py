# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Random processes on a time grid, and the weather that all environments of a district share."""

import math
from collections.abc import Callable

from revier_bench.world.calendar_de import HOUR_US, local_time
from revier_bench.world.chance import stream

GRID_US = 300_000_000


class Ar1:
    """First-order autoregressive process: zero mean, given deviation and time constant.

    Sampled every five minutes, linear between; the grid grows as time is asked for, always in
    order, so the order of the questions changes nothing.
    """

    def __init__(self, seed: str, name: str, deviation: float, time_constant_h: float) -> None:
        self._random = stream(seed, name)
        self._keep = math.exp(-GRID_US / (time_constant_h * HOUR_US))
        self._kick = deviation * math.sqrt(1 - self._keep**2)
        self._values = [self._random.gauss(0.0, deviation)]

    def __call__(self, t_us: int) -> float:
        index, rest_us = divmod(t_us, GRID_US)
        while len(self._values) <= index + 1:
            kick = self._random.gauss(0.0, self._kick)
            self._values.append(self._values[-1] * self._keep + kick)
        one, other = self._values[index], self._values[index + 1]
        return one + (other - one) * rest_us / GRID_US


def mixture(
    seed: str, name: str, deviation: float, parts: tuple[tuple[float, float], ...]
) -> Callable[[int], float]:
    """Sum of independent AR(1) processes; `parts` are (share of the variance, hours)."""
    processes = [
        Ar1(seed, f"{name}:{hours}", deviation * math.sqrt(share), hours) for share, hours in parts
    ]
    return lambda t_us: sum(process(t_us) for process in processes)


def saturation_hpa(temperature_c: float) -> float:
    """Magnus formula over water (WMO-No. 8, annex 4.B)."""
    return 6.112 * math.exp(17.62 * temperature_c / (243.12 + temperature_c))


class Weather:
    """One per world. Means of the northern Ruhr area: DWD climate normals 1991-2020, rounded."""

    ALTITUDE_M = 60.0

    def __init__(self, seed: str, start_unix_us: int) -> None:
        self._start_unix_us = start_unix_us
        self._warmth = mixture(seed, "weather:temperature", 3.2, ((0.3, 8.0), (0.7, 70.0)))
        self._dew_gap = mixture(seed, "weather:dew", 1.6, ((0.5, 6.0), (0.5, 40.0)))
        self._pressure = mixture(seed, "weather:pressure", 850.0, ((0.1, 8.0), (0.9, 60.0)))
        self._cloud = mixture(seed, "weather:cloud", 0.35, ((0.5, 3.0), (0.5, 30.0)))

    def _season(self, day_of_year: int) -> float:
        return math.cos(2 * math.pi * (day_of_year - 201) / 365.25)  # 20 July is warmest

    def temperature_c(self, t_us: int) -> float:
        local = local_time(self._start_unix_us + t_us)
        season = self._season(local.day_of_year)
        swing_c = (3.2 + 1.8 * season) * self.clear_sky(t_us)
        daily_c = swing_c * math.cos(2 * math.pi * (local.hour - 15.5) / 24)
        return 10.8 + 8.0 * season + daily_c + self._warmth(t_us)

    def clear_sky(self, t_us: int) -> float:
        """0.2 overcast .. 1.0 clear."""
        return min(max(0.65 + self._cloud(t_us), 0.2), 1.0)

    def sun(self, t_us: int) -> float:
        """0 at night .. 1 at noon in clear summer."""
        local = local_time(self._start_unix_us + t_us)
        season = self._season(local.day_of_year)
        half_day_h = 6.1 + 2.2 * season
        height = math.cos(math.pi * (local.hour - 13.3) / (2 * half_day_h))
        if abs(local.hour - 13.3) >= half_day_h:
            return 0.0
        return height * (0.6 + 0.4 * season) * self.clear_sky(t_us)

    def humidity_pct(self, t_us: int) -> float:
        season = self._season(local_time(self._start_unix_us + t_us).day_of_year)
        dew_point_c = 7.0 + 6.5 * season + 0.75 * self._warmth(t_us) + self._dew_gap(t_us)
        ratio = saturation_hpa(dew_point_c) / saturation_hpa(self.temperature_c(t_us))
        return min(max(100 * ratio, 15.0), 100.0)

    def pressure_pa(self, t_us: int) -> float:
        """At ALTITUDE_M; the mean is 1015.5 hPa at sea level, 8.3 m per hPa."""
        return 101_550.0 - 100.0 * self.ALTITUDE_M / 8.3 + self._pressure(t_us)
