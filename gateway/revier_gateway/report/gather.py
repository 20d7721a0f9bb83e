# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A month's figures from the store's tables."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

from revier_gateway.alerts.book import Incident
from revier_gateway.report.figures import DayRow, Month, asset_month, days_in
from revier_inventory import Inventory

BEFORE_DAYS = 62  # for the battery's slope, and the sequence at the month's beginning


def gather(
    db: sqlite3.Connection, inventory: Inventory, ags: str, first: date, low_v: float
) -> Month:
    owner = next(one for one in inventory.owners if one.ags == ags)
    assets = [asset for asset in inventory.assets if asset.ags == ags]
    rows = _rows(db, first)
    names = {asset.asset for asset in assets}
    foreign = {asset.asset for asset in inventory.assets} - names
    return Month(
        ags=ags,
        name=owner.name,
        first=first,
        assets=tuple(asset_month(one, rows[one.asset], first, low_v) for one in assets),
        incidents=tuple(one for one in _incidents(db, first) if one.subject not in foreign),
    )


def _rows(db: sqlite3.Connection, first: date) -> dict[str, list[DayRow]]:
    sql = (
        "SELECT asset, day, readings, seq_newest, dev_eui, online_s, deaf_s, watched_s, battery_v"
        " FROM daily WHERE day >= ? AND day < ? ORDER BY day"
    )
    since, until = first - timedelta(days=BEFORE_DAYS), first + timedelta(days=days_in(first))
    found: dict[str, list[DayRow]] = defaultdict(list)
    for asset, day, *rest in db.execute(sql, (since.isoformat(), until.isoformat())):
        found[asset].append(DayRow(date.fromisoformat(day), *rest))
    return found


def _incidents(db: sqlite3.Connection, first: date) -> list[Incident]:
    """Those that touch the month."""
    since = datetime(first.year, first.month, 1, tzinfo=UTC)
    until = since + timedelta(days=days_in(first))
    sql = (
        "SELECT rule, subject, since_ms, cleared_ms, detail FROM incident"
        " WHERE since_ms < ? AND coalesce(cleared_ms, ?) >= ? ORDER BY since_ms"
    )
    since_ms, until_ms = int(since.timestamp() * 1000), int(until.timestamp() * 1000)
    return [Incident(*row) for row in db.execute(sql, (until_ms, until_ms, since_ms))]
