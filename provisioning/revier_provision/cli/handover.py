# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision restore-server and export: the fleet into a new server, or other programs."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from revier_inventory import Inventory
from revier_inventory.message import Message, _, joined
from revier_provision import durable_files, inventory_files
from revier_provision.books import Books
from revier_provision.cli.books import (
    ByOption,
    LedgerOption,
    StationOption,
    VaultOption,
    open_books,
)
from revier_provision.cli.fleet import GermanOption
from revier_provision.cli.options import FolderOption, IdentityOption, JsonOption
from revier_provision.cli.output import EXIT_REFUSED, Output
from revier_provision.cli.server import (
    GIVE_SERVER,
    CodecOption,
    RootsOption,
    ServerOption,
    TokenOption,
)
from revier_provision.cli.vault import NeededIdentity, VaultFolder, opened_identity
from revier_provision.errors import OrderError, cannot_write
from revier_provision.fleet import exports
from revier_provision.fleet.keys_in_use import key_in_use
from revier_provision.fleet.restore import Restoration, check_empty, restore
from revier_provision.ledger.records import Entry
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.lns.reach import connected
from revier_provision.vault.vault import Vault


class Format(StrEnum):
    CSV = "csv"
    GEOJSON = "geojson"
    TTS_CSV = "tts-csv"
    CHIRPSTACK_CSV = "chirpstack-csv"


WITH_KEYS = (Format.TTS_CSV, Format.CHIRPSTACK_CSV)


