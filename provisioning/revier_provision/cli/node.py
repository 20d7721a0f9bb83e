# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision node and register: a board becomes a node."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple, cast

import typer

from revier_inventory import DOMAIN_BY_KIND, Asset, put_asset
from revier_inventory.message import Message, _, joined
from revier_inventory.model import Kind
from revier_provision import inventory_files
from revier_provision.board.repl_board import open_board
from revier_provision.books import Books, allotted_to, provision_entered
from revier_provision.cli.books import ByOption, LedgerOption, StationOption, VaultOption
from revier_provision.cli.language import ask_secret
from revier_provision.cli.options import (
    EuiBlockOption,
    IdentityOption,
    InventoryOption,
    JsonOption,
    VirtualOption,
    WindowOption,
)
from revier_provision.cli.output import Output
from revier_provision.cli.replace import before_it, take_over
from revier_provision.cli.server import (
    GIVE_SERVER,
    CodecOption,
    RootsOption,
    ServerOption,
    TokenOption,
)
from revier_provision.cli.site import (
    OnePortOption,
    ProveOption,
    SiteOption,
    only_port,
    site_with,
)
from revier_provision.cli.whole_way import REGISTER, made_sentence, whole_way
from revier_provision.errors import OrderError
from revier_provision.fleet.allotment import order_with_block, read_block
from revier_provision.flow import order_from
from revier_provision.links import BOARD_DEFAULT, JOIN_EUI_NONE, BoardLink, NodeOrder, NodeRecord
from revier_provision.lns.reach import connected
from revier_provision.plan import Step
from revier_provision.workshop.make_node import Wanted
from revier_provision.workshop.opened import open_books
from revier_provision.workshop.serial_table import SerialTable
from revier_provision.workshop.site_file import SITE_FILE, Site


class _NewAsset(NamedTuple):
    """What options say of an asset; it is made if name and place are given."""

    asset: str | None
    kind: str | None
    ags: str | None
    name: str | None
    lon: float | None
    lat: float | None


def node(
    port: OnePortOption = None,
    kind: Annotated[str | None, typer.Option(help="air, parking or waste.")] = None,
    asset: Annotated[
        str | None, typer.Option(help="What the node will measure, e.g. herten-air-01.")
    ] = None,
    ags: Annotated[str | None, typer.Option(help="The owner's 8 digits, e.g. 05562020.")] = None,
    inventory: InventoryOption = None,
    site: SiteOption = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    name: Annotated[str | None, typer.Option(help="For a new asset: its name in words.")] = None,
    lon: Annotated[float | None, typer.Option(help="For a new asset: longitude, WGS 84.")] = None,
    lat: Annotated[float | None, typer.Option(help="For a new asset: latitude, WGS 84.")] = None,
    board: Annotated[str | None, typer.Option(help="Name of the board description.")] = None,
    interval_s: Annotated[int | None, typer.Option(help="Seconds between readings.")] = None,
    join_eui: Annotated[str, typer.Option(help="16 hex digits.")] = JOIN_EUI_NONE,
    eui_block: EuiBlockOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the asset over from another device.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take the next planned asset without asking.")
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
    """Make a board a node. With a site file the whole way: flash, upload, identity, self-test,
    registration, proof of join and first reading, label, ledger. Safe to run again."""
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
            join_eui=join_eui.lower(), replace=replace, local_mac_ok=virtual,
            window_s=window_s, prove=prove,
        )  # fmt: skip
        new = _NewAsset(asset, kind, ags, name, lon, lat)
        if where.path is not None:
            _with_site(out, where, wanted, new, by, ask=not (yes or as_json), show=not as_json)
        else:
            _with_options(out, where, wanted, new, by)


