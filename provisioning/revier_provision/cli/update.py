# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision update, and the keys and signatures of a firmware."""

# ruff: noqa: PLR0913, PLR0917 - a command has as many parameters as options

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from revier_inventory.message import Message, _, joined, n_
from revier_provision import durable_files
from revier_provision.board.repl_board import ReplBoard, open_board
from revier_provision.board.upload import upload
from revier_provision.books import Books
from revier_provision.cli.books import ByOption, LedgerOption, StationOption, open_ledger
from revier_provision.cli.language import ask_secret
from revier_provision.cli.options import (
    PLAIN,
    InventoryOption,
    JsonOption,
    PortOption,
    WindowOption,
)
from revier_provision.cli.output import Output
from revier_provision.errors import OrderError, ProvisionError, cannot_write
from revier_provision.ledger.records import Event
from revier_provision.update import firmware_bundle, signing_key
from revier_provision.update import manifest as manifests
from revier_provision.update.flow import (
    WAIT_S,
    Slots,
    UpdateResult,
    needs_attention,
    read_slots,
    update_node,
)
from revier_provision.update.manifest import Manifest, parse_version, version_text
from revier_provision.update.words import why_taken_back
from revier_provision.vault.private_file import private_bytes

app = typer.Typer(help="Firmware for updates: keys and signatures.", **PLAIN)  # type: ignore[arg-type]

FirmwareArgument = Annotated[Path, typer.Argument(help="The firmware's file.")]
KeyOption = Annotated[
    Path, typer.Option("--key", envvar="REVIER_UPDATE_KEY", help="The key that keygen wrote.")
]
NOTE_CHARS_MAX = 400


@app.command()
def keygen(
    key: Annotated[Path, typer.Argument(help="File of the new key; its .pub goes beside it.")],
    as_json: JsonOption = False,
) -> None:
    """Make the key that signs updates. The passphrase is asked for."""
    out = Output(as_json=as_json)
    with out.errors():
        words = ask_secret(_("Passphrase"), twice=True)
        public = signing_key.create(key, words)
        public_path = signing_key.public_path(key)
        then = _(
            "Next: give {public_path} to every board with revier-provision firmware trust, and "
            "copy {key} to two safe places. Without it no board that trusts it can be updated.",
            public_path=public_path,
            key=key,
        )
        data = {"key": str(key), "public": public.hex(), "public_file": str(public_path)}
        out.result(data, _("The key is in {key}. {then}", key=key, then=then))


