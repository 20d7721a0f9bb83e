# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The whole way of one board, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec
import typer
from rich.console import Console

from revier_inventory import Asset
from revier_inventory.message import NOTHING, Message, _, joined
from revier_provision.cli.language import ask as answer
from revier_provision.cli.language import spoken
from revier_provision.cli.site import only_port
from revier_provision.errors import OrderError
from revier_provision.translation import say
from revier_provision.workshop.make_node import NodeMade, Wanted, make_node
from revier_provision.workshop.opened import open_bench
from revier_provision.workshop.serial_table import SerialTable
from revier_provision.workshop.site_file import Site
from revier_provision.workshop.step_events import StepFailedError
from revier_provision.workshop.terminal import Card

FREE_SHOWN_MAX = 12
REGISTER = _("Next: register it with revier-provision register.")


def whole_way(site: Site, wanted: Wanted, by: str | None, *, ask: bool, show: bool) -> NodeMade:
    """As `make_node` on the site's bench, with a card that shows how far it is."""
    table = SerialTable(site)
    port = wanted.port or only_port(table.ports())
    wanted = msgspec.structs.replace(wanted, port=port)
    card = Card(Console(stderr=True, highlight=False, quiet=not show), port, spoken())

    def which(proposal: Asset, free: Sequence[Asset]) -> str:
        if not ask:
            return proposal.asset
        if not sys.stdin.isatty():
            raise OrderError("Nobody can be asked which asset", "Give --asset, or --yes")
        with card.paused():
            return _asked(proposal, free)

    with open_bench(site, table, by=by, ask=which) as bench, card.shown():
        try:
            made = make_node(bench, wanted, card.hear)
        except StepFailedError as error:
            card.view.end(error.problem, ok=False, cure=error.cure)
            raise
        card.view.name = made.record.asset
        card.view.end(NOTHING, ok=True)
    return made


def _asked(proposal: Asset, free: Sequence[Asset]) -> str:
    """The one question of a node."""
    for each in free[:FREE_SHOWN_MAX]:
        typer.echo(f"  {each.asset:24} {each.kind:8} {each.name}", err=True)
    if len(free) > FREE_SHOWN_MAX:
        more = _("  ... and {count} more", count=len(free) - FREE_SHOWN_MAX)
        typer.echo(say(more, spoken()), err=True)
    return answer(_("Which asset does this board serve"), default=proposal.asset).strip()


def made_sentence(made: NodeMade) -> Message:
    record = made.record
    lines = [
        _(
            "Node {dev_eui} serves {asset} ({ags}), {seconds:.0f} s.",
            dev_eui=record.dev_eui,
            asset=record.asset,
            ags=record.ags,
            seconds=made.seconds,
        )
    ]
    if made.proof is not None:
        lines.append(_("First reading: {proof}.", proof=made.proof.sentence()))
    if made.labels:
        lines.append(_("Label: {labels}", labels=", ".join(made.labels)))
    if not record.registered:
        lines.append(REGISTER)
    return joined("\n", lines)
