# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision rekey and retire: a node's later life."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from revier_inventory.message import Message, _
from revier_inventory.model import EUI
from revier_provision.board.repl_board import ReplBoard, open_board
from revier_provision.cli.books import (
    ByOption,
    LedgerOption,
    StationOption,
    VaultOption,
    open_books,
)
from revier_provision.cli.language import ask
from revier_provision.cli.options import (
    FolderOption,
    JsonOption,
    OptionalPort,
    PortOption,
    VirtualOption,
    WindowOption,
)
from revier_provision.cli.output import Output
from revier_provision.cli.server import (
    GIVE_SERVER,
    CodecOption,
    RootsOption,
    ServerOption,
    TokenOption,
)
from revier_provision.cli.vault import plain_dev_eui
from revier_provision.errors import OrderError
from revier_provision.fleet import lifecycle
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.lns.reach import connected


def rekey(
    port: PortOption,
    inventory: FolderOption,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    board: Annotated[
        str | None, typer.Option(help="Name of its description, if /node.json is lost.")
    ] = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    vault: VaultOption = None,
    virtual: VirtualOption = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Give the node on PORT a new key, at both ends. Cut anywhere, run it again."""
    out = Output(as_json=as_json)
    with out.errors():
        books = open_books(inventory, ledger, station, by, vault)
        with connected(server, token_file, tls_roots, codec) as network_server:
            reached = _reached(
                network_server, _("a key on the board alone would lock the node out")
            )
            with _knock(out, port, window_s) as link:
                record = lifecycle.rekey(
                    link,
                    reached,
                    inventory,
                    secrets.token_bytes,
                    books,
                    out.progress,
                    board_name=board,
                    local_mac_ok=virtual,
                )
        sentence = _(
            "Node {dev_eui} ({asset}) has a new key, and joins with it.",
            dev_eui=record.dev_eui,
            asset=record.asset,
        )
        out.result(record, sentence)


def retire(
    inventory: FolderOption,
    dev_eui: Annotated[
        str | None, typer.Option(help="16 hex digits, as on the label; else the board's.")
    ] = None,
    port: OptionalPort = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    virtual: VirtualOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Take a node out: of ChirpStack first, then off its asset, then off the board on PORT.

    Readings that the node still holds are lost. You are asked to type the DevEUI.
    """
    out = Output(as_json=as_json)
    with out.errors():
        books = open_books(inventory, ledger, station, by, None)
        wanted = _checked(dev_eui)
        if wanted is None and port is None:
            raise OrderError("There is nothing to retire", "Give --dev-eui, --port or both")
        with connected(server, token_file, tls_roots, None) as network_server:
            reached = _reached(
                network_server, _("its key must be worth nothing before the board is")
            )
            if port is None:
                assert wanted is not None
                _confirm(wanted, yes=yes)
                done = lifecycle.retire(
                    wanted, None, reached, inventory, books, _now(), out.progress
                )
            else:
                if wanted is not None:
                    _confirm(wanted, yes=yes)
                with _knock(out, port, window_s) as link:
                    if wanted is None:
                        wanted = link.state().dev_eui
                        wanted = wanted or lifecycle.dev_eui_of_board(
                            link, books, local_mac_ok=virtual
                        )
                        _confirm(wanted, yes=yes)
                    done = lifecycle.retire(
                        wanted,
                        link,
                        reached,
                        inventory,
                        books,
                        _now(),
                        out.progress,
                        local_mac_ok=virtual,
                    )
        out.result(done, _retired(done))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@contextmanager
def _knock(out: Output, port: str, window_s: float) -> Iterator[ReplBoard]:
    out.knock(port)
    with open_board(port, window_s) as link:
        yield link


def _reached(network_server: FleetChirpStack | None, why: Message) -> FleetChirpStack:
    if network_server is None:
        raise OrderError("This needs ChirpStack: {why}", GIVE_SERVER, why=why)
    return network_server


def _checked(dev_eui: str | None) -> str | None:
    if dev_eui is None:
        return None
    plain = plain_dev_eui(dev_eui)
    if not EUI.match(plain):
        raise OrderError(
            "{dev_eui!r} is no DevEUI", "Write 16 hex digits, as on the label", dev_eui=dev_eui
        )
    return plain


def _confirm(dev_eui: str, *, yes: bool) -> None:
    if yes:
        return
    typed = ask(_("Type the DevEUI to retire {dev_eui}", dev_eui=dev_eui))
    if plain_dev_eui(typed) != dev_eui:
        raise OrderError(
            "That is another DevEUI; nothing was done",
            "Run again and type {dev_eui}",
            dev_eui=dev_eui,
        )


def _retired(done: lifecycle.Retirement) -> Message:
    out = _("Device {dev_eui} is out of ChirpStack", dev_eui=done.dev_eui)
    if not done.was_registered:
        out = _("Device {dev_eui} is not in ChirpStack any more", dev_eui=done.dev_eui)
    if done.period_ended:
        out = _("{out} and serves {asset} no longer", out=out, asset=done.asset)
    if done.wiped:
        return _("{out}; the board holds no identity and no key.", out=out)
    return _(
        "{out}. Its key, which opens nothing any more, is still on the board.\nNext, when the "
        "board is in hand: revier-provision retire --dev-eui {dev_eui} --port PORT",
        out=out,
        dev_eui=done.dev_eui,
    )