def register(
    port: OnePortOption = None,
    inventory: InventoryOption = None,
    site: SiteOption = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    vault: VaultOption = None,
    identity_file: IdentityOption = None,
    virtual: VirtualOption = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Register a node in ChirpStack that was provisioned without it.

    It keeps its key if the vault has it and --identity-file opens the vault; else it gets a new
    one.
    """
    out = Output(as_json=as_json)
    with out.errors():
        options = {
            "inventory": inventory, "ledger": ledger, "station": station, "vault": vault,
            "server": server, "token_file": token_file, "tls_roots": tls_roots, "codec": codec,
            "identity_file": identity_file,
        }  # fmt: skip
        where = site_with(site, options)
        if where.server is None:
            raise OrderError("There is nothing to register with", GIVE_SERVER)

        def order(link: BoardLink, books: Books) -> NodeOrder:
            allotted = allotted_to(books.ledger.records(), link.factory_mac())
            return order_from(link, where.inventory, local_mac_ok=virtual, allotted=allotted)

        where_port = port or only_port(SerialTable(where).ports())
        _provision(out, where, where_port, window_s, order, by)


def _with_site(
    out: Output,
    site: Site,
    wanted: Wanted,
    new: _NewAsset,
    by: str | None,
    *,
    ask: bool,
    show: bool,
) -> None:
    """The whole way."""
    if new.name is not None or new.lon is not None or new.lat is not None:
        _ensure_asset(site.inventory, new)
    made = whole_way(site, wanted, by, ask=ask, show=show)
    out.result(made, joined("\n", [made_sentence(made), *before_it(made)]))


def _with_options(out: Output, site: Site, wanted: Wanted, new: _NewAsset, by: str | None) -> None:
    """Identity, registration and record."""
    named = {
        "--asset": new.asset, "--kind": new.kind, "--ags": new.ags, "--port": wanted.port or None
    }  # fmt: skip
    missing = [option for option, value in named.items() if value is None]
    if missing:
        cure = "Give {missing}, or write {site_file} (docs/technician.md)"
        raise OrderError(
            "Without a site file a node needs more options",
            cure,
            missing=joined(_(" and "), missing),
            site_file=SITE_FILE,
        )
    if wanted.replace:
        take_over(out, site, wanted, by)
    else:
        _short_way(out, site, wanted, new, by)


def _short_way(out: Output, site: Site, wanted: Wanted, new: _NewAsset, by: str | None) -> None:
    order = NodeOrder(
        kind=_kind(new.kind),
        asset=new.asset or "",
        ags=new.ags or "",
        since=datetime.now(UTC).replace(microsecond=0),
        board=wanted.board or BOARD_DEFAULT,
        interval_s=wanted.interval_s,
        join_eui=wanted.join_eui,
        local_mac_ok=wanted.local_mac_ok,
    )
    _ensure_asset(site.inventory, new)
    block = read_block(site.eui_block)

    def ordered(link: BoardLink, books: Books) -> NodeOrder:
        return order_with_block(order, link, block, site.inventory, books)

    _provision(out, site, wanted.port, wanted.window_s, ordered, by)


def _kind(kind: str | None) -> Kind:
    if kind not in DOMAIN_BY_KIND:
        raise OrderError(
            "There is no kind {kind!r}",
            "Give one of {kinds}",
            kind=kind,
            kinds=", ".join(DOMAIN_BY_KIND),
        )
    return cast(Kind, kind)


def _ensure_asset(folder: Path, new: _NewAsset) -> None:
    """Create the asset when the options describe a new one."""
    name, lon, lat = new.name, new.lon, new.lat
    if name is None and lon is None and lat is None:
        return
    if name is None or lon is None or lat is None:
        raise OrderError("A new asset needs --name, --lon and --lat", "Give all three")
    if new.asset is None or new.ags is None:
        raise OrderError("A new asset needs --asset, --kind and --ags", "Give all three")
    known = inventory_files.read(folder).asset(new.asset)
    if known is None:
        asset = Asset(
            asset=new.asset, kind=_kind(new.kind), ags=new.ags, name=name, lon=lon, lat=lat
        )
        inventory_files.change(folder, lambda inventory: put_asset(inventory, asset))
    elif (known.name, known.lon, known.lat) != (name, lon, lat):
        cure = "Leave out --name, --lon and --lat, or correct assets.toml"
        raise OrderError(
            "The asset {asset!r} is in the inventory, but not so", cure, asset=new.asset
        )


def _provision(
    out: Output,
    site: Site,
    port: str,
    window_s: float,
    order_for: Callable[[BoardLink, Books], NodeOrder],
    by: str | None,
) -> None:
    books = open_books(site, by, _passphrase)
    with connected(site.server, site.token_file, site.tls_roots, site.codec) as network_server:
        out.knock(port)
        with open_board(port, window_s) as link:
            record = provision_entered(
                lambda board: order_for(board, books), link, network_server, site.inventory,
                secrets.token_bytes, books, out.progress,
            )  # fmt: skip
    out.result(record, _sentence(record))


def _passphrase() -> str:
    return ask_secret(_("Passphrase"))


def _sentence(record: NodeRecord) -> Message:
    done = _("nothing had to be changed")
    if record.steps:
        done = _("done: {steps}", steps=joined(", ", (Step(each).words for each in record.steps)))
    sentence = _(
        "Node {dev_eui} serves {asset} ({ags}); {done}.",
        dev_eui=record.dev_eui,
        asset=record.asset,
        ags=record.ags,
        done=done,
    )
    return sentence if record.registered else joined("\n", [sentence, REGISTER])
