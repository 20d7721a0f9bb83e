# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Reaching ChirpStack from a command."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from revier_provision.errors import OrderError
from revier_provision.lns_fleet import FleetChirpStack

ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar="REVIER_CHIRPSTACK",
        help="ChirpStack: https://host:port, or host:port on this machine. "
        "Left out: work without it, and register later.",
    ),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", envvar="REVIER_TOKEN_FILE", help="File with ChirpStack's API key."
    ),
]
RootsOption = Annotated[
    Path | None, typer.Option("--tls-roots", help="Own CA certificates (PEM) to trust.")
]
CodecOption = Annotated[
    Path | None,
    typer.Option(
        "--codec",
        help="JavaScript payload codec for the device profile. Left out: the codec of Revier's "
        "payload schema.",
    ),
]

GIVE_SERVER = "Give --server https://HOST:PORT and --token-file FILE, or set REVIER_CHIRPSTACK"


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
    codec_js = _text(codec) if codec else payload_codec()
    return Way(rest.rstrip("/"), _token(token_file), roots, codec_js)


def payload_codec() -> str:
    """The codec that is made from the payload schema (TS013)."""
    return (resources.files("revier_payload") / "codec.js").read_text("utf-8")


def _token(path: Path | None) -> str:
    if path is None:
        cure = "Store an API key of ChirpStack in a file, chmod 600 it, and give --token-file"
        raise OrderError("ChirpStack needs an API key", cure)
    token = private_bytes(path).decode("utf-8", "replace").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise OrderError(f"{path} holds no API key", "Put the key alone on its first line")
    return token


def private_bytes(path: Path) -> bytes:
    """A secret's file, which nobody else on this machine may read."""
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise OrderError(f"Cannot read {path}: {error.strerror}", "Correct the path") from None
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OrderError(f"Others on this machine can read {path}", f"Run: chmod 600 {path}")
    return data


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise OrderError(f"Cannot read {path}: {reason}", "Correct the path") from None
