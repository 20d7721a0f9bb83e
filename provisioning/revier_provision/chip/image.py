# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The MicroPython image as it is downloaded: one file with boot loader, partitions, application.

FMT = esptool docs, "Firmware Image Format": header of 8 bytes, extended header of 16.
PT = ESP-IDF docs, "Partition Tables": 32 bytes a row from 0x8000 on.
APP = ESP-IDF esp_app_format, esp_app_desc_t: after the first segment's header.
"""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path
from typing import Self

import msgspec

from revier_inventory.message import Message, _
from revier_provision.errors import OrderError, cannot_read

MAGIC = 0xE9  # FMT
# FMT chip ids; esptool's names. Where the boot loader lies: the chip's ROM reads it there.
CHIP_BY_ID = {
    0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6",
    16: "ESP32-H2", 18: "ESP32-P4", 23: "ESP32-C5",
}  # fmt: skip
OFFSET_BY_CHIP = {"ESP32": 0x1000, "ESP32-S3": 0x0}
FLASH_MB_BY_CODE = {0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 5: 32, 6: 64, 7: 128}  # FMT, byte 3, high half

SECTOR_BYTES = 4096
FILE_BYTES_MAX = 16 * 1024 * 1024
TABLE_AT, TABLE_BYTES = 0x8000, 0x1000  # PT
_ROW = struct.Struct("<HBBII16sI")
_ROW_MAGIC = 0x50AA
_DATA, _NVS, _APP = 1, 2, 0
_APP_MAGIC = 0xABCD5432  # APP
_APP_DESC_AT = 32  # image header 24, segment header 8
_APP_DESC = struct.Struct("<I44x32s")  # magic, name (empty in MicroPython's)
# py/mpconfig.h MICROPY_BANNER_NAME_AND_VERSION: "MicroPython v1.22.2 on 2024-02-22"
_BANNER = re.compile(rb"MicroPython (v\d[\w.+-]{2,40}) on \d{4}-\d\d-\d\d")

_GET = "Get the image of your chip (ESP32_GENERIC or ESP32_GENERIC_S3) from micropython.org"


class Piece(msgspec.Struct, frozen=True):
    """Bytes that belong at `address` of the flash; both in whole sectors or up to the end."""

    address: int
    data: bytes


class RuntimeImage(msgspec.Struct, frozen=True, kw_only=True):
    """`chip` is esptool's name, `offset` where the file begins in the flash.

    `pieces` is what gets written: the file without the NVS partition, where a node keeps its key
    and its DevNonce. What lies there stays.
    """

    path: Path
    chip: str
    offset: int
    size_bytes: int
    flash_bytes: int
    sha256: str
    version: str
    pieces: tuple[Piece, ...]

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> Self:
        """Read and check a file; `sha256` is the digest it must have, 64 hex digits.

        Raises OrderError, which says what the file is instead.
        """
        data = _bytes(path)
        digest = hashlib.sha256(data).hexdigest()
        if sha256 is not None and digest != _digest(sha256):
            cure = "Download it again, and compare the digest with the one you were given"
            raise OrderError(
                "{path} has the SHA-256 {digest}, not {sha256}",
                cure,
                path=path,
                digest=digest,
                sha256=sha256.lower(),
            )
        return cls._parse(path, data, digest)

    @classmethod
    def _parse(cls, path: Path, data: bytes, digest: str) -> Self:
        if len(data) < SECTOR_BYTES or data[0] != MAGIC:
            raise OrderError(
                "{path} is {what}, not an image of MicroPython", _GET, path=path, what=_what(data)
            )
        chip_id = int.from_bytes(data[12:14], "little")
        chip = CHIP_BY_ID.get(chip_id, _("a chip with the number {chip_id}", chip_id=chip_id))
        if chip not in OFFSET_BY_CHIP:
            problem = "{path} is made for {chip}; Revier's boards have ESP32 or ESP32-S3"
            raise OrderError(problem, _GET, path=path, chip=chip)
        offset = OFFSET_BY_CHIP[chip]
        rows = _partitions(data, offset)
        if not rows:
            problem = "{path} has no partition table: it is the application alone, for updates"
            cure = "Get the file that ends in .bin, not .app-bin, from micropython.org"
            raise OrderError(problem, cure, path=path)
        return cls(
            path=path,
            chip=chip,
            offset=offset,
            size_bytes=len(data),
            flash_bytes=FLASH_MB_BY_CODE.get(data[3] >> 4, 0) * 1024 * 1024,
            sha256=digest,
            version=_version(path, data, offset, rows),
            pieces=_pieces(data, offset, rows),
        )


class Partition(msgspec.Struct, frozen=True):
    """A row of the table: kind and subkind are numbers of PT; addresses in the flash."""

    kind: int
    subkind: int
    address: int
    size_bytes: int
    label: str


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise OrderError("{path} is larger than any chip's flash", _GET, path=path)
        return path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error, _("Correct the path")) from None


def _digest(text: str) -> str:
    text = text.strip().lower()
    if len(text) != 64 or any(letter not in "0123456789abcdef" for letter in text):
        cure = "Copy the whole SHA-256 of the file"
        raise OrderError("A SHA-256 has 64 hex digits", cure)
    return text


def _what(data: bytes) -> Message:
    """A file of another kind, by its first bytes."""
    known = (
        (b"PK\x03\x04", _("a zip archive (unpack it first)")),
        (b"\x7fELF", _("an ELF file (of a debugger)")),
        (b"UF2\n", _("a UF2 file (for a board that appears as a disk)")),
        (b"\x1f\x8b", _("a gzip archive (unpack it first)")),
        (b":", _("an Intel HEX file")),
        (b"<", _("a page of the web (the download went wrong)")),
    )
    if not data:
        return _("empty")
    if data[0] == MAGIC:
        return _("cut short")
    return next((what for start, what in known if data.startswith(start)), _("some other file"))


def _partitions(data: bytes, offset: int) -> list[Partition]:
    found = []
    table = data[TABLE_AT - offset : TABLE_AT - offset + TABLE_BYTES]
    for at in range(0, len(table) - _ROW.size + 1, _ROW.size):
        magic, kind, subkind, address, size, label, _ = _ROW.unpack_from(table, at)
        if magic != _ROW_MAGIC:
            break
        name = label.split(b"\0")[0].decode("ascii", "replace")
        found.append(Partition(kind, subkind, address, size, name))
    return found


def _version(path: Path, data: bytes, offset: int, rows: list[Partition]) -> str:
    """Of the banner. Refuses an application that is not MicroPython."""
    app = next((row for row in rows if row.kind == _APP), None)
    if app is None or app.address - offset + _APP_DESC_AT + _APP_DESC.size > len(data):
        cure = "Download it again"
        raise OrderError("{path} ends before its application begins", cure, path=path)
    banner = _BANNER.search(data, app.address - offset)
    if banner is not None:
        return banner[1].decode()
    magic, project = _APP_DESC.unpack_from(data, app.address - offset + _APP_DESC_AT)
    name = project.split(b"\0")[0].decode("utf-8", "replace") if magic == _APP_MAGIC else ""
    what = _("the program {name!r}", name=name) if name else _("some other program")
    raise OrderError("{path} holds {what}, not MicroPython", _GET, path=path, what=what)


def _pieces(data: bytes, offset: int, rows: list[Partition]) -> tuple[Piece, ...]:
    """The file without what lies in NVS partitions."""
    pieces, at = [], offset
    kept = sorted(
        (row.address, row.address + row.size_bytes)
        for row in rows
        if (row.kind, row.subkind) == (_DATA, _NVS)
    )
    for begin, end in [*kept, (offset + len(data), offset + len(data))]:
        if begin > at:
            pieces.append(Piece(at, data[at - offset : begin - offset]))
        at = max(at, end)
    return tuple(piece for piece in pieces if piece.data)
