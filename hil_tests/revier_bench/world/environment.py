# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What every node's surroundings have: a name, the weather, a battery.

Every value of an environment is a pure function of seed, name and world time, whatever was asked
before. Parameters come from public data; none of it is copied. ESTIMATE marks an engineering
estimate, to be calibrated in the field.
"""

from revier_bench.world.calendar_de import HOUR_US
from revier_bench.world.chance import stream
from revier_bench.world.weather import Weather

SECOND_US = 1_000_000
MINUTE_US = 60_000_000
DAY_US = 24 * HOUR_US


class Environment:
    """What every node has: a name, the weather, a battery."""

    def __init__(self, seed: str, name: str, weather: Weather, start_unix_us: int) -> None:
        self._seed = f"{seed}:{name}"
        self._weather = weather
        self._start_unix_us = start_unix_us
        age = stream(self._seed, "battery")
        self._battery_fresh_mv = 3_620 + age.randrange(-25, 26)
        self._battery_loss_mv_per_day = 0.02 + 0.05 * age.random()

    def temperature_c(self, t_us: int) -> float:
        return self._weather.temperature_c(t_us)

    def battery_mv(self, t_us: int) -> int:
        """Li-SOCl2 cell at rest: flat, -1.1 mV/K below 20 degrees, a slow decline (ESTIMATE)."""
        cold_mv = 1.1 * max(0.0, 20.0 - self._weather.temperature_c(t_us))
        spent_mv = self._battery_loss_mv_per_day * t_us / DAY_US
        return round(self._battery_fresh_mv - cold_mv - spent_mv)

    def _noise(self, name: str, t_us: int) -> float:
        return stream(self._seed, f"{name}:{t_us}").gauss(0.0, 1.0)
