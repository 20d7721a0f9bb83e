# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A firmware in one file, as an update reads and signs it: a zip with the slot's files below
`slot/`, and `manifest.bin` and `manifest.sig` once it is signed. Other members stay as they are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from revier_provision import durable_files
from revier_provision.errors import OrderError

SLOT = "slot/"
MANIFEST, SIGNATURE = "manifest.bin", "manifest.sig"
BYTES_MAX = 4 * 1024 * 1024  # unpacked; a slot has some 150 KB
FILES_MAX = 500
# one date for all, so that the same content is the same file
_DATE = (1980, 1, 1, 0, 0, 0)


class SlotBundle(msgspec.Struct, frozen=True):
    """`slot_files` by path below the slot; manifest and signature are empty if it is not signed."""

    slot_files: Mapping[str, bytes]
    manifest: bytes
    signature: bytes


def read(path: Path) -> SlotBundle:
    """Raises OrderError if the file cannot be read, is no bundle, or has no files for a slot."""
    members = _members(path)
    files = {
        name.removeprefix(SLOT): data for name, data in members.items() if name.startswith(SLOT)
    }
    if not files:
        raise OrderError(f"{path} has no files for a slot", "Give a file that a build has made")
    return SlotBundle(files, members.get(MANIFEST, b""), members.get(SIGNATURE, b""))


def put_signature(path: Path, manifest: bytes, signature: bytes) -> None:
    """In place of the one that was there; the file is replaced in one step."""
    members = _members(path) | {MANIFEST: manifest, SIGNATURE: signature}
    try:
        durable_files.replace(path, packed(members))
    except OSError as error:
        cure = "Make room or correct the rights there, then run again"
        raise OrderError(f"Cannot write {path}: {error.strerror}", cure) from None


def packed(members: Mapping[str, bytes]) -> bytes:
    """A zip, the same for the same content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, members[name])
    return buffer.getvalue()


def _members(path: Path) -> dict[str, bytes]:
    cure = "Give a file that a build has made"
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if len(infos) > FILES_MAX or sum(info.file_size for info in infos) > BYTES_MAX:
                raise OrderError(f"{path} is too large for a firmware", cure)
            names = [info.filename for info in infos]
            if len(set(names)) != len(names) or not all(_plain(name) for name in names):
                raise OrderError(f"{path} has members of names that no build gives", cure)
            return {info.filename: archive.read(info) for info in infos}
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OrderError(f"Cannot read {path}: {reason}", cure) from None
    except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError):
        raise OrderError(f"{path} is no firmware", cure) from None


def _plain(name: str) -> bool:
    """A path below the slot, in letters that every file system and the board's REPL take."""
    parts = name.split("/")
    return name.isascii() and all(
        part
        and part.strip(".")
        and part.replace("_", "").replace(".", "").replace("-", "").isalnum()
        for part in parts
    )
