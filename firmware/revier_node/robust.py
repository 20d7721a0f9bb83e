# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the samples of one reading agree on, and whether that is news. Integers, no machine.

A dead band is (least, percent): a change is news where it is larger than `least` and larger than
`percent` of the value that was sent. The maximum interval mends what a lost frame has taken.
"""

MYPY = False
if MYPY:
    from collections.abc import Sequence
    from typing import Any


def median_and_mad(values: "list[Any]") -> "tuple[Any, int]":
    """(lower median, median of the distances from it) of a list that is not empty.

    (None, 0) where a value is None: the part has no such channel.
    """
    if None in values:
        return None, 0
    at = (len(values) - 1) // 2
    middle = sorted(values)[at]
    return middle, sorted([abs(value - middle) for value in values])[at]


def unsteady(middle: int, mad: int, noise: int) -> bool:
    """Half of the samples are more than half of the median, and more than `noise`, away from it.

    A sensor's own noise is 10 % at most; a gust of smoke passes within a sample or two.
    """
    return mad > noise and 2 * mad > middle


def due(
    sent: "Sequence[int | None]",
    values: "Sequence[int | None]",
    bands: "Sequence[Sequence[int]]",
    noise: "Sequence[int]",
    age_s: int,
    min_s: int,
    max_s: int,
) -> bool:
    """All four sequences are of the same channels; None is a value that is not there.

    noise: a change up to it is not told from the samples' own scatter. age_s: since what was sent.
    """
    if age_s >= max_s:
        return True
    if age_s < min_s:
        return False
    for i in range(len(bands)):
        before, now = sent[i], values[i]
        if before is None or now is None:
            if before is not now:
                return True
            continue
        least, percent = bands[i]
        if abs(now - before) > max(least, abs(before) * percent // 100, noise[i]):
            return True
    return False
