# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The report as CSV: one row for each asset, then one for each incident; names in English."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from revier_gateway.report.figures import Month
from revier_gateway.values import instant

ASSET_COLUMNS = (
    *("month", "ags", "asset", "kind", "name", "availability", "completeness", "readings"),
    *("readings_missing", "unknown_h", "battery_v", "battery_days_left"),
)
INCIDENT_COLUMNS = ("month", "ags", "rule", "subject", "since", "until", "detail")


def assets_csv(month: Month) -> str:
    rows = [
        (
            f"{month.first:%Y-%m}", month.ags, one.asset.asset, one.asset.kind, one.asset.name,
            _share(one.availability), _share(one.completeness), one.readings, one.missing,
            round(one.unknown_h, 1), one.battery.volts if one.battery else None,
            one.battery.days_left if one.battery else None,
        )
        for one in month.assets
    ]  # fmt: skip
    return _csv(ASSET_COLUMNS, rows)


def incidents_csv(month: Month) -> str:
    rows = [
        (
            f"{month.first:%Y-%m}", month.ags, one.rule, one.subject, _at(one.since_ms),
            None if one.cleared_ms is None else _at(one.cleared_ms),
            "" if one.detail == "-" else one.detail,
        )
        for one in month.incidents
    ]  # fmt: skip
    return _csv(INCIDENT_COLUMNS, rows)


def _csv(columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_safe(value) for value in row] for row in rows)
    return text.getvalue()


def _safe(value: object) -> object:
    """A spreadsheet must not take a name for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _at(at_ms: int) -> str:
    return instant(datetime.fromtimestamp(at_ms / 1000, UTC))
