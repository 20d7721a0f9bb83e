# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A release of the firmware as one file, docs/protocol/firmware-bundle.md."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from revier_inventory.message import _
from revier_provision.board.upload_plan import check_path
from revier_provision.errors import OrderError, cannot_read
from revier_provision.update.manifest import SIGNATURE_SIZE, SIZE, tree

FORMAT = 1
ABOUT = "bundle.json"
SLOT, ROOT = "slot/", "root/"
MANIFEST, SIGNATURE = "manifest.bin", "manifest.sig"
FILES_MAX = 400
FILE_BYTES_MAX = 64 * 1024
BYTES_MAX = 1024 * 1024  # an ESP32's file system has about as much
TIME = (2020, 1, 1, 0, 0, 0)  # the same files make the same bundle
BROKEN = (  # all that zipfile raises for bytes that are none of its own
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, RuntimeError, OSError, ValueError, OverflowError,
)  # fmt: skip
OTHER = "Take the bundle as it was released: revier-firmware-VERSION.zip"


class _About(msgspec.Struct, frozen=True):
    format: int
    version: str


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """slot_files: by path below the slot. root_files: by absolute path, boot.py and main.py among
    them. manifest and signature (docs/protocol/update.md): empty if it is not signed.
    """

    version: str
    slot_files: dict[str, bytes]
    root_files: dict[str, bytes]
    manifest: bytes = b""
    signature: bytes = b""

    @property
    def tree_sha256(self) -> str:
        """What the board tells of a slot with these files, in hex."""
        return tree(self.slot_files)[0].hex()

    def with_signature(self, manifest: bytes, signature: bytes) -> Firmware:
        return msgspec.structs.replace(self, manifest=manifest, signature=signature)


def load(path: Path) -> Firmware:
    """Raises OrderError for what is no bundle."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error, _("Correct the path")) from None
    try:
        return parse(data)
    except OrderError as error:
        raise OrderError(
            "{path}: {problem}", error.cure, path=path, problem=error.problem
        ) from None


def parse(data: bytes) -> Firmware:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            members = _members(bundle)
    except BROKEN:
        raise OrderError("This is no bundle of Revier's firmware", OTHER) from None
    try:
        about = msgspec.json.decode(members.pop(ABOUT, b""), type=_About)
    except msgspec.DecodeError:
        raise OrderError("This is no bundle of Revier's firmware", OTHER) from None
    if about.format != FORMAT:
        cure = "Use the revier-provision that belongs to this firmware"
        raise OrderError(
            "The bundle is of format {format}, not {known}",
            cure,
            format=about.format,
            known=FORMAT,
        )
    manifest, signature = members.pop(MANIFEST, b""), members.pop(SIGNATURE, b"")
    if (len(manifest), len(signature)) not in ((0, 0), (SIZE, SIGNATURE_SIZE)):
        raise OrderError("Manifest and signature of the bundle are not whole", OTHER)
    firmware = Firmware(
        version=about.version,
        slot_files=_below(SLOT, members),
        root_files={f"/{name}": content for name, content in _below(ROOT, members).items()},
        manifest=manifest,
        signature=signature,
    )
    _check(firmware, len(members))
    return firmware


def _members(bundle: zipfile.ZipFile) -> dict[str, bytes]:
    infos = bundle.infolist()
    small = all(info.file_size <= FILE_BYTES_MAX for info in infos)
    names = {info.filename for info in infos}
    if len(infos) > FILES_MAX or not small or sum(info.file_size for info in infos) > BYTES_MAX:
        raise OrderError("The bundle holds more than a board can take", OTHER)
    if len(names) != len(infos):
        raise OrderError("The bundle names a file twice", OTHER)
    return {info.filename: bundle.read(info) for info in infos}


def _below(folder: str, members: Mapping[str, bytes]) -> dict[str, bytes]:
    return {
        name.removeprefix(folder): data for name, data in members.items() if name.startswith(folder)
    }


def _check(firmware: Firmware, members: int) -> None:
    if members != len(firmware.slot_files) + len(firmware.root_files):
        raise OrderError("The bundle has files that belong nowhere on a board", OTHER)
    for path in firmware.slot_files:
        check_path(f"/a/{path}")
    for path in firmware.root_files:
        check_path(path)
        if path.count("/") > 1 and not path.startswith("/boards/"):
            raise OrderError("The bundle wants to write {path}", OTHER, path=path)
    missing = [name for name in ("/boot.py", "/main.py") if name not in firmware.root_files]
    if missing or not firmware.slot_files:
        raise OrderError(
            "The bundle has no {missing}",
            OTHER,
            missing=missing[0] if missing else _("application"),
        )


def packed(firmware: Firmware) -> bytes:
    """The same firmware gives the same bytes."""
    about = msgspec.json.encode(_About(FORMAT, firmware.version))
    members = {ABOUT: about}
    if firmware.manifest:
        members |= {MANIFEST: firmware.manifest, SIGNATURE: firmware.signature}
    members |= {f"{ROOT}{name[1:]}": data for name, data in sorted(firmware.root_files.items())}
    members |= {f"{SLOT}{name}": data for name, data in sorted(firmware.slot_files.items())}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, TIME)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            bundle.writestr(info, data, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()
