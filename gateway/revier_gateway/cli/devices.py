# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway devices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    database,
    print_json,
    read_config,
    stop,
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
    columns = ("device", "asset", "last_heard", "f_cnt", "battery", "settings", "gaps", "commands")
    table = Table(*columns)
    for row in rows:
        table.add_row(*["" if row[column] is None else str(row[column]) for column in columns])
    Console().print(table if rows else "The inventory has no device.")


def _records(config: Config) -> list[dict[str, Any]]:
    from revier_gateway import inventory_dir
    from revier_gateway.commands.devices import record
    from revier_inventory import InventoryError

    try:
        inventory = inventory_dir.read(config.inventory_dir)
    except (InventoryError, OSError) as error:
        raise stop(str(error)) from None
    now = datetime.now(UTC)
    serving = dict.fromkeys(period.dev_eui for period in inventory.periods if period.until is None)
    with database(config) as db:
        return [record(db, inventory, dev_eui, now) for dev_eui in serving]