@app.command()
def sign(
    firmware: FirmwareArgument,
    key: KeyOption,
    target: Annotated[str, typer.Option(help="any, esp32 or esp32s3.")] = "any",
    follows: Annotated[
        str, typer.Option(help="The lowest version that may run before it.")
    ] = "0.0.0",
    may_go_back: Annotated[
        bool, typer.Option("--may-go-back", help="Boards with a higher version take it too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Sign a firmware: its manifest and signature are put into the file."""
    out = Output(as_json=as_json)
    with out.errors():
        bundle = firmware_bundle.load(firmware)
        digest, size = manifests.tree(bundle.slot_files)
        manifest = Manifest(
            version=parse_version(bundle.version),
            size=size,
            tree_sha256=digest,
            target=target,
            mpy=_mpy_version(bundle.slot_files),
            follows=parse_version(follows),
            may_go_back=may_go_back,
        )
        packed = manifest.pack()
        data = private_bytes(key)
        words = ask_secret(_("Passphrase"))
        signature = manifests.sign(manifest, signing_key.open_key(data, words))
        _replace(firmware, firmware_bundle.packed(bundle.with_signature(packed, signature)))
        out.result(_told(manifest), _("Signed: {sentence}", sentence=_sentence(manifest)))


@app.command()
def show(
    firmware: FirmwareArgument,
    public: Annotated[
        Path | None, typer.Option("--public", help="A .pub file: must be the one that signed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What a signed firmware is; refuses one that is not whole."""
    out = Output(as_json=as_json)
    with out.errors():
        bundle = firmware_bundle.load(firmware)
        manifest = manifests.check(bundle.manifest, bundle.signature, bundle.slot_files)
        if public is not None:
            key = signing_key.read_public(public)
            if not manifests.is_signed(bundle.manifest, bundle.signature, key):
                raise OrderError(
                    "It is not signed by the key of {public}", manifests.SIGN, public=public
                )
        out.result(_told(manifest), _sentence(manifest))


@app.command()
def trust(
    publics: Annotated[list[Path], typer.Argument(help="One to four .pub files.")],
    port: PortOption,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Give the board on PORT the keys that may sign its updates, in place of those it has."""
    out = Output(as_json=as_json)
    with out.errors():
        trusted = signing_key.read_trusted(publics)
        out.knock(port)
        with open_board(port, window_s) as board:
            board.write_small_file(signing_key.BOARD_PATH, trusted)
        words = n_(
            "The board takes updates signed by {count} key.",
            "The board takes updates signed by {count} keys.",
            len(publics),
        )
        out.result({"keys": [signing_key.read_public(path).hex() for path in publics]}, words)


def update(
    port: PortOption,
    firmware: Annotated[
        Path | None,
        typer.Option(help="A signed firmware; without it: only tell what the board has."),
    ] = None,
    inventory: InventoryOption = None,
    ledger: LedgerOption = None,
    station: StationOption = None,
    by: ByOption = None,
    wait_s: Annotated[
        float, typer.Option("--wait-s", help="How long to watch the trial.")
    ] = WAIT_S,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Bring a signed firmware onto the node on PORT; taken back if it does not prove itself.

    Safe to run again. The version that runs stays until the new one has passed its self-test,
    joined, and had an uplink acknowledged.
    """
    out = Output(as_json=as_json)
    with out.errors():
        books = _books(inventory, ledger, station, by)
        bundle = None if firmware is None else firmware_bundle.load(firmware)
        if bundle is not None:
            manifests.check(bundle.manifest, bundle.signature, bundle.slot_files)
        out.knock(port)
        with open_board(port, window_s) as board:
            if bundle is None:
                slots = read_slots(board)
                out.result(slots, _slots_sentence(slots))
                return
            result = _entered(out, board, bundle, books, wait_s)
        error = needs_attention(result)
        if error is not None:
            raise error
        out.result(result, _("Slot {slot}: {words}.", slot=result.slot, words=result.words))


def _entered(
    out: Output,
    board: ReplBoard,
    bundle: firmware_bundle.Firmware,
    books: Books | None,
    wait_s: float,
) -> UpdateResult:
    """The update, and its line in the ledger if there is one."""
    what = {
        "dev_eui": board.state().dev_eui or "",
        "chip_mac": board.factory_mac().hex(),
        "firmware_sha256": manifests.tree(bundle.slot_files)[0].hex(),
    }

    def put(slot: str, files: Mapping[str, bytes]) -> None:
        paths = {f"/{slot}/{name}": data for name, data in files.items()}
        upload(board.repl, paths, f"/{slot}")

    try:
        result = update_node(board, bundle, put, out.progress, wait_s)
    except (ProvisionError, KeyboardInterrupt) as error:
        note = error.problem if isinstance(error, ProvisionError) else "interrupted"
        if books is not None:
            books.enter("failed", note=note[:NOTE_CHARS_MAX], **what)
        raise
    if books is not None and result.outcome != "present":
        event: Event = "failed" if result.outcome == "rolled_back" else "updated"
        books.enter(event, note=result.words[:NOTE_CHARS_MAX], **what)
    return result


def _books(
    inventory: Path | None, ledger: Path | None, station: str | None, by: str | None
) -> Books | None:
    folder = inventory or (ledger.parent if ledger else None)
    return None if folder is None else Books(open_ledger(folder, ledger, station, by), None)


def _replace(path: Path, data: bytes) -> None:
    try:
        durable_files.replace(path, data)
    except OSError as error:
        cure = _("Make room or correct the rights there, then run again")
        raise cannot_write(path, error, cure) from None


def _mpy_version(files: Mapping[str, bytes]) -> int:
    """Of the bytecode: the second byte of an .mpy. Raises OrderError if they differ."""
    found = {data[1] for path, data in files.items() if path.endswith(".mpy") and data[:1] == b"M"}
    if len(found) > 1:
        raise OrderError("The firmware has bytecode of several versions", manifests.AGAIN)
    return found.pop() if found else manifests.MPY_ANY


def _told(manifest: Manifest) -> dict[str, object]:
    return {
        "version": version_text(manifest.version),
        "target": manifest.target,
        "mpy": manifest.mpy,
        "follows": version_text(manifest.follows),
        "may_go_back": manifest.may_go_back,
        "size": manifest.size,
        "firmware_sha256": manifest.tree_sha256.hex(),
    }


def _sentence(manifest: Manifest) -> Message:
    what = _(
        "version {version} for {chip}, {size} bytes",
        version=version_text(manifest.version),
        chip=_("any chip") if manifest.target == "any" else manifest.target,
        size=manifest.size,
    )
    back = [_("also onto boards with a higher version")] if manifest.may_go_back else []
    return joined("; ", [what, *back, f"SHA-256 {manifest.tree_sha256.hex()}."])


def _slots_sentence(slots: Slots) -> Message:
    lines = [_("The board runs from no slot.")]
    if slots.running:
        lines = [_("Slot {slot} runs.", slot=slots.running)]
    for name, version in sorted(slots.versions.items()):
        lines.append(
            _("Slot {slot} has the update to version {version}.", slot=name, version=version)
        )
    if slots.trial:
        lines.append(_("Slot {slot} is on trial.", slot=slots.trial))
    if slots.taken_back:
        why = why_taken_back(slots.taken_back)
        lines.append(_("The last update was taken back: {why}.", why=why))
    if not slots.keys:
        lines.append(_("It has no key to check updates with."))
    return joined("\n", lines)
