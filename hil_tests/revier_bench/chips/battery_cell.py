# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A cell that is emptied: the voltage that its state of charge, load and rest give.

A BatteryEnvironment. Curves are the shapes of datasheets: LiFePO4 flat over 80 % of its charge,
lithium thionyl chloride flat over 95 %, with a dip of the first pulse after weeks of rest
(passivation).
"""

from dataclasses import dataclass
from itertools import pairwise

# (charge left in %, open-circuit mV)
_CURVES = {
    "lifepo4": (
        (0, 2_500),
        (3, 2_950),
        (10, 3_180),
        (30, 3_260),
        (70, 3_290),
        (95, 3_340),
        (100, 3_450),
    ),
    "li-socl2": ((0, 2_000), (2, 2_700), (5, 3_450), (20, 3_620), (100, 3_660)),
}
_RESISTANCE_OHM = {"lifepo4": 0.12, "li-socl2": 2.5}
_PASSIVE_AFTER_US = 7 * 86_400 * 1_000_000
_PASSIVE_OHM = 12.0
_ACTIVE_AFTER_UAS = 20_000  # 100 mA for 200 ms wears the layer off
YEAR_S = 31_557_600


@dataclass(slots=True)
class Cell:
    """`load_ma` is what the board draws now, as the test or the world sets it."""

    chemistry: str
    capacity_mah: float
    self_discharge_per_year: float = 0.01
    used_mah: float = 0.0
    load_ma: float = 0.0
    ageing: float = 1.0
    """factor of the inner resistance"""
    last_load_us: int = 0
    _worn_uas: float = 0.0

    def draw(self, current_ma: float, duration_s: float, t_us: int = 0) -> None:
        """Take so much out, and pass so much time."""
        self.used_mah += current_ma * duration_s / 3_600
        self.used_mah += self.capacity_mah * self.self_discharge_per_year * duration_s / YEAR_S
        if current_ma > 5.0:
            if t_us - self.last_load_us > _PASSIVE_AFTER_US:
                self._worn_uas = 0.0
            self._worn_uas += current_ma * 1_000 * duration_s
            self.last_load_us = t_us

    def left_pct(self) -> float:
        return max(0.0, 100.0 * (1.0 - self.used_mah / self.capacity_mah))

    def battery_mv(self, t_us: int) -> int:
        open_mv = _interpolate(_CURVES[self.chemistry], self.left_pct())
        ohm = _RESISTANCE_OHM[self.chemistry] * self.ageing
        if self.left_pct() < 5:
            ohm *= 4
        if self._passive(t_us):
            ohm += _PASSIVE_OHM
        return round(max(0.0, open_mv - ohm * self.load_ma))

    def _passive(self, t_us: int) -> bool:
        if self.chemistry != "li-socl2":
            return False
        rested = t_us - self.last_load_us > _PASSIVE_AFTER_US
        return rested or self._worn_uas < _ACTIVE_AFTER_UAS


def _interpolate(curve: tuple[tuple[int, int], ...], at: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(curve):
        if at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return float(curve[-1][1])
