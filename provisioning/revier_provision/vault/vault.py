# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""AppKeys at rest, encrypted with age (https://age-encryption.org/v1).

A vault is a folder: `recipients.txt` with age public keys, one a line, and a file
`DEVEUI.KEYID.age` for each key that was ever made. Everyone of the recipients can open every key;
to put one in nobody's secret is needed, so a workbench that makes keys cannot read old ones.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import msgspec
import pyrage

from revier_inventory.message import Message, _
from revier_inventory.model import EUI
from revier_provision import durable_files
from revier_provision.errors import OrderError, cannot_read, cannot_write
from revier_provision.identity import APP_KEY_BYTES
from revier_provision.ledger.records import key_id
from revier_provision.vault.passphrase import decrypt

RECIPIENTS = "recipients.txt"
RECIPIENTS_MAX = 50
PASSPHRASE_CHARS_MIN = 12
KEY_ID = re.compile(r"[0-9a-f]{32}\Z")
LOST = "Run again and type it anew; if it is lost, give the nodes new keys: revier-provision rekey"
AGE_FILE = b"age-encryption.org/v1\n"


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an .age file holds; the DevEUI stands in it too, so that files cannot be swapped."""

    dev_eui: str
    app_key: str


class Vault:
    """Every method may raise OrderError; no message holds a key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recipients = _recipients(folder / RECIPIENTS)

    def put(self, dev_eui: str, app_key: bytes) -> None:
        """Keep the key; a key that is there already stays as it is."""
        sealed = msgspec.json.encode(_Sealed(dev_eui, app_key.hex()))
        path = self._path(dev_eui, key_id(app_key))
        try:
            with suppress(FileExistsError):
                durable_files.create(path, pyrage.encrypt(sealed, self._recipients), 0o600)
        except OSError as error:
            cure = _("Make room or correct the rights there, then run again")
            raise cannot_write(path, error, cure) from None

    def holds(self, dev_eui: str, which: str) -> bool:
        return self._path(dev_eui, which).exists()

    def key_ids(self, dev_eui: str) -> list[str]:
        """Of all keys that this device ever had here."""
        return sorted(path.name.split(".")[1] for path in self._folder.glob(f"{dev_eui}.*.age"))

    def get(self, dev_eui: str, which: str, identity: pyrage.x25519.Identity) -> bytes:
        path = self._path(dev_eui, which)
        try:
            sealed = msgspec.json.decode(
                pyrage.decrypt(path.read_bytes(), [identity]), type=_Sealed
            )
        except OSError as error:
            cure = _(
                "Look for it in a copy of the vault, or give the node a new key: run node again"
            )
            raise cannot_read(path, error, cure) from None
        except pyrage.DecryptError:
            cure = _("Give the identity of one of the vault's recipients")
            raise OrderError("This identity does not open {name}", cure, name=path.name) from None
        except msgspec.DecodeError:
            raise _swapped(path) from None
        app_key = bytes.fromhex(sealed.app_key)
        if sealed.dev_eui != dev_eui or key_id(app_key) != which or len(app_key) != APP_KEY_BYTES:
            raise _swapped(path)
        return app_key

    def _path(self, dev_eui: str, which: str) -> Path:
        assert EUI.match(dev_eui)
        assert KEY_ID.match(which)
        return self._folder / f"{dev_eui}.{which}.age"


def create(folder: Path, identity_path: Path, passphrase: str | None) -> None:
    """Make a vault and the identity that opens it, in a file encrypted with the passphrase.

    Without a passphrase the file itself opens every key: for a medium that lies in a safe.
    """
    if (folder / RECIPIENTS).exists():
        raise OrderError(
            "There is a vault in {folder} already", "Choose another folder", folder=folder
        )
    if passphrase is not None and len(passphrase) < PASSPHRASE_CHARS_MIN:
        cure = "Choose {least} or more, for example four random words"
        raise OrderError("The passphrase is too short", cure, least=PASSPHRASE_CHARS_MIN)
    identity = pyrage.x25519.Identity.generate()
    text = f"{identity}\n".encode()
    if passphrase is not None:
        text = pyrage.passphrase.encrypt(text, passphrase)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        durable_files.create(identity_path, text, 0o600)
        durable_files.create(folder / RECIPIENTS, f"{identity.to_public()}\n".encode())
    except OSError as error:
        cure = _("Choose a new file for the identity, or correct the rights there")
        raise cannot_write(error.filename, error, cure) from None


def needs_passphrase(identity: bytes) -> bool:
    return identity.startswith(AGE_FILE)


def open_identity(identity: bytes, passphrase: str | None) -> pyrage.x25519.Identity:
    """The identity from its file's bytes, with or without a passphrase."""
    try:
        if passphrase is not None:
            identity = decrypt(identity, passphrase, LOST)
        return pyrage.x25519.Identity.from_str(identity.decode("ascii").strip())
    except (pyrage.IdentityError, UnicodeDecodeError):
        cure = "Give the file that revier-provision vault init wrote"
        raise OrderError("This is no identity of age", cure) from None


def _recipients(path: Path) -> list[pyrage.x25519.Recipient]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        cure = "Correct --vault, or make one with: revier-provision vault init"
        raise OrderError("There is no vault in {parent}", cure, parent=path.parent) from None
    texts = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not 0 < len(texts) <= RECIPIENTS_MAX:
        raise _no_recipient(path, _("{count} recipients", count=len(texts)))
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError:
        raise _no_recipient(path, _("a line that is no age public key")) from None


def _no_recipient(path: Path, what: Message) -> OrderError:
    cure = "Write 1 to {most} public keys there (age1...), one a line"
    return OrderError("{path} has {what}", cure, path=path, what=what, most=RECIPIENTS_MAX)


def _swapped(path: Path) -> OrderError:
    cure = "Take it from a copy of the vault, or give the node a new key: run node again"
    return OrderError("{name} does not hold the key that its name says", cure, name=path.name)
