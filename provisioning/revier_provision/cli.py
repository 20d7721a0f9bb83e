# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision: the technician's command."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revier_inventory import RadioGateway
from revier_provision import (
    cli_batch,
    cli_chip,
    cli_doctor,
    cli_label,
    cli_ledger,
    cli_node,
    cli_settings,
    cli_update,
    cli_upload,
    cli_vault,
    inventory_files,
)
from revier_provision.cli_options import PLAIN, FolderOption, JsonOption
from revier_provision.cli_output import Output
from revier_provision.cli_server import RootsOption, ServerOption, TokenOption, connected
from revier_provision.flow import register_radio_gateway

app = typer.Typer(help="From a bare board to a live, recorded node.", **PLAIN)  # type: ignore[arg-type]
inventory_app = typer.Typer(help="The inventory's folder of TOML files.", **PLAIN)  # type: ignore[arg-type]
gateway_app = typer.Typer(help="LoRaWAN gateways on the roofs.", **PLAIN)  # type: ignore[arg-type]
app.add_typer(inventory_app, name="inventory")
app.add_typer(gateway_app, name="radio-gateway")
app.add_typer(cli_settings.app, name="settings")
app.add_typer(cli_ledger.app, name="ledger")
app.add_typer(cli_vault.app, name="vault")
app.command("node")(cli_node.node)
app.command("register")(cli_node.register)
app.command("batch")(cli_batch.batch)
app.command("ports")(cli_chip.ports)
app.command("flash")(cli_chip.flash)
app.command("doctor")(cli_doctor.doctor)
app.add_typer(cli_update.app, name="firmware")
app.command("update")(cli_update.update)
app.command("upload")(cli_upload.upload)
app.command("label")(cli_label.label)
app.command("show-key")(cli_vault.show_key)

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the inventory.")]


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


def main() -> None:
    app()
