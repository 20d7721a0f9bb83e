# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What every command shares: its options, its configuration, its ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from revier_gateway.config import Config, ConfigError, load

DEFAULT_CONFIG = Path("gateway.toml")
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


@contextmanager
def database(config: Config) -> Iterator[sqlite3.Connection]:
    """The running gateway's file: that one alone makes its tables. One transaction."""
    from revier_gateway.data_dir import FILE_NAME

    path = config.data_dir / FILE_NAME
    if not path.exists():
        raise stop(f"{config.data_dir}: no gateway has run with this data_dir yet.")
    with closing(sqlite3.connect(path, timeout=5)) as db:
        try:
            with db:
                yield db
        except sqlite3.OperationalError as error:
            cure = "Restart the gateway once with this version; it brings the file up to date"
            raise stop(f"{path}: {error}. {cure}.") from None


def filtered(**equal: str | None) -> tuple[str, list[str | int]]:
    """An SQL condition and its values; what is None does not count. The names are ours."""
    wanted = {name: value for name, value in equal.items() if value is not None}
    where = " AND ".join(["WHERE 1", *(f"{name} = ?" for name in wanted)])
    return where, list(wanted.values())
