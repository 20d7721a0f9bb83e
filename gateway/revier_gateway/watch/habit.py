# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How often a device speaks, learned from the distances of its frames, in 64 bytes."""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import accumulate

CLASSES = 64  # four to an octave, from 8 s to six days
SHORTEST_S = 8.0
PER_OCTAVE = 4
# All counts are halved above this: a habit that changed is learned anew, and an odd one forgotten.
STEPS_MAX = 200
STEPS_MIN = 3  # before that nothing is known


class Habit:
    """A histogram on a logarithmic scale, so a quantile errs by a class: 19 % at most, upwards."""

    __slots__ = ("_counts", "steps")

    def __init__(self, counts: bytes = bytes(CLASSES)) -> None:
        assert len(counts) == CLASSES
        self._counts = bytearray(counts)
        self.steps = sum(counts)

    def __bytes__(self) -> bytes:
        return bytes(self._counts)

    def note(self, step_s: float) -> None:
        self._counts[_class_of(step_s)] += 1
        self.steps += 1
        if self.steps > STEPS_MAX:
            self._counts = bytearray(count // 2 for count in self._counts)
            self.steps = sum(self._counts)

    def p99_s(self) -> float | None:
        """At most one step in a hundred is longer. One odd step is always forgiven: without that
        a single outage would be the longest of the first hundred steps. None: not known yet."""
        steps = self.steps
        if steps < STEPS_MIN:
            return None
        return self._upper_s(min(math.ceil(0.99 * steps), steps - 1))

    def median_s(self) -> float | None:
        steps = self.steps
        return self._upper_s(math.ceil(steps / 2)) if steps >= STEPS_MIN else None

    def _upper_s(self, rank: int) -> float:
        """The upper edge of the class in which the step of this rank lies."""
        index = bisect_left(list(accumulate(self._counts)), rank)
        return float(SHORTEST_S * 2.0 ** ((index + 1) / PER_OCTAVE))


def _class_of(step_s: float) -> int:
    if step_s <= SHORTEST_S:
        return 0
    return min(CLASSES - 1, int(PER_OCTAVE * math.log2(step_s / SHORTEST_S)))
