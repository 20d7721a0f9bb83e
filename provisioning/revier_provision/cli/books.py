# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Options of the commands that write the ledger."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from revier_provision.books import Books
from revier_provision.ledger.files import LedgerFolder, machine_name
from revier_provision.vault.vault import Vault

LEDGER_NAME = "ledger"

LedgerOption = Annotated[
    Path | None,
    typer.Option(
        "--ledger", envvar="REVIER_LEDGER", help="Folder of the ledger; else in the inventory's."
    ),
]
StationOption = Annotated[
    str | None,
    typer.Option(
        "--station", envvar="REVIER_STATION", help="Name of this workbench; else this machine's."
    ),
]
ByOption = Annotated[
    str | None, typer.Option("--by", envvar="REVIER_BY", help="Who works; else the user's name.")
]
VaultOption = Annotated[
    Path | None,
    typer.Option(
        "--vault", envvar="REVIER_VAULT", help="Folder of the vault; else keys are kept nowhere."
    ),
]


def open_ledger(
    inventory: Path, ledger: Path | None, station: str | None, by: str | None
) -> LedgerFolder:
    folder = ledger or inventory / LEDGER_NAME
    return LedgerFolder(folder, station or machine_name(), by or getpass.getuser())


def open_books(
    inventory: Path, ledger: Path | None, station: str | None, by: str | None, vault: Path | None
) -> Books:
    return Books(open_ledger(inventory, ledger, station, by), Vault(vault) if vault else None)
