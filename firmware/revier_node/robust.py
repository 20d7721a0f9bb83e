# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the samples of one reading agree on, and whether they do. Integers, no machine."""


def median_and_mad(values: list) -> tuple:
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
