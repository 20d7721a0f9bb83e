# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway: what the operator types. One file for each command."""

from __future__ import annotations

import typer

from revier_gateway import __version__
from revier_gateway.cli import alerts, command, config, quarantine
from revier_gateway.cli.backup import backup, restore
from revier_gateway.cli.devices import devices
from revier_gateway.cli.doctor import doctor
from revier_gateway.cli.gaps import gaps
from revier_gateway.cli.replay import replay
from revier_gateway.cli.report import report
from revier_gateway.cli.run import run
from revier_gateway.cli.tail import tail

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
for one in (run, doctor, tail, devices, gaps, report, replay, backup, restore):
    app.command()(one)
app.add_typer(command.app, name="command")
app.add_typer(alerts.app, name="alerts")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(config.app, name="config")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    app()
