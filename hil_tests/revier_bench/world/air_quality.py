# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Outdoor air at a pole: particles, gases, temperature, humidity, pressure.

MARYLEBONE = hourly PM2.5 of Marylebone Road 1998-2005 (openair, mydata): log residual deviation
    0.51, autocorrelation 0.87, 0.72, 0.57, 0.37 after 1, 3, 6, 24 h -> two AR(1), 3.3 h and 60 h
"""

import math

from revier_bench.world.calendar_de import HOUR_US, interpolate, local_time
from revier_bench.world.chance import stream
from revier_bench.world.environment import DAY_US, MINUTE_US, Environment
from revier_bench.world.weather import Ar1, Weather, mixture

# Shape of MARYLEBONE's hourly medians, weekday and weekend, relative to the day's median
# fmt: off
PM_WEEKDAY = (
    (0, 0.72), (4, 0.62), (6, 0.95), (7.5, 1.3), (10, 1.17), (16, 1.06),
    (20, 1.0), (24, 0.72),
)
# fmt: on
PM_WEEKEND = ((0, 0.95), (4, 0.75), (9, 1.0), (13, 0.9), (18, 0.98), (22, 1.02), (24, 0.95))
PM25_MEDIAN_UG_M3 = 8.5  # background stations of the Ruhr area of the 2020s, rounded (ESTIMATE)
PM_PARTS = ((0.45, 3.3), (0.55, 60.0))  # MARYLEBONE
BONFIRES_PER_DAY = 0.25  # ESTIMATE
BONFIRE_RISE_US = 10 * MINUTE_US
BONFIRE_DECAY_H = 3.0
RH_GROWTH_MAX_PCT = 90.0  # beyond, the formula runs away
HYGROSCOPIC_GROWTH = 0.25  # kappa of urban aerosol, growth 1 + kappa RH^2 / (1 - RH)


class AirEnvironment(Environment):
    """Outdoor air at a pole: particles, gases, temperature, humidity, pressure."""

    def __init__(self, seed: str, name: str, weather: Weather, start_unix_us: int) -> None:
        super().__init__(seed, name, weather, start_unix_us)
        place = stream(self._seed, "place")
        self._site_factor = math.exp(place.gauss(0.0, 0.2))
        self._warmer_c = place.uniform(-0.8, 1.2)
        # one half of the slow variation is the district's, the rest this street's
        self._shared = mixture(seed, "air:district", 0.51 * math.sqrt(0.5), PM_PARTS)
        self._own = mixture(self._seed, "air:street", 0.51 * math.sqrt(0.5), PM_PARTS)
        self._coarse = Ar1(self._seed, "air:coarse", 0.4, 3.0)
        self._gas = Ar1(self._seed, "air:gas", 1.0, 5.0)
        self._bonfires: list[tuple[int, float]] = []
        self._bonfire_days = 0

    def temperature_c(self, t_us: int) -> float:
        return self._weather.temperature_c(t_us) + self._warmer_c

    def humidity_pct(self, t_us: int) -> float:
        return self._weather.humidity_pct(t_us)

    def pressure_pa(self, t_us: int) -> float:
        return self._weather.pressure_pa(t_us)

    def pm_ug_m3(self, t_us: int) -> tuple[float, float, float, float]:
        """PM1, PM2.5, PM4 and PM10 as an optical counter shows them: wet, with its noise."""
        local = local_time(self._start_unix_us + t_us)
        profile = interpolate(PM_WEEKEND if local.weekend else PM_WEEKDAY, local.hour)
        slow = math.exp(self._shared(t_us) + self._own(t_us))
        dry_25 = PM25_MEDIAN_UG_M3 * self._site_factor * profile * slow + self._smoke(t_us)
        rh = min(self.humidity_pct(t_us), RH_GROWTH_MAX_PCT) / 100
        wet_25 = dry_25 * (1 + HYGROSCOPIC_GROWTH * rh**2 / (1 - rh))
        pm25 = max(
            0.0, wet_25 * (1 + 0.03 * self._noise("pm", t_us)) + 0.3 * self._noise("p", t_us)
        )
        coarse = 0.55 * PM25_MEDIAN_UG_M3 * self._site_factor * profile
        coarse *= math.exp(self._coarse(t_us))
        return (0.72 * pm25, pm25, pm25 + 0.6 * coarse, pm25 + coarse)

    def co2_ppm(self, t_us: int) -> float:
        """Background of the 2020s, more in still nights and in traffic (ESTIMATE)."""
        return 440.0 + 18.0 * self._gas(t_us) + 0.2 * self._smoke(t_us)

    def voc_index(self, t_us: int) -> float:
        """Around its mean of 100 (ESTIMATE)."""
        index = 100.0 * math.exp(0.2 * self._gas(t_us)) + self._smoke(t_us)
        return min(500.0, max(1.0, index))

    def nox_index(self, t_us: int) -> float:
        """1 unless traffic passes (ESTIMATE)."""
        return min(500.0, max(1.0, 1.0 + 3.0 * self._gas(t_us)))

    def _smoke(self, t_us: int) -> float:
        self._light_bonfires(t_us // DAY_US)
        total = 0.0
        for begin_us, peak in self._bonfires:
            age_us = t_us - begin_us
            if 0 <= age_us < BONFIRE_RISE_US:
                total += peak * age_us / BONFIRE_RISE_US
            elif age_us >= BONFIRE_RISE_US:
                total += peak * math.exp(-(age_us - BONFIRE_RISE_US) / (BONFIRE_DECAY_H * HOUR_US))
        return total

    def _light_bonfires(self, day: int) -> None:
        while self._bonfire_days <= day:
            chance = stream(self._seed, f"bonfire:{self._bonfire_days}")
            if chance.random() < BONFIRES_PER_DAY:
                at_us = self._bonfire_days * DAY_US + chance.randrange(DAY_US)
                self._bonfires.append((at_us, chance.uniform(20.0, 150.0)))
            self._bonfire_days += 1
