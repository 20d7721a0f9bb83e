# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a chip does with its flash after a reset: the checks of its ROM and of the boot loader.

Texts: ESP32 ROM; ESP-IDF components/bootloader_support (esp_image_format.c, flash_partitions.c).
"""

import hashlib
import struct

from revier_bench.workbench.runtime_image import (
    APP_AT,
    APP_BYTES,
    BOOT_AT,
    CHIP_IDS,
    TABLE_AT,
    VFS_AT,
    checksum,
)

_RESET = "rst:0x1 (POWERON_RESET),boot:0x{mode:x} ({name})"
DOWNLOAD = ("ets Jul 29 2019 12:21:46", "", _RESET.format(mode=3, name="DOWNLOAD_BOOT(UART0)"),
            "waiting for download")  # fmt: skip
_BOOTING = ("ets Jul 29 2019 12:21:46", "", _RESET.format(mode=0x13, name="SPI_FAST_FLASH_BOOT"))
_CORRUPT = (
    "The filesystem starting at sector 512 with size 512 sectors looks corrupt.",
    "perform factory reprogramming of MicroPython firmware (completely erase flash, followed",
    "by firmware programming).",
)  # shortened
_INVALID_LINES = 8  # printed again and again, until the watchdog resets the chip
_SEGMENTS_MAX = 16
_BOOT_BYTES_MAX = 0x7000


def boot(flash: bytes | bytearray | memoryview, chip: str) -> tuple[bool, tuple[str, ...]]:
    """(whether MicroPython starts, what is said before)."""
    data = bytes(flash)
    at = BOOT_AT[chip]
    head = int.from_bytes(data[at : at + 4], "little")
    if head & 0xFF != 0xE9:
        return False, (*_BOOTING, *[f"invalid header: 0x{head:08x}"] * _INVALID_LINES)
    fault = image_fault(data[at : at + _BOOT_BYTES_MAX], chip)
    if fault:
        return False, (*_BOOTING, fault, "ets_main.c 371")
    fault = _table_fault(data[TABLE_AT : TABLE_AT + 0x1000])
    if fault:
        return False, (
            *_BOOTING,
            f"E (58) flash_parts: {fault}",
            "E (58) boot: Failed to verify partition table",
        )
    fault = image_fault(data[APP_AT : APP_AT + APP_BYTES], chip)
    if fault:
        return False, (
            *_BOOTING,
            f"E (73) esp_image: {fault}",
            "E (73) boot: Factory app partition is not bootable",
            "E (78) boot: No bootable app partitions in the partition table",
        )
    if _vfs_is_foreign(data[VFS_AT:]):
        return False, (*_BOOTING, *_CORRUPT)
    return True, _BOOTING


def _vfs_is_foreign(vfs: bytes) -> bool:
    """MicroPython, ports/esp32: _boot.py mounts, inisetup.check_bootsec() refuses to format."""
    mounts = any(vfs[at : at + 64].find(b"littlefs") >= 0 for at in (0, 4096))
    return not mounts and vfs[:4096] != b"\xff" * 4096


def image_fault(data: bytes, chip: str) -> str | None:
    """What is wrong with the ESP image that begins here, or None."""
    if data[0] != 0xE9 or not 0 < data[1] <= _SEGMENTS_MAX:
        return f"image at 0x0 has invalid magic byte (nothing flashed here?) 0x{data[0]:02x}"
    chip_id = int.from_bytes(data[12:14], "little")
    if chip_id != CHIP_IDS[chip]:
        return f"mismatch chip ID, expected {CHIP_IDS[chip]}, found {chip_id}"
    at, total = 24, b""
    for _ in range(data[1]):
        _, size = struct.unpack_from("<II", data, at)
        at += 8 + size
        if at + 64 > len(data):
            return "invalid segment length 0x%x" % size  # noqa: UP031 - a C text
        total += data[at - size : at]
    at += 16 - at % 16
    if data[at - 1] != checksum(total):
        return f"Checksum failed. Calculated 0x{checksum(total):x} read 0x{data[at - 1]:x}"
    if data[23] and hashlib.sha256(data[:at]).digest() != data[at : at + 32]:
        return "Image hash failed - image is corrupt"
    return None


def _table_fault(table: bytes) -> str | None:
    end = table.find(b"\xeb\xeb")
    if table[:2] != b"\xaa\x50":
        return f"partition 0 invalid magic number 0x{int.from_bytes(table[:2], 'little'):x}"
    digest = hashlib.md5(table[:end], usedforsecurity=False).digest()
    if end < 0 or digest != table[end + 16 : end + 32]:
        return "Partition table MD5 mismatch"
    return None
