# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision: the technician's command."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from revier_inventory import DOMAIN_BY_KIND, Asset, RadioGateway, put_asset
from revier_inventory.model import Kind
from revier_provision import (
    cli_label,
    cli_ledger,
    cli_settings,
    cli_update,
    cli_upload,
    cli_vault,
    inventory_files,
)
from revier_provision.board import open_board
from revier_provision.books import Books, provision_entered
from revier_provision.cli_books import (
    ByOption,
    LedgerOption,
    StationOption,
    VaultOption,
    open_books,
)
from revier_provision.cli_options import PLAIN, FolderOption, JsonOption, PortOption, WindowOption
from revier_provision.cli_output import Output
from revier_provision.cli_server import (
    CodecOption,
    RootsOption,
    ServerOption,
    TokenOption,
    connected,
)
from revier_provision.errors import OrderError
from revier_provision.flow import order_from, register_radio_gateway
from revier_provision.links import (
    BOARD_DEFAULT,
    JOIN_EUI_NONE,
    BoardLink,
    NetworkServer,
    NodeOrder,
    NodeRecord,
)

app = typer.Typer(help="From a bare board to a live, recorded node.", **PLAIN)  # type: ignore[arg-type]
inventory_app = typer.Typer(help="The inventory's folder of TOML files.", **PLAIN)  # type: ignore[arg-type]
gateway_app = typer.Typer(help="LoRaWAN gateways on the roofs.", **PLAIN)  # type: ignore[arg-type]
app.add_typer(inventory_app, name="inventory")
app.add_typer(gateway_app, name="radio-gateway")
app.add_typer(cli_settings.app, name="settings")
app.add_typer(cli_ledger.app, name="ledger")
app.add_typer(cli_vault.app, name="vault")
app.add_typer(cli_update.app, name="firmware")
app.command("update")(cli_update.update)
app.command("upload")(cli_upload.upload)
app.command("label")(cli_label.label)
app.command("show-key")(cli_vault.show_key)

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the inventory.")]
VirtualOption = Annotated[
    bool, typer.Option("--virtual", help="Accept a virtual board's local MAC address.")
]


@app.command()
def node(
    port: PortOption,
    kind: Annotated[str, typer.Option(help="air, parking or waste.")],
    asset: Annotated[str, typer.Option(help="What the node will measure, e.g. herten-air-01.")],
    ags: Annotated[str, typer.Option(help="The owner's 8 digits, e.g. 05562020.")],
    inventory: FolderOption,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    name: Annotated[str | None, typer.Option(help="For a new asset: its name in words.")] = None,
    lon: Annotated[float | None, typer.Option(help="For a new asset: longitude, WGS 84.")] = None,
    lat: Annotated[float | None, typer.Option(help="For a new asset: latitude, WGS 84.")] = None,
    board: Annotated[str, typer.Option(help="Name of the board description.")] = BOARD_DEFAULT,
    interval_s: Annotated[int | None, typer.Option(help="Seconds between readings.")] = None,
    join_eui: Annotated[str, typer.Option(help="16 hex digits.")] = JOIN_EUI_NONE,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the asset over from another device.")
    ] = False,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    vault: VaultOption = None,
    virtual: VirtualOption = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Make the board on PORT a node: identity, key, registration, record. Safe to run again."""
    out = Output(as_json=as_json)
    with out.errors():
        order = NodeOrder(
            kind=_kind(kind),
            asset=asset,
            ags=ags,
            since=datetime.now(UTC).replace(microsecond=0),
            board=board,
            interval_s=interval_s,
            join_eui=join_eui.lower(),
            replace=replace,
            local_mac_ok=virtual,
        )
        _ensure_asset(inventory, order, name, lon, lat)
        books = open_books(inventory, ledger, station, by, vault)
        with connected(server, token_file, tls_roots, codec) as network_server:
            _provision(out, port, window_s, lambda _: order, network_server, inventory, books)


@app.command()
def register(
    port: PortOption,
    inventory: FolderOption,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    vault: VaultOption = None,
    virtual: VirtualOption = False,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Register a node in ChirpStack that was provisioned without it. It gets a new key."""
    out = Output(as_json=as_json)
    with out.errors():
        if server is None:
            raise OrderError("There is nothing to register with", "Give --server host:port")
        books = open_books(inventory, ledger, station, by, vault)
        with connected(server, token_file, tls_roots, codec) as network_server:

            def order(link: BoardLink) -> NodeOrder:
                return order_from(link, inventory, local_mac_ok=virtual)

            _provision(out, port, window_s, order, network_server, inventory, books)


