# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision: the technician's command."""

from __future__ import annotations

from typing import Annotated

import typer

from revier_provision.cli import (
    batch,
    chip,
    device_profiles,
    doctor,
    fleet,
    handover,
    install,
    inventory,
    label,
    ledger,
    lifecycle,
    node,
    radio_gateway,
    replace,
    settings,
    station,
    update,
    upload,
    vault,
)
from revier_provision.cli.language import OPTION
from revier_provision.cli.options import PLAIN
from revier_provision.cli.site import SiteGroup
from revier_provision.translation import Language

app = typer.Typer(cls=SiteGroup, help="From a bare board to a live, recorded node.", **PLAIN)  # type: ignore[arg-type]


@app.callback()
def common(
    _language: Annotated[
        Language | None,
        typer.Option(
            OPTION, help="de or en; else that of the site file, else of LANGUAGE, LANG and so on."
        ),
    ] = None,
) -> None:
    """From a bare board to a live, recorded node."""


app.command("node")(node.node)
app.command("batch")(batch.batch)
app.command("register")(node.register)
app.command("status")(fleet.status)
app.command("plan")(fleet.plan)
app.command("verify")(fleet.verify)
app.command("replace")(replace.replace)
app.command("rekey")(lifecycle.rekey)
app.command("retire")(lifecycle.retire)
app.command("label")(label.label)
app.command("ports")(chip.ports)
app.command("flash")(chip.flash)
app.command("upload")(upload.upload)
app.command("doctor")(doctor.doctor)
app.command("export")(handover.export)
app.command("device-profiles")(device_profiles.device_profiles)
app.command("restore-server")(handover.restore_server)
app.command("show-key")(vault.show_key)
app.add_typer(inventory.app, name="inventory")
app.add_typer(radio_gateway.app, name="radio-gateway")
app.add_typer(settings.app, name="settings")
app.add_typer(ledger.app, name="ledger")
app.add_typer(vault.app, name="vault")
app.add_typer(station.app, name="station")
app.command("install")(install.install)
app.add_typer(update.app, name="firmware")
app.command("update")(update.update)


def main() -> None:
    app()
