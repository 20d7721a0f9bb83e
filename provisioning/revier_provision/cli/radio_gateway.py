# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision radio-gateway: LoRaWAN gateways on the roofs."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from revier_inventory import RadioGateway
from revier_inventory.message import Message, _, joined
from revier_provision.cli.options import PLAIN, FolderOption, JsonOption
from revier_provision.cli.output import EXIT_REFUSED, Output
from revier_provision.cli.server import GIVE_SERVER, RootsOption, ServerOption, TokenOption
from revier_provision.errors import OrderError
from revier_provision.fleet import radio_gateways
from revier_provision.flow import register_radio_gateway
from revier_provision.lns.reach import connected

app = typer.Typer(help="LoRaWAN gateways on the roofs.", **PLAIN)  # type: ignore[arg-type]


@app.command("add")
def add(
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
    certificate_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for a new client certificate and its key, made by ChirpStack."),
    ] = None,
    wait_s: Annotated[
        float, typer.Option(help="How long to wait for its first statistics; 0: not.", min=0)
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Register a LoRaWAN gateway, record its position, see it live. Safe to run again."""
    out = Output(as_json=as_json)
    with out.errors():
        if server is None and (certificate_dir is not None or wait_s):
            raise OrderError("Certificate and statistics are ChirpStack's", GIVE_SERVER)
        gateway = RadioGateway(
            gateway_id=gateway_id.lower(), name=name, lon=lon, lat=lat, altitude_m=altitude_m
        )
        data: dict[str, object] = {"gateway_id": gateway.gateway_id, "name": name, "ags": ags}
        lines, late = [], False
        with connected(server, token_file, tls_roots, None) as network_server:
            register_radio_gateway(gateway, ags, network_server, inventory)
            where = _("recorded and registered") if server else _("recorded, not yet registered")
            lines.append(
                _(
                    "Radio gateway {gateway_id} is {where}.",
                    gateway_id=gateway.gateway_id,
                    where=where,
                )
            )
            if network_server is not None and certificate_dir is not None:
                made = network_server.gateway_certificate(gateway.gateway_id)
                paths = radio_gateways.keep(made, gateway.gateway_id, certificate_dir)
                data["certificate"] = [str(path) for path in paths]
                data["certificate_ends"] = made.expires_at
                lines.append(_certificate(certificate_dir, made.expires_at))
            if network_server is not None and wait_s:
                out.progress(_("wait up to {wait_s:.0f} s for its statistics", wait_s=wait_s))
                server_now = network_server
                seen = radio_gateways.wait_until_seen(
                    lambda: server_now.radio_gateway_seen(gateway.gateway_id),
                    lambda: datetime.now(UTC),
                    time.sleep,
                    wait_s,
                )
                data["last_seen"], late = seen, seen is None
                lines.append(_seen(seen, wait_s))
        out.result(data, joined("\n", lines))
        if late:
            raise typer.Exit(EXIT_REFUSED)


def _certificate(folder: Path, ends: datetime | None) -> Message:
    if ends is None:
        return _("Its certificate is in {folder}. Next: copy it there.", folder=folder)
    return _(
        "Its certificate is in {folder}. It ends on {ends:%Y-%m-%d}. Next: copy it there.",
        folder=folder,
        ends=ends,
    )


def _seen(seen: datetime | None, wait_s: float) -> Message:
    if seen is not None:
        return _("It lives: its last statistics came at {seen:%Y-%m-%d %H:%M:%S} UTC.", seen=seen)
    return _(
        "It has not been heard within {wait_s:.0f} s.\n"
        "  Next: check its power and network, that its id is this one, that it publishes to "
        "ChirpStack's broker under the topic of the region (eu868), and its certificate; "
        "then run this again.",
        wait_s=wait_s,
    )