@app.command()
def status(
    inventory: FolderOption,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every asset with the device that serves it; with --server also when it was last heard."""
    out = Output(as_json=as_json)
    with out.errors():
        known = inventory_files.read(inventory)
        serving = {p.asset: p for p in known.periods if p.until is None}
        columns = ["asset", "kind", "ags", "name", "dev_eui", "since"]
        rows: list[dict[str, object]] = []
        with connected(server, token_file, tls_roots, None) as network_server:
            for asset in known.assets:
                period = serving.get(asset.asset)
                row = {key: getattr(asset, key) for key in columns[:4]}
                row["dev_eui"] = period.dev_eui if period else None
                row["since"] = period.since if period else None
                if network_server is not None:
                    row["last_seen"] = network_server.last_seen(period.dev_eui) if period else None
                rows.append(row)
        out.table(rows, [*columns, "last_seen"] if server else columns)


@inventory_app.command("init")
def inventory_init(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Make an empty inventory in FOLDER; existing files are left alone."""
    out = Output(as_json=as_json)
    with out.errors():
        inventory_files.init(folder)
        cure = "Next: write your municipality into owners.toml (docs/protocol/inventory.md)."
        out.result({"inventory": str(folder)}, f"The inventory is in {folder}. {cure}")


@inventory_app.command("check")
def inventory_check(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Read every file of FOLDER and list what is wrong."""
    out = Output(as_json=as_json)
    with out.errors():
        known = inventory_files.read(folder)
        counts = {
            "owners": len(known.owners),
            "sites": len(known.sites),
            "assets": len(known.assets),
            "periods": len(known.periods),
            "radio_gateways": len(known.radio_gateways),
        }
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        out.result(counts, f"The inventory is sound: {words}.")


@gateway_app.command("add")
def gateway_add(
    gateway_id: Annotated[str, typer.Option(help="16 hex digits, as printed on the gateway.")],
    name: Annotated[str, typer.Option(help="Where it stands, in words.")],
    lon: Annotated[float, typer.Option(help="Longitude, WGS 84.")],
    lat: Annotated[float, typer.Option(help="Latitude, WGS 84.")],
    ags: Annotated[str, typer.Option(help="The owner in whose tenant it is registered.")],
    inventory: FolderOption,
    altitude_m: Annotated[float | None, typer.Option(help="Metres above the sea.")] = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a LoRaWAN gateway and record its position. Safe to run again."""
    out = Output(as_json=as_json)
    with out.errors():
        gateway = RadioGateway(
            gateway_id=gateway_id.lower(), name=name, lon=lon, lat=lat, altitude_m=altitude_m
        )
        with connected(server, token_file, tls_roots, None) as network_server:
            register_radio_gateway(gateway, ags, network_server, inventory)
        where = "recorded and registered" if server else "recorded, not yet registered"
        out.result(gateway, f"Radio gateway {gateway.gateway_id} is {where}.")


def _provision(
    out: Output,
    port: str,
    window_s: float,
    order_for: Callable[[BoardLink], NodeOrder],
    network_server: NetworkServer | None,
    inventory: Path,
    books: Books,
) -> None:
    out.progress(f"knock at {port} (press the board's reset button now)")
    with open_board(port, window_s) as link:
        record = provision_entered(
            order_for, link, network_server, inventory, secrets.token_bytes, books, out.progress
        )
    out.result(record, _sentence(record))


def _kind(kind: str) -> Kind:
    if kind not in DOMAIN_BY_KIND:
        raise OrderError(f"There is no kind {kind!r}", f"Give one of {', '.join(DOMAIN_BY_KIND)}")
    return cast(Kind, kind)


def _ensure_asset(
    folder: Path, order: NodeOrder, name: str | None, lon: float | None, lat: float | None
) -> None:
    """Create the asset when the order describes a new one."""
    if name is None and lon is None and lat is None:
        return
    if name is None or lon is None or lat is None:
        raise OrderError("A new asset needs --name, --lon and --lat", "Give all three")
    known = inventory_files.read(folder).asset(order.asset)
    if known is None:
        asset = Asset(
            asset=order.asset, kind=order.kind, ags=order.ags, name=name, lon=lon, lat=lat
        )
        inventory_files.change(folder, lambda inventory: put_asset(inventory, asset))
    elif (known.name, known.lon, known.lat) != (name, lon, lat):
        cure = "Leave out --name, --lon and --lat, or correct assets.toml"
        raise OrderError(f"The asset {order.asset!r} is in the inventory, but not so", cure)


def _sentence(record: NodeRecord) -> str:
    done = "nothing had to be changed" if not record.steps else "done: " + ", ".join(record.steps)
    then = "" if record.registered else "\nNext: register it with revier-provision register."
    return f"Node {record.dev_eui} serves {record.asset} ({record.ags}); {done}.{then}"


def main() -> None:
    app()
