# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision batch: many boards at once."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from revier_inventory.message import Message, _, joined
from revier_provision.cli.books import ByOption
from revier_provision.cli.language import spoken
from revier_provision.cli.options import JsonOption, VirtualOption, WindowOption
from revier_provision.cli.output import EXIT_REFUSED, Output
from revier_provision.cli.site import ProveOption, SiteOption, find_site
from revier_provision.errors import OrderError, cannot_read
from revier_provision.workshop.batch import Outcome, make_all
from revier_provision.workshop.make_node import Wanted
from revier_provision.workshop.opened import open_bench
from revier_provision.workshop.serial_table import SerialTable
from revier_provision.workshop.site_file import SITE_FILE
from revier_provision.workshop.step_events import NodeStep
from revier_provision.workshop.terminal import Board

LIST_LINES_MAX = 10_000


def batch(
    port: Annotated[
        list[str] | None,
        typer.Option(help="A board's serial port, repeatable; else all that are there."),
    ] = None,
    site: SiteOption = None,
    asset: Annotated[
        list[str] | None, typer.Option(help="Take these assets, in this order; repeatable.")
    ] = None,
    assets_from: Annotated[
        Path | None, typer.Option(help="File with one asset a line; else all planned ones.")
    ] = None,
    board: Annotated[str | None, typer.Option(help="Name of the board description.")] = None,
    prove: ProveOption = True,
    by: ByOption = None,
    virtual: VirtualOption = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Make nodes of all boards at once, each for the next planned asset. Safe to run again.

    A bad board never stops the others. The exit code is 1 if one of them was not made.
    """
    out = Output(as_json=as_json)
    with out.errors():
        known = find_site(site)
        if known is None:
            cure = "Write {site_file} (docs/technician.md), or give --site"
            raise OrderError("batch needs a site file", cure, site_file=SITE_FILE)
        table = SerialTable(known)
        ports = port or list(table.ports())
        only = [*(asset or []), *(_listed(assets_from) if assets_from else [])]
        wanted = [
            Wanted(port=each, board=board, local_mac_ok=virtual, window_s=window_s, prove=prove)
            for each in ports
        ]
        console = Console(stderr=True, highlight=False, quiet=as_json)
        display = Board(console, ports, spoken())
        with open_bench(known, table, by=by, only=only) as bench, display.shown():
            outcomes = make_all(bench, wanted, display.hear, lambda outcome: _end(display, outcome))
        out.result(list(outcomes), summary(outcomes))
    if any(outcome.made is None for outcome in outcomes):
        raise typer.Exit(EXIT_REFUSED)


def summary(outcomes: Sequence[Outcome]) -> Message:
    """What was made, and for each board that was not: where, why and what to do."""
    made = [each.made for each in outcomes if each.made is not None]
    lines = [_("{made} of {count} boards are nodes now.", made=len(made), count=len(outcomes))]
    for node in made:
        record = node.record
        lines.append(
            _(
                "  {port}: {asset} is {dev_eui}",
                port=node.port,
                asset=record.asset,
                dev_eui=record.dev_eui,
            )
        )
    for each in outcomes:
        if each.made is None:
            where = [" (", NodeStep(each.step).words, ")"] if each.step else []
            lines.append(joined("", ["  ", each.port, *where, ": ", each.problem, "."]))
            lines.append(joined("", ["    ", _("Next: {cure}.", cure=each.cure)]))
    return joined("\n", lines)


def _end(display: Board, outcome: Outcome) -> None:
    if outcome.made is None:
        display.end(outcome.port, outcome.problem, ok=False)
        return
    display.views[outcome.port].name = outcome.made.record.asset
    proof = outcome.made.proof
    display.end(outcome.port, proof.sentence() if proof else _("made"), ok=True)


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_read(path, error, _("Correct --assets-from")) from None
    if len(lines) > LIST_LINES_MAX:
        raise OrderError(
            "{path} has {count} lines",
            "Keep it under {most}",
            path=path,
            count=len(lines),
            most=LIST_LINES_MAX,
        )
    return [name for line in lines if (name := line.partition("#")[0].strip())]
