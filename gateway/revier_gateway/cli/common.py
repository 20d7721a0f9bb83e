# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What every command shares: its options, its configuration, its ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from revier_gateway.config import Config, ConfigError, load

if TYPE_CHECKING:
    from revier_inventory import Inventory

DEFAULT_CONFIG = Path("gateway.toml")
WIDE = 200  # where there is no terminal whose width would be known
EXIT_DEFECT, EXIT_USAGE, EXIT_QUARANTINE, EXIT_DISK = 1, 2, 3, 4

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The gateway's TOML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def read_config(path: Path) -> Config:
    try:
        return load(path)
    except ConfigError as error:
        raise stop(str(error)) from None


def stop(text: str, code: int = EXIT_USAGE) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(code)


def print_json(content: Any) -> None:
    typer.echo(msgspec.json.encode(content).decode())


def table_of(*columns: str, title: str = "", whole: tuple[str, ...] = ()) -> Table:
    """whole: columns that are never broken, because somebody copies what stands there."""
    table = Table(
        title=title or None, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
        pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for name in columns:
        table.add_column(name, no_wrap=name in whole, overflow="fold")
    return table


def show(table: Table, nothing: str = "") -> None:
    """The table, or that there is nothing. What is piped is not cut to a terminal's width."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(WIDE, console.width))
    console.print(table if table.row_count or not nothing else nothing)


def minute(instant: str | None) -> str:
    """`2026-05-04T07:10:00.000Z` as people read it in a table: UTC."""
    return "" if instant is None else instant[:16].replace("T", " ")


def read_inventory(config: Config) -> Inventory:
    from revier_gateway import inventory_dir
    from revier_inventory import InventoryError

    try:
        return inventory_dir.read(config.inventory_dir)
    except (InventoryError, OSError) as error:
        raise stop(f"[inventory] dir {config.inventory_dir}: {error}") from None


@contextmanager
def database(config: Config) -> Iterator[sqlite3.Connection]:
    """The running gateway's file: that one alone makes its tables. One transaction."""
    from revier_gateway.data_dir import NoDatabaseError, database_of

    try:
        path = database_of(config.data_dir)
    except NoDatabaseError as error:
        raise stop(str(error)) from None
    with closing(sqlite3.connect(path, timeout=5)) as db:
        try:
            with db:
                yield db
        except sqlite3.OperationalError as error:
            if str(error).startswith("no such"):
                cure = "Restart the gateway once with this version; it brings the file up to date"
                raise stop(f"{path}: {error}. {cure}.") from None
            cure = "Call it as root or as the gateway's user; is there room on the disk?"
            raise stop(f"{path}: {error}. {cure}", EXIT_DISK) from None


def filtered(**equal: str | None) -> tuple[str, list[str | int]]:
    """An SQL condition and its values; what is None does not count. The names are ours."""
    wanted = {name: value for name, value in equal.items() if value is not None}
    where = " AND ".join(["WHERE 1", *(f"{name} = ?" for name in wanted)])
    return where, list(wanted.values())
