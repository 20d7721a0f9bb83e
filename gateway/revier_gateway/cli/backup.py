# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway backup, revier-gateway restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    EXIT_DISK,
    ConfigOption,
    JsonOption,
    print_json,
    read_config,
    stop,
)

if TYPE_CHECKING:
    from revier_gateway.backup import Copied

FileArgument = Annotated[Path, typer.Argument(help="The copy's file.")]


def backup(
    file: FileArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Copy the database into a new file, while the gateway runs; the copy is checked.

    Exit 0: the copy is sound and on the disk; 2: no database, or FILE exists; 4: no room for it.
    """
    from revier_gateway import backup as copies
    from revier_gateway.data_dir import DataDirError

    try:
        copied = copies.backup(read_config(config).data_dir, file)
    except DataDirError as error:
        raise stop(str(error)) from None
    except OSError as error:
        raise stop(f"Not copied. {error}", EXIT_DISK) from None
    _print(copied, json, "Copied to")
    if not json:
        typer.echo("Copy gateway.toml and the inventory's folder with it.")


def restore(
    file: FileArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Put a copy in the place of the database. The gateway must be stopped.

    The database that is there is set aside, not removed. Exit 0: done; 2: a gateway runs, or FILE
    is no sound copy; 4: no room for it.
    """
    from revier_gateway import backup as copies
    from revier_gateway.data_dir import DataDirError

    try:
        copied = copies.restore(file, read_config(config).data_dir)
    except DataDirError as error:
        raise stop(f"Nothing is changed. {error}") from None
    except OSError as error:
        raise stop(f"Not restored. {error}", EXIT_DISK) from None
    _print(copied, json, "Restored from")
    if not json:
        if copied.replaced:
            typer.echo(f"The database that was there is {copied.replaced}")
        typer.echo("Start the gateway now.")


def _print(copied: Copied, json: bool, what: str) -> None:
    if json:
        print_json(msgspec.structs.asdict(copied))
        return
    typer.echo(f"{what} {copied.file}: {copied.size_bytes} bytes, schema {copied.schema}.")
    typer.echo(
        f"{copied.waiting} messages wait for the feed, {copied.quarantine} are in quarantine."
    )