def restore_server(
    inventory: FolderOption,
    vault_folder: VaultFolder,
    identity_file: NeededIdentity,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    codec: CodecOption = None,
    not_empty: Annotated[
        bool, typer.Option("--not-empty", help="Others live in this ChirpStack, too.")
    ] = False,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an empty ChirpStack its tenants, devices, keys and radio gateways back.

    The nodes join anew by themselves. Safe to run again. Ends with 1 when something is missing.
    """
    out = Output(as_json=as_json)
    with out.errors():
        books = open_books(inventory, ledger, station, by, vault_folder)
        store, opener = Vault(vault_folder), opened_identity(identity_file)
        with connected(server, token_file, tls_roots, codec) as network_server:
            if network_server is None:
                raise OrderError("There is nothing to restore", GIVE_SERVER)
            if not not_empty:
                check_empty(inventory_files.read(inventory), network_server)
            done = restore(
                network_server,
                inventory,
                books,
                lambda dev_eui, which: store.get(dev_eui, which, opener),
                out.progress,
            )
        out.result(done, _sentence(done))
        if done.unrestored:
            raise typer.Exit(EXIT_REFUSED)


def export(
    inventory: FolderOption,
    out_file: Annotated[Path, typer.Option("--out", help="The file to write; - for the screen.")],
    file_format: Annotated[
        Format,
        typer.Option("--format", help="csv: as plan reads it. geojson: the assets as a map."),
    ] = Format.CSV,
    german: GermanOption = False,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="tts-csv and chirpstack-csv: with AppKeys.")
    ] = False,
    vault: VaultOption = None,
    identity_file: IdentityOption = None,
    server: ServerOption = None,
    token_file: TokenOption = None,
    tls_roots: RootsOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """The fleet for other programs. With --server the JoinEUIs are ChirpStack's, else zeros.

    Keys only with --with-keys: each is entered in the ledger first, the file is yours alone.
    """
    out = Output(as_json=as_json)
    with out.errors():
        known = inventory_files.read(inventory)
        _check_export(file_format, out_file, with_keys=with_keys)
        with connected(server, token_file, tls_roots, None) as network_server:
            nodes = exports.nodes_of(known, _join_euis(exports.nodes_of(known), network_server))
        keys = None
        if with_keys:
            if vault is None or identity_file is None:
                raise OrderError("Keys are in the vault", "Give --vault and --identity-file")
            books = open_books(inventory, ledger, station, by, vault)
            keys = _keys(nodes, books, vault, identity_file)
        rows = len(nodes) if file_format in WITH_KEYS else len(known.assets)
        text = _text(file_format, known, nodes, keys, german=german)
        _write(out_file, text, secret=with_keys)
        if str(out_file) != "-":
            sentence = _("{rows} rows are in {out_file}.", rows=rows, out_file=out_file)
            if with_keys:
                warning = _("It holds keys in the clear. Next: import it, then delete it.")
                sentence = joined(" ", [sentence, warning])
            out.result({"out": str(out_file), "rows": rows}, sentence)


def _check_export(file_format: Format, out_file: Path, *, with_keys: bool) -> None:
    if with_keys and file_format not in WITH_KEYS:
        raise OrderError(
            "{file_format} holds no keys", "Leave --with-keys out", file_format=file_format
        )
    if file_format is Format.TTS_CSV and not with_keys:
        cure = "Give --with-keys, --vault and --identity-file"
        raise OrderError("The Things Stack takes no device without its AppKey", cure)
    if with_keys and str(out_file) == "-":
        raise OrderError("Keys are not shown on a screen", "Give --out a file's name")
    if with_keys and out_file.exists():
        raise OrderError(
            "{out_file} exists already", "Choose a new file for keys", out_file=out_file
        )


def _text(
    file_format: Format,
    known: Inventory,
    nodes: tuple[exports.ExportedNode, ...],
    keys: dict[str, bytes] | None,
    *,
    german: bool,
) -> str:
    match file_format:
        case Format.CSV:
            return exports.asset_csv(known, german=german)
        case Format.GEOJSON:
            return exports.geojson(known)
        case Format.TTS_CSV:
            return exports.tts_csv(nodes, keys or {})
        case Format.CHIRPSTACK_CSV:
            return exports.chirpstack_csv(nodes, keys)


def _join_euis(
    nodes: tuple[exports.ExportedNode, ...], server: FleetChirpStack | None
) -> dict[str, str]:
    if server is None:
        return {}
    devices = (server.device(node.dev_eui) for node in nodes)
    return {device.dev_eui: device.join_eui for device in devices if device is not None}


def _keys(
    nodes: tuple[exports.ExportedNode, ...], books: Books, vault: Path, identity_file: Path
) -> dict[str, bytes]:
    store = Vault(vault)
    records = books.ledger.records()
    which = {node.dev_eui: key_in_use(records, node.dev_eui) for node in nodes}
    missing = [e for e, key_id in which.items() if key_id is None or not store.holds(e, key_id)]
    if missing:
        problem = "The vault does not hold the key in use of {missing}"
        raise OrderError(
            problem, "Fill it first: revier-provision vault fill", missing=", ".join(missing)
        )
    opener = opened_identity(identity_file)
    found = {e: store.get(e, key_id, opener) for e, key_id in which.items() if key_id is not None}
    books.ledger.append_each(
        Entry(
            at=books.ledger.now(),
            by=books.ledger.by,
            event="key-exported",
            dev_eui=dev_eui,
            key_id=which[dev_eui] or "",
        )
        for dev_eui in found
    )
    return found


def _write(path: Path, text: str, *, secret: bool) -> None:
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        if secret:
            durable_files.create(path, text.encode(), 0o600)
        else:
            durable_files.replace(path, text.encode())
    except OSError as error:
        cure = _("Correct the path or the rights there")
        raise cannot_write(path, error, cure) from None


def _sentence(done: Restoration) -> Message:
    lines = [
        _(
            "ChirpStack has {owners} owners, {devices} devices with {keys} keys and "
            "{radio_gateways} radio gateways; {made} were made now.",
            owners=done.owners,
            devices=done.devices,
            keys=done.keys,
            radio_gateways=done.radio_gateways,
            made=done.made,
        )
    ]
    for each in done.unrestored:
        lines.append(joined("", [each.which, ": ", each.problem, "."]))
        lines.append(joined("", ["  ", _("Next: {cure}.", cure=each.cure)]))
    lines.append(
        _(
            "The nodes join anew by themselves, within days (docs/technician.md). One that cannot "
            "wait joins at once with a new key: revier-provision rekey --port PORT."
        )
    )
    return joined("\n", lines)
