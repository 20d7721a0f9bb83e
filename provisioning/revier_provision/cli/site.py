# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Where a command works: what the site file says, and what options say before it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperGroup, TyperOption

from revier_provision.cli.books import LEDGER_NAME
from revier_provision.cli.language import speak, translate_help
from revier_provision.cli.output import Output
from revier_provision.cli.usage import usage_said
from revier_provision.errors import OrderError
from revier_provision.workshop import site_file
from revier_provision.workshop.site_file import SITE_FILE, SITE_VARIABLE, Site

PORTS_SHOWN_MAX = 8

SiteOption = Annotated[
    Path | None,
    typer.Option(
        "--site",
        envvar=SITE_VARIABLE,
        help=f"Site file; else ./{SITE_FILE} if there is one. Options go before it.",
    ),
]
OnePortOption = Annotated[
    str | None, typer.Option("--port", help="The board's serial port; else the only one there is.")
]
ProveOption = Annotated[
    bool, typer.Option("--prove/--no-prove", help="Wait for the join and the first reading.")
]


class SiteGroup(TyperGroup):
    """Commands whose options come from the site file where they are not given. A command that
    takes --site reads it itself. All of them speak the language of who reads. (Any: typer's own
    copy of click is private.)"""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        args = speak(args, os.environ)
        translate_help(self, ctx)
        with usage_said():
            rest = super().parse_args(ctx, args)
        command = self.get_command(ctx, args[0]) if args else None
        if command is None or "--help" in args or not _takes_site(command):
            return rest
        out = Output(as_json="--json" in args)
        with out.errors():
            named = os.environ.get(SITE_VARIABLE)
            site = find_site(Path(named) if named else None)
            if site is not None:
                ctx.default_map = {args[0]: _defaults(command, _values(site))}
        return rest

    def invoke(self, ctx: Any) -> Any:
        with usage_said():
            return super().invoke(ctx)


def _values(site: Site) -> dict[str, str]:
    """By the name of the option's parameter."""
    names = (
        "inventory", "station", "vault", "identity_file", "eui_block", "server", "token_file",
        "tls_roots", "codec", "lang", "vendor_id",
    )  # fmt: skip
    found = {name: getattr(site, name) for name in names}
    found["vault_folder"] = site.vault  # where a vault must be
    if site.ledger != site.inventory / LEDGER_NAME:  # else --inventory brings its own
        found["ledger"] = site.ledger
    return {name: str(value) for name, value in found.items() if value is not None}


def _takes_site(command: Any) -> bool:
    if isinstance(command, TyperGroup):
        return any(_takes_site(each) for each in command.commands.values())
    names = {each.name for each in command.params}
    return "inventory" in names and "site" not in names


def _defaults(command: Any, values: dict[str, str]) -> dict[str, Any]:
    if isinstance(command, TyperGroup):
        return {name: _defaults(each, values) for name, each in command.commands.items()}
    if not _takes_site(command):
        return {}
    options = [each.name for each in command.params if isinstance(each, TyperOption)]
    return {name: values[name] for name in options if name in values}


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
        cure = "Give --inventory, or write {site_file} (docs/technician.md)"
        raise OrderError("There is no inventory named", cure, site_file=SITE_FILE)
    return Site(**given)


def only_port(ports: Sequence[str]) -> str:
    if len(ports) == 1:
        return ports[0]
    if not ports:
        cure = "Plug the board in, with a cable that carries data, or give --port"
        raise OrderError("No serial port leads to a board", cure)
    shown = ", ".join(ports[:PORTS_SHOWN_MAX])
    cure = "Give --port, or make nodes of all of them with: revier-provision batch"
    raise OrderError("There are {count} ports: {shown}", cure, count=len(ports), shown=shown)
