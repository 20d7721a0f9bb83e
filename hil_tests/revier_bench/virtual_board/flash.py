# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board's flash as files: the LittleFS image, and beside it the NVS partition.

NVS file (`<image>.nvs`): b"RVNV1" LF, then records: CRC-32 of the rest, kind (0 erased, 1 i32,
2 blob), lengths of namespace, key and value (u8, u8, u16), then these; little endian. A record
that was cut short ends the log. The other reader is shim/esp32.py.
"""

import shutil
import struct
import zlib
from pathlib import Path

FLASH_BYTES = 2 * 1024 * 1024
BLOCK_BYTES = 4096
MAGIC = b"RVNV1\n"
_HEAD = struct.Struct("<IBBBH")

Value = int | bytes


def new_image(path: Path) -> None:
    """An erased flash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff" * FLASH_BYTES)


def clone_image(image: Path, to: Path) -> Path:
    """A board's own copy of an image (with the NVS beside it, if there is one)."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(image, to)
    nvs = image.with_suffix(".nvs")
    if nvs.exists():
        shutil.copyfile(nvs, to.with_suffix(".nvs"))
    return to


class Nvs:
    """The NVS partition of an image, read and written from the host while the board is off."""

    def __init__(self, image: Path) -> None:
        self.path = image.with_suffix(".nvs")
        self.values = _parse(self.path.read_bytes()) if self.path.exists() else {}

    def get(self, namespace: str, key: str) -> Value | None:
        return self.values.get((namespace, key))

    def set(self, namespace: str, key: str, value: Value) -> None:
        if len(namespace) > 15 or len(key) > 15:
            raise ValueError(f"NVS names have 15 letters at most: {namespace}/{key}")
        self.values[(namespace, key)] = value

    def erase(self, namespace: str, key: str) -> None:
        self.values.pop((namespace, key), None)

    def commit(self) -> None:
        """Write the whole partition, atomically."""
        records = [_record(space, key, value) for (space, key), value in self.values.items()]
        making = self.path.with_suffix(".nvs-new")
        making.write_bytes(MAGIC + b"".join(records))
        making.replace(self.path)


def _record(space: str, key: str, value: Value) -> bytes:
    kind, data = (1, struct.pack("<i", value)) if isinstance(value, int) else (2, bytes(value))
    names = space.encode() + key.encode()
    body = _HEAD.pack(0, kind, len(space), len(key), len(data))[4:] + names + data
    return struct.pack("<I", zlib.crc32(body)) + body


def _parse(log: bytes) -> dict[tuple[str, str], Value]:
    values: dict[tuple[str, str], Value] = {}
    at = len(MAGIC)
    while at + _HEAD.size <= len(log):
        crc, kind, space_n, key_n, value_n = _HEAD.unpack_from(log, at)
        key_at = at + _HEAD.size + space_n
        value_at = key_at + key_n
        end = value_at + value_n
        if end > len(log) or zlib.crc32(log[at + 4 : end]) != crc:
            break
        name = (log[at + _HEAD.size : key_at].decode(), log[key_at:value_at].decode())
        if kind == 0:
            values.pop(name, None)
        else:
            data = log[value_at:end]
            values[name] = struct.unpack("<i", data)[0] if kind == 1 else data
        at = end
    return values
