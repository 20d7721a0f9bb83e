# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A bimetal thermostat (KSD9700 class, normally open) from the supply to a pin with a pull-down.

KSD9700: closes at its temperature +-5 K and opens 15 K below. It follows the air within a minute;
the model looks every LOOK_US.
"""

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import ClimateEnvironment

CLOSES_C = 70.0
OPENS_C = 55.0
LOOK_US = 10_000_000


class Thermostat:
    def __init__(
        self, host: ChipHost, environment: ClimateEnvironment, pin: int, closes_c: float = CLOSES_C
    ) -> None:
        self._host, self._environment, self._pin = host, environment, pin
        self._closes_c = closes_c
        self._opens_c = closes_c - (CLOSES_C - OPENS_C)
        self._on = self._closed = False
        self._generation = 0

    def power(self, on: bool, t_us: int) -> None:
        """Of the board: without a supply there is no level."""
        self._on = on
        self._generation += 1
        if on:
            self._look(t_us, self._generation)
        else:
            self._host.drive(self._pin, False)

    def _look(self, t_us: int, generation: int) -> None:
        if generation != self._generation:
            return
        limit_c = self._opens_c if self._closed else self._closes_c
        self._closed = self._environment.temperature_c(t_us) >= limit_c
        self._host.drive(self._pin, self._closed)
        self._host.at(t_us + LOOK_US, lambda: self._look(self._host.now_us, generation))
