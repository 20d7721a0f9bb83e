# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Is a reading news? Dead bands, a minimum and a maximum interval. Integers, no machine.

A dead band is (least, percent): a change is news where it is larger than `least` and larger than
`percent` of the value that was sent. The maximum interval mends what a lost frame has taken.
"""

MYPY = False
if MYPY:
    from collections.abc import Sequence


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
