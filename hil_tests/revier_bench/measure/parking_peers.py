# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Two common parking detectors behind the same magnetometer, wake and settling as the node's."""

from __future__ import annotations

from revier_bench.measure.parking_looks import Field
from revier_node.kinds.parking import OCCUPIED, ON_DIGITS, VACANT, WAKE_DIGITS


class FixedThreshold:
    """Occupied while the field is further than a threshold from the one at the installation."""

    def __init__(self) -> None:
        self.state: int = VACANT
        self.doubt = 0
        self._baseline = (0.0, 0.0, 0.0)

    def calibrate(self, field: Field, warm: int) -> None:  # noqa: ARG002
        self._baseline = (float(field[0]), float(field[1]), float(field[2]))

    def look(self, field: Field, warm: int, by_pin: bool, soon: bool) -> bool:  # noqa: ARG002
        away = sum((a - b) ** 2 for a, b in zip(field, self._baseline, strict=True))
        before = self.state
        self.state = OCCUPIED if away > ON_DIGITS**2 else VACANT
        changed: bool = self.state != before
        return changed

    def wake_digits(self) -> int:
        digits: int = WAKE_DIGITS
        return digits


class MovingAverage(FixedThreshold):
    """The baseline is a moving average of the looks while vacant: forgetting factor 1/4."""

    def look(self, field: Field, warm: int, by_pin: bool, soon: bool) -> bool:
        changed = super().look(field, warm, by_pin, soon)
        if self.state == VACANT:
            x, y, z = (b + (f - b) / 4 for f, b in zip(field, self._baseline, strict=True))
            self._baseline = (x, y, z)
        return changed
