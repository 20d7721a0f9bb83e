# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Where a command works: what the site file says, and what options say before it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from revier_provision.errors import OrderError
from revier_provision.workshop import site_file
from revier_provision.workshop.site_file import SITE_FILE, Site

PORTS_SHOWN_MAX = 8

SiteOption = Annotated[
    Path | None,
    typer.Option(
        "--site",
        envvar="REVIER_SITE",
        help=f"Site file; else ./{SITE_FILE} if there is one. Options go before it.",
    ),
]
OnePortOption = Annotated[
    str | None, typer.Option("--port", help="The board's serial port; else the only one there is.")
]
InventoryOption = Annotated[
    Path | None,
    typer.Option("--inventory", envvar="REVIER_INVENTORY", help="Folder of the inventory."),
]
IdentityOption = Annotated[
    Path | None,
    typer.Option("--identity-file", help="What opens the vault, so that a board keeps its key."),
]
VirtualOption = Annotated[
    bool, typer.Option("--virtual", help="Accept a virtual board's local MAC address.")
]
ProveOption = Annotated[
    bool, typer.Option("--prove/--no-prove", help="Wait for the join and the first reading.")
]


def find_site(path: Path | None) -> Site | None:
    """The site file that is named, or the one that lies here; None: there is none."""
    if path is None:
        here = Path(SITE_FILE)
        return site_file.read(here) if here.exists() else None
    return site_file.read(path)


def site_with(path: Path | None, options: dict[str, Any]) -> Site:
    """The site, with the options that were given before what it says. Without a site file the
    options must name the inventory."""
    given = {name: value for name, value in options.items() if value is not None}
    if "inventory" in given and "ledger" not in given:
        given["ledger"] = given["inventory"] / "ledger"
    known = find_site(path)
    if known is not None:
        return msgspec.structs.replace(known, **given)
    if "inventory" not in given:
        cure = f"Give --inventory, or write {SITE_FILE} (docs/technician.md)"
        raise OrderError("There is no inventory named", cure)
    return Site(**given)


def only_port(ports: Sequence[str]) -> str:
    if len(ports) == 1:
        return ports[0]
    if not ports:
        cure = "Plug the board in, with a cable that carries data, or give --port"
        raise OrderError("No serial port leads to a board", cure)
    shown = ", ".join(ports[:PORTS_SHOWN_MAX])
    cure = "Give --port, or make nodes of all of them with: revier-provision batch"
    raise OrderError(f"There are {len(ports)} ports: {shown}", cure)
