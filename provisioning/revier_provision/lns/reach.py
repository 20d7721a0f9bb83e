# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How to reach ChirpStack: from an address and a token's file to its client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from revier_inventory.message import _
from revier_provision.errors import OrderError, cannot_read
from revier_provision.lns.fleet import FleetChirpStack
from revier_provision.vault.private_file import private_bytes


@contextmanager
def connected(
    target: str | None,
    token_file: Path | None,
    tls_roots: Path | None,
    codec: Path | None,
) -> Iterator[FleetChirpStack | None]:
    if target is None:
        yield None
        return
    way = reach(target, token_file, tls_roots, codec)
    with FleetChirpStack(
        way.target, way.token, tls_roots=way.tls_roots, codec_js=way.codec_js
    ) as server:
        yield server


class Way(NamedTuple):
    """How to reach ChirpStack, as its client takes it."""

    target: str
    token: str
    tls_roots: bytes | None
    codec_js: str

    def __repr__(self) -> str:
        return f"Way({self.target})"


def reach(target: str, token_file: Path | None, tls_roots: Path | None, codec: Path | None) -> Way:
    """From a command's options. Raises OrderError."""
    scheme, _, rest = target.rpartition("://")
    tls = scheme == "https" or tls_roots is not None
    roots = _text(tls_roots).encode() if tls_roots else (b"" if tls else None)
    return Way(rest.rstrip("/"), _token(token_file), roots, codec_text(codec))


def codec_text(codec: Path | None) -> str:
    """The file's; None: that of Revier's payload schema. Raises OrderError."""
    return _text(codec) if codec else payload_codec()


def payload_codec() -> str:
    """The codec that is made from the payload schema (TS013)."""
    return (resources.files("revier_payload") / "codec.js").read_text("utf-8")


def _token(path: Path | None) -> str:
    if path is None:
        cure = "Store an API key of ChirpStack in a file, chmod 600 it, and give --token-file"
        raise OrderError("ChirpStack needs an API key", cure)
    token = private_bytes(path).decode("utf-8", "replace").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise OrderError(
            "{path} holds no API key", "Put the key alone on its first line", path=path
        )
    return token


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_read(path, error, _("Correct the path")) from None
