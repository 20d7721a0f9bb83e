# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Local time in Germany without a time zone database: CET, and CEST between the EU's dates.

EU = Directive 2000/84/EC: from the last Sunday of March to that of October, 01:00 UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class LocalTime:
    hour: float  # 0 <= hour < 24
    weekend: bool
    day_of_year: int


@lru_cache(maxsize=64)
def _summer_us(year: int) -> tuple[int, int]:
    def last_sunday(month: int) -> int:
        day = datetime(year, month, 31, 1, tzinfo=UTC)
        day -= timedelta(days=(day.weekday() + 1) % 7)
        return int(day.timestamp()) * 1_000_000

    return last_sunday(3), last_sunday(10)


@lru_cache(maxsize=512)
def _of_hour(hour: int) -> tuple[int, bool, int]:
    utc_us = hour * HOUR_US
    utc = datetime.fromtimestamp(utc_us // 1_000_000, UTC)
    begin_us, end_us = _summer_us(utc.year)
    local = utc + timedelta(hours=2 if begin_us <= utc_us < end_us else 1)
    return local.hour, local.weekday() >= 5, local.timetuple().tm_yday


def local_time(unix_us: int) -> LocalTime:
    """German local time of a UTC instant."""
    hour, weekend, day_of_year = _of_hour(unix_us // HOUR_US)
    return LocalTime(hour + unix_us % HOUR_US / HOUR_US, weekend, day_of_year)


def interpolate(knots: tuple[tuple[float, float], ...], hour: float) -> float:
    """Linear between (hour, value) knots; the first knot is hour 0, the last hour 24."""
    for (hour_1, value_1), (hour_2, value_2) in pairwise(knots):
        if hour <= hour_2:
            return value_1 + (value_2 - value_1) * (hour - hour_1) / (hour_2 - hour_1)
    return knots[-1][1]
