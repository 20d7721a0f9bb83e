# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway report."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    database,
    print_json,
    read_config,
    read_inventory,
    stop,
)


def report(
    config: ConfigOption = DEFAULT_CONFIG,
    month: Annotated[str, typer.Option(help="E.g. 2026-05; else the last whole one.")] = "",
    ags: Annotated[str, typer.Option(help="One municipality; else each.")] = "",
    language: Annotated[str, typer.Option(help="de or en.")] = "de",
    out: Annotated[Path, typer.Option(help="Folder for the files.", file_okay=False)] = Path(),
    json: JsonOption = False,
) -> None:
    """Write the monthly report of each municipality: a PDF, and two CSV files with its figures.

    --json prints what was written, and for whom.
    """
    from revier_gateway.alerts.texts import LANGUAGES
    from revier_gateway.report import gather, table
    from revier_gateway.report.pdf import pdf
    from revier_gateway.report.words import ReportWords

    settings = read_config(config)
    if language not in LANGUAGES:
        raise stop(f"--language {language}: use de or en.")
    first = _first(month)
    inventory = read_inventory(settings)
    known = [owner.ags for owner in inventory.owners]
    if ags and ags not in known:
        raise stop(f"--ags {ags}: the inventory has {', '.join(known)}.")
    out.mkdir(parents=True, exist_ok=True)
    low_v, words = settings.watch.battery_low_v, ReportWords(language)
    made = datetime.now(UTC)
    reports: list[dict[str, Any]] = []
    with database(settings) as db:
        for one in [ags] if ags else known:
            figures = gather.gather(db, inventory, one, first, low_v)
            stem = out / f"revier-{one}-{first:%Y-%m}"
            written = Path(f"{stem}-{language}.pdf")
            written.write_bytes(pdf(figures, words, settings.gateway.id, low_v, made))
            tables = [Path(f"{stem}-assets.csv"), Path(f"{stem}-incidents.csv")]
            tables[0].write_text(table.assets_csv(figures), "utf-8")
            tables[1].write_text(table.incidents_csv(figures), "utf-8")
            counts = {"assets": len(figures.assets), "incidents": len(figures.incidents)}
            files = [str(path) for path in (written, *tables)]
            reports.append({"ags": one, "month": f"{first:%Y-%m}", "files": files, **counts})
            if not json:
                said = f"{counts['assets']} assets, {counts['incidents']} incidents"
                typer.echo(f"{written}  {said}")
    if json:
        print_json(reports)


def _first(month: str) -> date:
    from revier_gateway.report.figures import month_of

    if not month:
        return (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)
    try:
        return month_of(month)
    except ValueError:
        raise stop(f"--month {month}: write year and month, e.g. 2026-05.") from None
