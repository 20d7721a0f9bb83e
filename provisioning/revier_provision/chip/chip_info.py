# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What esptool says about a chip."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from revier_provision.errors import BoardError

_MB = 1024 * 1024


class ChipInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the family (ESP32, ESP32-S3), `model` the whole type; flash_bytes 0: unknown."""

    name: str
    model: str
    factory_mac: bytes
    flash_bytes: int


def chip_from(lines: Sequence[str]) -> ChipInfo:
    """From the output of `esptool flash-id`. Raises BoardError if it says no chip or MAC."""
    text = "\n".join(lines)
    model = re.search(r"^Chip type:\s+(.+)$", text, re.M)
    mac = re.search(r"^(?:BASE )?MAC:\s+((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\s*$", text, re.M | re.I)
    flash = re.search(r"^Detected flash size:\s+(\d+)(MB|KB)", text, re.M)
    if model is None or mac is None:
        cure = "Run again; if it repeats, install the newest esptool: pip install -U esptool"
        raise BoardError("esptool did not say which chip the board has", cure)
    unit = {"MB": _MB, "KB": 1024}
    return ChipInfo(
        name=family(model[1].strip()),
        model=model[1].strip(),
        factory_mac=bytes.fromhex(mac[1].replace(":", "")),
        flash_bytes=int(flash[1]) * unit[flash[2]] if flash else 0,
    )


def family(model: str) -> str:
    """ESP32-S3 of "ESP32-S3 (QFN56) (revision v0.2)", ESP32 of "ESP32-D0WDQ6"."""
    found = re.match(r"ESP32-?([SCHP][1-9]\d*)", model)
    if found:
        return f"ESP32-{found[1]}"
    return "ESP32" if model.startswith("ESP32") else model.split(" ", maxsplit=1)[0]
