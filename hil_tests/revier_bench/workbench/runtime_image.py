# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An image that stands for MicroPython's: the format and the checks are real, the code is noise.

FMT = esptool docs, "Firmware Image Format"; PT = ESP-IDF docs, "Partition Tables".
"""

import hashlib
import struct
from random import Random

CHIP_IDS = {"ESP32": 0, "ESP32-S3": 9}
BOOT_AT = {"ESP32": 0x1000, "ESP32-S3": 0x0}
TABLE_AT = 0x8000
NVS_AT, NVS_BYTES = 0x9000, 0x6000
APP_AT, APP_BYTES = 0x10000, 0x1F0000
VFS_AT, VFS_BYTES = 0x200000, 0x200000
FLASH_BYTES = 4 * 1024 * 1024

# kind, subkind, address, size, name: partitions-4MiB.csv of MicroPython
PARTITIONS = (
    (1, 2, NVS_AT, NVS_BYTES, b"nvs"),
    (1, 1, 0xF000, 0x1000, b"phy_init"),
    (0, 0, APP_AT, APP_BYTES, b"factory"),
    (1, 0x81, VFS_AT, VFS_BYTES, b"vfs"),
)
CHECKSUM_SEED = 0xEF
_FLASH_4MB_40M = 0x20
_APP_DESC = struct.Struct("<II8x32s32s16s16s32s32s80x")


def make_runtime(
    chip: str = "ESP32-S3", version: str = "v1.29.0", code_bytes: int = 60_000
) -> bytes:
    """A file as it is downloaded for `chip` (esptool's name): boot loader, partitions, application.

    code_bytes: noise in the application; each version has its own.
    """
    chance = Random(f"{chip} {version}")  # noqa: S311 - repeatable by design
    boot = esp_image(chip, chance.randbytes(8_000))
    banner = f"MicroPython {version} on 2026-07-05\0".encode()
    app = esp_image(chip, _app_desc() + banner + chance.randbytes(code_bytes))
    at = BOOT_AT[chip]
    file = bytearray(b"\xff" * (APP_AT - at + len(app)))
    for address, part in ((at, boot), (TABLE_AT, partition_table()), (APP_AT, app)):
        file[address - at : address - at + len(part)] = part
    return bytes(file)


def esp_image(chip: str, segment: bytes) -> bytes:
    """FMT: header, one segment, checksum at the end of a 16-byte line, SHA-256."""
    segment += bytes(-len(segment) % 4)
    head = struct.pack(
        "<BBBBIBBBBHBHH4xB",
        0xE9, 1, 2, _FLASH_4MB_40M, 0x40080000, 0xEE, 0, 0, 0, CHIP_IDS[chip], 0, 0, 0xFFFF, 1,
    )  # fmt: skip
    body = head + struct.pack("<II", 0x3F400020, len(segment)) + segment
    body += bytes(15 - len(body) % 16) + bytes([checksum(segment)])
    return body + hashlib.sha256(body).digest()


def checksum(data: bytes) -> int:
    """FMT: exclusive or of every byte of every segment, from 0xEF on."""
    total = CHECKSUM_SEED
    for byte in data:
        total ^= byte
    return total


def partition_table() -> bytes:
    """PT: rows, their MD5 behind 0xEBEB, the rest erased."""
    rows = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, subkind, at, size, name, 0)
        for kind, subkind, at, size, name in PARTITIONS
    )
    digest = hashlib.md5(rows, usedforsecurity=False).digest()
    return (rows + b"\xeb\xeb" + b"\xff" * 14 + digest).ljust(0xC00, b"\xff")


def _app_desc() -> bytes:
    """As MicroPython's builds have it: without name and version."""
    return _APP_DESC.pack(0xABCD5432, 0, b"", b"", b"12:01:10", b"Jul  5 2026", b"v5.5.1", b"")
