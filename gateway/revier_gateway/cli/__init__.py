# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway: what the operator types. One file for each command."""

from __future__ import annotations

import typer

from revier_gateway import __version__
from revier_gateway.cli import alerts, quarantine
from revier_gateway.cli.doctor import doctor
from revier_gateway.cli.replay import replay
from revier_gateway.cli.report import report
from revier_gateway.cli.run import run
from revier_gateway.cli.tail import tail

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
for command in (run, doctor, tail, replay, report):
    app.command()(command)
app.add_typer(alerts.app, name="alerts")
app.add_typer(quarantine.app, name="quarantine")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    app()
