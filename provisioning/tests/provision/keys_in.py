# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Spellings of a key, to be looked for wherever a key must not be."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator


def spellings(key: bytes) -> set[bytes]:
    """Of the key and of the key reversed (as radios have it), in lower case where it has one."""
    return {found for each in (key, key[::-1]) for found in _spellings(each)}


def _spellings(key: bytes) -> Iterator[bytes]:
    yield key
    for separator in ("", ":", " ", "-"):
        yield key.hex(*([separator] if separator else [])).encode()
    yield ", ".join(f"0x{byte:02x}" for byte in key).encode()
    yield str(list(key)).strip("[]").encode()
    yield repr(key)[2:-1].lower().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(key).rstrip(b"=")[:21]  # the 22nd character depends on what follows


def found_in(data: bytes, key: bytes) -> list[bytes]:
    """The spellings that the data holds, in upper or lower case."""
    lower = data.lower()
    return [each for each in spellings(key) if each in data or each.lower() in lower]


def pdf_streams(data: bytes) -> bytes:
    """What a PDF's compressed streams hold."""
    streams = b""
    for part in data.split(b"stream\n")[1:]:
        try:
            streams += zlib.decompressobj().decompress(part)
        except zlib.error:
            streams += part
    return streams
