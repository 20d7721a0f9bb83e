# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision vault and show-key: keys at rest, and the deliberate look at one."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyrage
import typer

from revier_inventory.message import _, joined
from revier_inventory.model import EUI
from revier_provision import inventory_files
from revier_provision.books import Books, newest_key
from revier_provision.cli.books import (
    ByOption,
    LedgerOption,
    StationOption,
    open_books,
    open_ledger,
)
from revier_provision.cli.language import ask, ask_secret
from revier_provision.cli.options import PLAIN, FolderOption, JsonOption
from revier_provision.cli.output import Output
from revier_provision.cli.server import GIVE_SERVER, RootsOption, ServerOption, TokenOption
from revier_provision.errors import OrderError
from revier_provision.lns.reach import connected
from revier_provision.vault import vault
from revier_provision.vault.private_file import private_bytes

app = typer.Typer(help="Keys at rest, encrypted.", **PLAIN)  # type: ignore[arg-type]

VaultFolder = Annotated[
    Path, typer.Option("--vault", envvar="REVIER_VAULT", help="Folder of the vault.")
]
NeededIdentity = Annotated[
    Path, typer.Option("--identity-file", help="The identity that opens the vault.")
]


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new vault.")],
    identity_file: NeededIdentity,
    bare: Annotated[
        bool, typer.Option("--no-passphrase", help="The file itself opens the vault.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a vault, and the identity that opens it. The passphrase is asked for."""
    out = Output(as_json=as_json)
    with out.errors():
        words = None
        if not bare:
            words = ask_secret(_("Passphrase"), twice=True)
        vault.create(folder, identity_file, words)
        then = _(
            "Next: copy {identity_file} to two safe places and delete it here. Making nodes does "
            "not need it; without it no key can be read again.",
            identity_file=identity_file,
        )
        data = {"vault": str(folder), "identity_file": str(identity_file)}
        out.result(data, _("The vault is in {folder}. {then}", folder=folder, then=then))


@app.command()
def fill(
    inventory: FolderOption,
    vault_folder: VaultFolder,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the keys of nodes made without a vault from ChirpStack. Safe to run again."""
    out = Output(as_json=as_json)
    with out.errors():
        books = open_books(inventory, ledger, station, by, vault_folder)
        serving = [p.dev_eui for p in inventory_files.read(inventory).periods if p.until is None]
        with connected(server, token_file, tls_roots, None) as network_server:
            if network_server is None:
                raise OrderError("There is nothing to take keys from", GIVE_SERVER)
            keys = {dev_eui: network_server.app_key(dev_eui) for dev_eui in serving}
        kept = [e for e, app_key in keys.items() if app_key and books.keep(e, app_key)]
        missing = [dev_eui for dev_eui, app_key in keys.items() if not app_key]
        sentence = _(
            "{kept} of {count} keys are new in the vault.", kept=len(kept), count=len(keys)
        )
        if missing:
            none = _("ChirpStack has none of: {missing}.", missing=", ".join(missing))
            sentence = joined(" ", [sentence, none])
        out.result({"kept": kept, "without_key": missing}, sentence)


def show_key(
    dev_eui: Annotated[str, typer.Option(help="16 hex digits, as on the label.")],
    inventory: FolderOption,
    vault_folder: VaultFolder,
    identity_file: NeededIdentity,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
) -> None:
    """Show a node's AppKey, for a network server that cannot be reached from here.

    You are asked to type the DevEUI; that the key was shown is entered in the ledger before.
    """
    out = Output(as_json=False)
    with out.errors():
        dev_eui = plain_dev_eui(dev_eui)
        if not EUI.match(dev_eui):
            raise OrderError(
                "{dev_eui!r} is no DevEUI", "Write 16 hex digits, as on the label", dev_eui=dev_eui
            )
        books = Books(open_ledger(inventory, ledger, station, by), None)
        store = vault.Vault(vault_folder)
        which = newest_key(books.ledger.records(), dev_eui)
        if which is None or not store.holds(dev_eui, which):
            cure = "Fill it (revier-provision vault fill), or give the node a new key"
            raise OrderError(
                "The vault does not hold the newest key of {dev_eui}", cure, dev_eui=dev_eui
            )
        typed = ask(_("Type the DevEUI to show the key of {dev_eui}", dev_eui=dev_eui))
        if plain_dev_eui(typed) != dev_eui:
            raise OrderError(
                "That is another DevEUI; nothing was shown",
                "Run again and type {dev_eui}",
                dev_eui=dev_eui,
            )
        app_key = store.get(dev_eui, which, opened_identity(identity_file))
        books.enter("key-shown", dev_eui=dev_eui, key_id=which)
        typer.echo(app_key.hex())


def plain_dev_eui(dev_eui: str) -> str:
    return dev_eui.replace(" ", "").replace("-", "").replace(":", "").lower()


def opened_identity(path: Path) -> pyrage.x25519.Identity:
    """What opens the vault; the passphrase is asked for if there is one."""
    data = private_bytes(path)
    words = None
    if vault.needs_passphrase(data):
        words = ask_secret(_("Passphrase"))
    return vault.open_identity(data, words)
