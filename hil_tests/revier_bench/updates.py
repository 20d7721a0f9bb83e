# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Other versions of the firmware, whole or broken, signed as an update."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from revier_bench import firmware_mpy
from revier_provision.update.manifest import Manifest, Version, sign, tree

VERSION_FILE = "revier_node/__init__.py"
PUBLIC_FILE = "/update.pub"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))  # the bench's; no node in the field


def application(version: Version, added: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """The slot's files of today's firmware as another version.

    added: text that goes behind a source, e.g. {"revier_node/app.py": "raise ValueError"}.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package in firmware_mpy.PACKAGES:
            shutil.copytree(firmware_mpy.FIRMWARE_DIR / package, folder / package)
        (folder / "image").mkdir()
        shutil.copy(firmware_mpy.FIRMWARE_DIR / "image" / "main.py", folder / "image")
        numbers = zip(("MAJOR", "MINOR", "PATCH"), version, strict=True)
        (folder / VERSION_FILE).write_text("".join(f"VERSION_{n} = {v}\n" for n, v in numbers))
        for path, text in (added or {}).items():
            with (folder / path).open("a") as file:
                file.write(f"\n\n{text}\n")
        return firmware_mpy.compiled(folder)


def manifest_of(files: Mapping[str, bytes], version: Version, **more: object) -> Manifest:
    digest, size = tree(files)
    return Manifest(version=version, size=size, tree_sha256=digest, **more)  # type: ignore[arg-type]


def in_slot(slot: str, files: Mapping[str, bytes], manifest: bytes) -> dict[str, bytes]:
    """What lies in a board's flash; `manifest` with its signature."""
    return {f"/{slot}/{path}": data for path, data in files.items()} | {
        f"/{slot}.manifest": manifest
    }


def signed(manifest: Manifest, key: Ed25519PrivateKey) -> bytes:
    return manifest.pack() + sign(manifest, key)


def public_file(*keys: Ed25519PrivateKey) -> dict[str, bytes]:
    return {PUBLIC_FILE: b"".join(key.public_key().public_bytes_raw() for key in keys)}
