# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision replace: a new board takes an asset over."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from revier_inventory.message import Message, _, joined
from revier_provision import inventory_files
from revier_provision.board.repl_board import open_board
from revier_provision.cli.books import (
    ByOption,
    LedgerOption,
    StationOption,
    VaultOption,
)
from revier_provision.cli.options import (
    EuiBlockOption,
    InventoryOption,
    JsonOption,
    VirtualOption,
    WindowOption,
)
from revier_provision.cli.output import Output
from revier_provision.cli.server import (
    CodecOption,
    RootsOption,
    ServerOption,
    TokenOption,
)
from revier_provision.cli.site import OnePortOption, ProveOption, SiteOption, only_port, site_with
from revier_provision.cli.whole_way import REGISTER, made_sentence, whole_way
from revier_provision.fleet import lifecycle
from revier_provision.fleet.allotment import order_with_block, read_block
from revier_provision.links import JOIN_EUI_NONE, NodeOrder
from revier_provision.lns.reach import connected
from revier_provision.workshop.make_node import NodeMade, Wanted
from revier_provision.workshop.opened import open_books
from revier_provision.workshop.serial_table import SerialTable
from revier_provision.workshop.site_file import Site

LEFT_OUT = _(
    "Firmware, self-test, proof and label were left out: with a site file, and without "
    "--books-only, they are done, too."
)


def replace(
    asset: Annotated[str, typer.Option(help="The asset that the new board takes over.")],
    port: OnePortOption = None,
    inventory: InventoryOption = None,
    site: SiteOption = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    board: Annotated[str | None, typer.Option(help="Name of the board description.")] = None,
    interval_s: Annotated[int | None, typer.Option(help="Seconds between readings.")] = None,
    join_eui: Annotated[str, typer.Option(help="16 hex digits.")] = JOIN_EUI_NONE,
    eui_block: EuiBlockOption = None,
    books_only: Annotated[
        bool,
        typer.Option(
            "--books-only",
            help="Identity, registration and record only: firmware, self-test, proof and label "
            "are left out.",
        ),
    ] = False,
    prove: ProveOption = True,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    vault: VaultOption = None,
    virtual: VirtualOption = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """A new board takes an asset over; its history stays. With a site file the whole way of
    `node`, from flash to label. Safe to run again.

    The old device stays registered, without its asset, until it is retired: late readings count.
    """
    out = Output(as_json=as_json)
    with out.errors():
        options = {
            "inventory": inventory, "ledger": ledger, "station": station, "vault": vault,
            "server": server, "token_file": token_file, "tls_roots": tls_roots, "codec": codec,
            "eui_block": eui_block,
        }  # fmt: skip
        where = site_with(site, options)
        wanted = Wanted(
            port=port or "", asset=asset, board=board, interval_s=interval_s,
            join_eui=join_eui.lower(), replace=True, local_mac_ok=virtual,
            window_s=window_s, prove=prove,
        )  # fmt: skip
        if where.path is None or books_only:
            take_over(out, where, wanted, by)
        else:
            known_asset(where, wanted)
            made = whole_way(where, wanted, by, ask=False, show=not as_json)
            out.result(made, joined("\n", [made_sentence(made), *before_it(made)]))


def take_over(out: Output, site: Site, wanted: Wanted, by: str | None) -> None:
    """Identity, registration and record of a board that has its firmware already."""
    order = known_asset(site, wanted)
    port = wanted.port or only_port(SerialTable(site).ports())
    books = open_books(site, by)
    block = read_block(site.eui_block)
    with connected(site.server, site.token_file, site.tls_roots, site.codec) as network_server:
        out.knock(port)
        with open_board(port, wanted.window_s) as link:
            order = order_with_block(order, link, block, site.inventory, books)
            done = lifecycle.replace(
                order, link, network_server, site.inventory, secrets.token_bytes, books,
                out.progress,
            )  # fmt: skip
    out.result(done, joined("\n", [*_replaced(done), LEFT_OUT, *before_it(done)]))


def known_asset(site: Site, wanted: Wanted) -> NodeOrder:
    """The order for the asset, which must be in the inventory. Raises OrderError."""
    order = lifecycle.replacement_order(
        inventory_files.read(site.inventory),
        wanted.asset or "",
        datetime.now(UTC).replace(microsecond=0),
        board=wanted.board or site.board,
        interval_s=wanted.interval_s,
        join_eui=wanted.join_eui,
        local_mac_ok=wanted.local_mac_ok,
    )
    if order.interval_s is None:
        order = msgspec.structs.replace(order, interval_s=site.interval_s.get(order.kind))
    return order


def _replaced(done: lifecycle.Replacement) -> list[Message]:
    record = done.record
    now = _(
        "Node {dev_eui} serves {asset} ({ags}).",
        dev_eui=record.dev_eui,
        asset=record.asset,
        ags=record.ags,
    )
    return [now] if record.registered else [now, REGISTER]


def before_it(done: lifecycle.Replacement | NodeMade) -> list[Message]:
    """What became of the device that served the asset before, as lines; empty: nothing did."""
    if done.old_dev_eui is None:
        return []
    lines = [
        _(
            "Before it did {dev_eui}; what that measured stays the asset's.",
            dev_eui=done.old_dev_eui,
        )
    ]
    if not done.record.registered:
        lines.append(
            _("Then run replace again: it takes the asset off the old device in ChirpStack.")
        )
    elif done.old_kept:
        lines.append(
            _(
                "The old device stays in ChirpStack without its asset, so that readings which it "
                "sends late still count.\nNext, when they are in: revier-provision retire "
                "--dev-eui {dev_eui}, with --port if it is in hand.",
                dev_eui=done.old_dev_eui,
            )
        )
    return lines
