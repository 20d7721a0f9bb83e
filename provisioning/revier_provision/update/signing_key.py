# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The key that signs updates: an Ed25519 seed in a file that age encrypts with a passphrase.

Beside FILE lies FILE.pub, 64 hex digits: the public key, which every board gets. Who has the
private key and its passphrase can put any program on every node that has the public one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from revier_inventory.message import _
from revier_provision import durable_files
from revier_provision.errors import OrderError, cannot_write
from revier_provision.update.manifest import PUBLIC_SIZE
from revier_provision.vault.passphrase import decrypt
from revier_provision.vault.vault import PASSPHRASE_CHARS_MIN

HEAD = "revier update key 1 "
PUBLIC_SUFFIX = ".pub"
LOST = (
    "Run again and type it anew; if it is lost, make a new key and give the boards its .pub with: "
    "revier-provision firmware trust"
)
KEYS_MAX = 4  # of a board: revier_node/update.py
BOARD_PATH = "/update.pub"  # the keys one after the other


def create(path: Path, passphrase: str) -> bytes:
    """Make a key and its two files; the public key. Raises OrderError, too, if one is there."""
    if len(passphrase) < PASSPHRASE_CHARS_MIN:
        cure = "Choose {least} or more, for example four random words"
        raise OrderError("The passphrase is too short", cure, least=PASSPHRASE_CHARS_MIN)
    key = Ed25519PrivateKey.generate()
    text = f"{HEAD}{key.private_bytes_raw().hex()}\n".encode()
    public = key.public_key().public_bytes_raw()
    try:
        durable_files.create(path, pyrage.passphrase.encrypt(text, passphrase), 0o600)
        durable_files.create(public_path(path), f"{public.hex()}\n".encode())
    except OSError as error:
        cure = _("Choose a new file, or correct the rights there")
        raise cannot_write(error.filename, error, cure) from None
    return public


def public_path(path: Path) -> Path:
    return path.with_name(path.name + PUBLIC_SUFFIX)


def open_key(data: bytes, passphrase: str) -> Ed25519PrivateKey:
    """From the bytes of the file that `create` wrote."""
    try:
        text = decrypt(data, passphrase, LOST).decode("ascii")
    except UnicodeDecodeError:
        text = ""
    try:
        seed = bytes.fromhex(text.removeprefix(HEAD)) if text.startswith(HEAD) else b""
        return Ed25519PrivateKey.from_private_bytes(seed)
    except ValueError:
        cure = "Give the file that revier-provision firmware keygen wrote"
        raise OrderError("This is no key that signs updates", cure) from None


def read_public(path: Path) -> bytes:
    """32 bytes from a .pub file. Raises OrderError."""
    cure = "Give the .pub file that revier-provision firmware keygen wrote"
    try:
        public = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        raise OrderError("There is no public key in {path}", cure, path=path) from None
    if len(public) != PUBLIC_SIZE:
        raise OrderError(
            "The key in {path} has {count} bytes, not {wanted}",
            cure,
            path=path,
            count=len(public),
            wanted=PUBLIC_SIZE,
        )
    return public


def read_trusted(paths: Sequence[Path]) -> bytes:
    """What BOARD_PATH holds for these .pub files. Raises OrderError."""
    if len(paths) > KEYS_MAX:
        raise OrderError(
            "A board cannot hold {count} keys",
            "Give {most} at most",
            count=len(paths),
            most=KEYS_MAX,
        )
    return b"".join(read_public(path) for path in paths)
