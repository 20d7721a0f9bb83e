# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision: the technician's command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revier_provision import (
    cli_batch,
    cli_chip,
    cli_doctor,
    cli_fleet,
    cli_handover,
    cli_install,
    cli_label,
    cli_ledger,
    cli_lifecycle,
    cli_node,
    cli_radio_gateway,
    cli_settings,
    cli_station,
    cli_update,
    cli_upload,
    cli_vault,
    inventory_files,
)
from revier_provision.cli_options import PLAIN, JsonOption
from revier_provision.cli_output import Output
from revier_provision.cli_site import SiteGroup

app = typer.Typer(cls=SiteGroup, help="From a bare board to a live, recorded node.", **PLAIN)  # type: ignore[arg-type]
inventory_app = typer.Typer(help="The inventory's folder of TOML files.", **PLAIN)  # type: ignore[arg-type]
app.command("node")(cli_node.node)
app.command("batch")(cli_batch.batch)
app.command("register")(cli_node.register)
app.command("status")(cli_fleet.status)
app.command("plan")(cli_fleet.plan)
app.command("verify")(cli_fleet.verify)
app.command("replace")(cli_lifecycle.replace)
app.command("rekey")(cli_lifecycle.rekey)
app.command("retire")(cli_lifecycle.retire)
app.command("label")(cli_label.label)
app.command("ports")(cli_chip.ports)
app.command("flash")(cli_chip.flash)
app.command("upload")(cli_upload.upload)
app.command("doctor")(cli_doctor.doctor)
app.command("export")(cli_handover.export)
app.command("restore-server")(cli_handover.restore_server)
app.command("show-key")(cli_vault.show_key)
app.add_typer(inventory_app, name="inventory")
app.add_typer(cli_radio_gateway.app, name="radio-gateway")
app.add_typer(cli_settings.app, name="settings")
app.add_typer(cli_ledger.app, name="ledger")
app.add_typer(cli_vault.app, name="vault")
app.add_typer(cli_station.app, name="station")
app.command("install")(cli_install.install)
app.add_typer(cli_update.app, name="firmware")
app.command("update")(cli_update.update)

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the inventory.")]


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


def main() -> None:
    app()
