# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway devices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    database,
    minute,
    print_json,
    read_config,
    read_inventory,
    show,
    table_of,
)
from revier_gateway.config import Config


def devices(
    config: ConfigOption = DEFAULT_CONFIG,
    ags: Annotated[str | None, typer.Option(help="One municipality only.")] = None,
    json: JsonOption = False,
) -> None:
    """Every device that serves an asset: last heard, counter, battery, settings, gaps."""
    rows = [row for row in _records(read_config(config)) if ags in (None, row["ags"])]
    if json:
        print_json(rows)
        return
    columns = ("device", "asset", "heard, UTC", "f_cnt", "V", "settings", "gaps", "commands")
    table = table_of(*columns, whole=("device", "heard, UTC"))
    for row in rows:
        keys = ("f_cnt", "battery", "settings", "gaps", "commands")
        rest = ["" if row[key] is None else str(row[key]) for key in keys]
        table.add_row(row["device"], row["asset"] or "", minute(row["last_heard"]), *rest)
    show(table, "The inventory has no device.")


def _records(config: Config) -> list[dict[str, Any]]:
    from revier_gateway.commands.devices import record

    inventory = read_inventory(config)
    now = datetime.now(UTC)
    serving = dict.fromkeys(period.dev_eui for period in inventory.periods if period.until is None)
    with database(config) as db:
        return [record(db, inventory, dev_eui, now) for dev_eui in serving]
