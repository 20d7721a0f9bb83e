# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""inventory: the folder of TOML files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revier_inventory.message import _
from revier_provision import inventory_files
from revier_provision.cli.options import PLAIN, JsonOption
from revier_provision.cli.output import Output

app = typer.Typer(help="The inventory's folder of TOML files.", **PLAIN)  # type: ignore[arg-type]

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the inventory.")]


@app.command("init")
def init(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Make an empty inventory in FOLDER; existing files are left alone."""
    out = Output(as_json=as_json)
    with out.errors():
        inventory_files.init(folder)
        out.result(
            {"inventory": str(folder)},
            _(
                "The inventory is in {folder}. Next: write your municipality into owners.toml "
                "(docs/protocol/inventory.md).",
                folder=folder,
            ),
        )


@app.command("check")
def check(folder: FolderArgument, as_json: JsonOption = False) -> None:
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
        sentence = _(
            "The inventory is sound: {owners} owners, {sites} sites, {assets} assets, {periods} "
            "periods, {radio_gateways} radio gateways.",
            **counts,
        )
        out.result(counts, sentence)
