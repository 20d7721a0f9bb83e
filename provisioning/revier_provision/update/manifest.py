# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The manifest of an update, as docs/protocol/update.md has it. Pure.

`revier_node/update.py` reads the same bytes on the board.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from revier_inventory.message import _
from revier_provision.errors import OrderError

MAGIC = b"RVUM"
FORMAT = 1
WHOLE = 0  # kind: every file of the slot; others are kept free for deltas
MAY_GO_BACK = 1  # flag
TARGETS = ("any", "esp32", "esp32s3")
MPY_ANY = 0
_FORM = ">4sBBBBB3s3sBI12s32s32s"
SIZE = struct.calcsize(_FORM)
SIGNATURE_SIZE = 64
PUBLIC_SIZE = 32
NOTHING = bytes(32)
SIGN = _("Sign it with: revier-provision firmware sign")
AGAIN = _("Build the firmware again, and sign it with: revier-provision firmware sign")

Version = tuple[int, int, int]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed.

    `tree_sha256`: over path, zero byte and SHA-256 of each file of the slot, in the order of paths,
    which begin with the / after the slot. `size`: bytes of all of them. `mpy`: version of the
    bytecode, 0 any. `follows`: the lowest version that may run before it. `may_go_back`: also onto
    a board with a higher version.
    """

    version: Version
    size: int
    tree_sha256: bytes
    target: str = "any"
    mpy: int = MPY_ANY
    follows: Version = (0, 0, 0)
    may_go_back: bool = False

    def pack(self) -> bytes:
        """SIZE bytes. Raises OrderError for a value that has no place in them."""
        if self.target not in TARGETS:
            raise OrderError(
                "There is no target {target!r}",
                "Give one of {targets}",
                target=self.target,
                targets=", ".join(TARGETS),
            )
        try:
            return struct.pack(
                _FORM, MAGIC, FORMAT, WHOLE, TARGETS.index(self.target), self.mpy,
                MAY_GO_BACK if self.may_go_back else 0, bytes(self.version), bytes(self.follows),
                0, self.size, bytes(12), self.tree_sha256, NOTHING,
            )  # fmt: skip
        except (ValueError, struct.error):
            cure = "Give a version of three numbers up to 255, and files of less than 4 GB"
            raise OrderError("The manifest cannot hold these values", cure) from None


def unpack(data: bytes) -> Manifest:
    """Raises OrderError if it is none, or of a form that this program does not know."""
    if len(data) != SIZE or data[:4] != MAGIC:
        raise OrderError("This is no manifest of an update", AGAIN)
    _, form, kind, target, mpy, flags, version, follows, zero, size, zeros, tree, of = (
        struct.unpack(_FORM, data)
    )
    known = form == FORMAT and kind == WHOLE and target < len(TARGETS) and flags <= MAY_GO_BACK
    if not known or zero or any(zeros) or any(of):
        cure = "Use the revier-provision that belongs to this firmware"
        raise OrderError("This manifest is of a form that is not known here", cure)
    return Manifest(
        version=(version[0], version[1], version[2]),
        size=size,
        tree_sha256=tree,
        target=TARGETS[target],
        mpy=mpy,
        follows=(follows[0], follows[1], follows[2]),
        may_go_back=bool(flags & MAY_GO_BACK),
    )


def tree(files: Mapping[str, bytes]) -> tuple[bytes, int]:
    """(tree_sha256, size) of a slot's files by their path below the slot, without a leading /."""
    total = hashlib.sha256()
    for path in sorted(files, key=lambda name: name.encode()):
        digest = hashlib.sha256(files[path]).digest()
        total.update(b"/" + path.encode() + b"\0" + digest)
    return total.digest(), sum(map(len, files.values()))


def sign(manifest: Manifest, key: Ed25519PrivateKey) -> bytes:
    return key.sign(manifest.pack())


def is_signed(data: bytes, signature: bytes, public: bytes) -> bool:
    """Whether `signature` is that of the manifest's bytes under a public key of 32 bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def check(data: bytes, signature: bytes, files: Mapping[str, bytes]) -> Manifest:
    """The manifest that belongs to these files. Raises OrderError.

    Whether the signature is one that the board takes is the board's to say: it has the public keys.
    """
    if not data or not signature:
        raise OrderError("This firmware is not signed", SIGN)
    manifest = unpack(data)
    if len(signature) != SIGNATURE_SIZE:
        raise OrderError(
            "The signature has {count} bytes, not {wanted}",
            SIGN,
            count=len(signature),
            wanted=SIGNATURE_SIZE,
        )
    if tree(files) != (manifest.tree_sha256, manifest.size):
        raise OrderError("The firmware's files are not those that were signed", AGAIN)
    return manifest


def version_text(version: Version) -> str:
    return ".".join(map(str, version))


def parse_version(text: str) -> Version:
    """`1.2.3`. Raises OrderError."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdigit() and int(part) <= 255 for part in parts):
        cure = "Write three numbers up to 255, for example 1.2.3"
        raise OrderError("{text!r} is no version", cure, text=text)
    return int(parts[0]), int(parts[1]), int(parts[2])
