# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From days to a month: availability, completeness, battery. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise

import msgspec

from revier_gateway.alerts.book import Incident
from revier_inventory import Asset

OUTLOOK_DAYS_MIN = 14  # with a voltage: fewer say nothing about a slope
OUTLOOK_DAYS_MAX = 2 * 365
FALL_MIN_V_PER_DAY = 0.0005  # less is the temperature


class DayRow(msgspec.Struct, frozen=True):
    """One asset's day as the watch wrote it."""

    day: date
    readings: int
    seq_newest: int | None
    dev_eui: str
    online_s: float
    deaf_s: float
    watched_s: float
    battery_v: float | None


class Battery(msgspec.Struct, frozen=True):
    """days_left until the low voltage, by the slope so far; None: no end in sight, or too few
    days. A lithium thionyl chloride cell falls in its last weeks only."""

    volts: float
    days_left: int | None


class AssetMonth(msgspec.Struct, frozen=True):
    """Shares are 0 to 1; None where nothing is known."""

    asset: Asset
    availability: float | None  # online, of the time in which one could know
    completeness: float | None  # readings that came, of those that the node numbered
    readings: int
    missing: int | None
    unknown_h: float  # the time in which nobody could know
    battery: Battery | None
    days: tuple[float | None, ...]  # availability of each day of the month


class Month(msgspec.Struct, frozen=True):
    ags: str
    name: str
    first: date
    assets: tuple[AssetMonth, ...]
    incidents: tuple[Incident, ...]

    @property
    def availability(self) -> float | None:
        return mean(one.availability for one in self.assets)

    @property
    def completeness(self) -> float | None:
        """Of all readings, so that an asset with many counts for many."""
        counted = [one for one in self.assets if one.missing is not None]
        total = sum(one.readings + (one.missing or 0) for one in counted)
        return sum(one.readings for one in counted) / total if total else None

    @property
    def readings(self) -> int:
        return sum(one.readings for one in self.assets)


def month_of(text: str) -> date:
    """First day of '2026-05'. Raises ValueError."""
    year, _, month = text.partition("-")
    return date(int(year), int(month), 1)


def days_in(first: date) -> int:
    return ((first + timedelta(days=31)).replace(day=1) - first).days


def asset_month(asset: Asset, rows: Sequence[DayRow], first: date, low_v: float) -> AssetMonth:
    """rows: this asset's, also those before the month, in order."""
    after = first + timedelta(days=days_in(first))
    rows = [row for row in rows if row.day < after]
    mine = [row for row in rows if row.day >= first]
    by_day = {row.day: _share(row) for row in mine}
    received, expected = _counted(rows, first)
    return AssetMonth(
        asset=asset,
        availability=_availability(mine),
        completeness=min(1.0, received / expected) if expected > 0 else None,
        readings=sum(row.readings for row in mine),
        missing=max(0, expected - received) if expected > 0 else None,
        unknown_h=sum(row.deaf_s for row in mine) / 3600,
        battery=_battery(rows, low_v),
        days=tuple(by_day.get(first + timedelta(days=n)) for n in range(days_in(first))),
    )


def mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _availability(rows: Iterable[DayRow]) -> float | None:
    known = list(rows)
    online_s = sum(row.online_s for row in known)
    judged_s = sum(row.watched_s - row.deaf_s for row in known)
    return min(1.0, online_s / judged_s) if judged_s > 0 else None


def _share(row: DayRow) -> float | None:
    return _availability([row])


def _counted(rows: Sequence[DayRow], first: date) -> tuple[int, int]:
    """Readings received and numbered, between days on which the node's own sequence is known and
    whose device is the same: from the last one before the month to the last one in it."""
    known = [(index, row) for index, row in enumerate(rows) if row.seq_newest is not None]
    received = expected = 0
    for (before_index, before), (index, row) in pairwise(known):
        if row.day < first or row.dev_eui != before.dev_eui:
            continue
        assert row.seq_newest is not None
        assert before.seq_newest is not None
        advance = row.seq_newest - before.seq_newest
        if advance >= 0:
            expected += advance
            received += sum(one.readings for one in rows[before_index + 1 : index + 1])
    return received, expected


def _battery(rows: Sequence[DayRow], low_v: float) -> Battery | None:
    known = [(row.day.toordinal(), row.battery_v) for row in rows if row.battery_v is not None]
    if not known:
        return None
    volts = known[-1][1]
    assert volts is not None
    return Battery(volts, _days_left([(day, v) for day, v in known if v is not None], low_v))


def _days_left(points: Sequence[tuple[int, float]], low_v: float) -> int | None:
    """Theil-Sen: the median slope, which a cold night does not bend."""
    points = points[-60:]
    if len(points) < OUTLOOK_DAYS_MIN:
        return None
    slope = statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2))
    if slope > -FALL_MIN_V_PER_DAY:
        return None
    level = statistics.median(v for _, v in points[-7:])
    days = max(0.0, (level - low_v) / -slope)
    return round(days) if days <= OUTLOOK_DAYS_MAX else None
