# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway doctor."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from revier_gateway import logs
from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    EXIT_DEFECT,
    ConfigOption,
    JsonOption,
    print_json,
    read_config,
    stop,
)
from revier_gateway.config import ConfigError, check_legs

MARKS = {"ok": "[green]ok[/]", "wrong": "[red]wrong[/]", "skipped": "[dim]not seen[/]"}


def doctor(
    config: ConfigOption = DEFAULT_CONFIG,
    listen: Annotated[float, typer.Option(help="Seconds to wait for an event.")] = 30.0,
    municipality: Annotated[str, typer.Option(help="ags8 whose access is tried out.")] = "",
    password_env: Annotated[str, typer.Option(help="Variable with its password.")] = "",
    chirpstack_toml: Annotated[Path | None, typer.Option(help="ChirpStack's file.")] = None,
    mosquitto_conf: Annotated[Path | None, typer.Option(help="The broker's file.")] = None,
    json: JsonOption = False,
) -> None:
    """Probe brokers, access, clocks and files; say what is wrong and what cures it.

    Beside a running gateway, at any time: it uses sessions and topics of its own (revier/doctor/#,
    and messages of the kind probe). Exit 0: nothing is wrong; 1: something is.
    """
    from revier_gateway.doctor.examine import Options, examine
    from revier_gateway.doctor.findings import Checked, wrong_ones

    logs.configure("ERROR")
    settings = read_config(config)
    try:
        check_legs(settings)
    except ConfigError as error:
        raise stop(f"{config}: {error}") from None
    password = os.environ.get(password_env) if password_env else None
    if password_env and password is None:
        raise stop(f"--password-env {password_env}: this variable is not set.")
    secret = password.encode() if password is not None else None
    options = Options(listen, municipality, secret, chirpstack_toml, mosquitto_conf)
    results: list[Checked] = []

    async def work() -> None:
        console = Console()
        async for one in examine(settings, options):
            results.append(one)
            if not json:
                _print(console, one)

    asyncio.run(work())
    found = wrong_ones(results)
    if json:
        print_json(results)
    else:
        said = f"{len(found)} things are wrong." if len(found) > 1 else "One thing is wrong."
        Console().print(said if found else "Nothing is wrong.", style="bold")
    if found:
        raise typer.Exit(EXIT_DEFECT)


def _print(console: Console, one: object) -> None:
    from revier_gateway.doctor.findings import Checked

    assert isinstance(one, Checked)
    line = Table.grid(padding=(0, 2))
    line.add_column(width=8)
    line.add_column()
    line.add_row(MARKS[one.state], Text(one.what))
    if one.cure:
        line.add_row("", Text(one.cure, style="bold" if one.state == "wrong" else "dim"))
    console.print(line)
