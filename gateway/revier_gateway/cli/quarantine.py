# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway quarantine."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    print_json,
    read_config,
    stop,
)
from revier_gateway.config import Config

app = typer.Typer(no_args_is_help=True, help="What was not understood or not taken.")


@app.command("list")
def quarantine_list(
    config: ConfigOption = DEFAULT_CONFIG, limit: int = 50, json: JsonOption = False
) -> None:
    """The newest rows, with reason and cure."""
    from revier_gateway.outcomes import QUARANTINE_REASONS

    rows = _quarantine(read_config(config), limit)
    if json:
        keys = ("at", "leg", "reason", "detail", "topic")
        print_json([{"id": n} | {key: getattr(row, key) for key in keys} for n, row in rows])
        return
    table = Table("id", "at", "leg", "reason", "detail", "cure")
    for number, row in rows:
        cure = QUARANTINE_REASONS.get(row.reason, "")
        table.add_row(str(number), row.at, row.leg, row.reason, row.detail, cure)
    Console().print(table if rows else "Nothing is in quarantine.")


@app.command("show")
def quarantine_show(
    number: Annotated[int, typer.Argument(help="The id in `quarantine list`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """One row with its raw bytes."""
    row = dict(_quarantine(read_config(config), -1)).get(number)
    if row is None:
        raise stop(f"No row {number}; see: revier-gateway quarantine list")
    fields = {key: getattr(row, key) for key in ("at", "leg", "reason", "detail", "topic")}
    if json:
        print_json({"id": number, **fields, "payload_b64": base64.b64encode(row.payload).decode()})
        return
    for key, value in fields.items():
        typer.echo(f"{key:8} {value}")
    try:
        typer.echo(row.payload.decode("utf-8"))
    except UnicodeDecodeError:
        typer.echo(row.payload.hex(" "))


def _quarantine(config: Config, limit: int) -> Any:
    from revier_gateway.store import FILE_NAME, Store

    if not (config.data_dir / FILE_NAME).exists():
        raise stop(f"{config.data_dir}: no gateway has run with this data_dir yet.")
    store = Store(config.data_dir)
    try:
        return store.quarantine(limit)
    finally:
        store.close()
