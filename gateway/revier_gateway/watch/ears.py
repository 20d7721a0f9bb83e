# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Are we deaf, or is it silent? How many frames a time without any would have had to bring.

Devices speak on their own timers. If together they send a rate of r frames a second, the chance
that a working ear hears none of them for s seconds is about exp(-r * s): at ten frames that are
missing it is 1 in 20,000.
"""

from __future__ import annotations

from collections.abc import Iterable

FRAMES_MISSING_MIN = 10.0
SILENCE_MIN_S = 120.0
# One or two silent devices look like a silent radio gateway: then it is the devices' own silence.
DEVICES_MIN = 3


def is_deaf(intervals_s: Iterable[float], silent_s: float) -> bool:
    """intervals_s: of the devices that should be heard here."""
    known = list(intervals_s)
    if len(known) < DEVICES_MIN or silent_s < SILENCE_MIN_S:
        return False
    return frames_missing(known, silent_s) >= FRAMES_MISSING_MIN


def frames_missing(intervals_s: Iterable[float], silent_s: float) -> float:
    return sum(silent_s / interval_s for interval_s in intervals_s)
