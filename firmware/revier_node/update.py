# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A new application, checked before use (docs/protocol/update.md). For the REPL of the service
window, in which the application that is known to work is the one that runs:

    from revier_node import update
    update.show()
    update.verify("b")
    update.activate("b")

Each prints `revier update ...` lines (docs/protocol/console.md). Nothing of a slot is executed
before its manifest's signature and every byte of its files are right.
"""

import hashlib
import json
import os
import struct
import sys

from revier_node import VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH, ed25519
from revier_node.console import say

MYPY = False
if MYPY:
    from typing import Any


SLOTS = ("a", "b")
KEYS = "/update.pub"  # public keys of 32 bytes; written by provisioning, never by an update
KEYS_MAX = 4
# docs/protocol/update.md: magic, format, kind, target, mpy version, flags, version, the lowest
# version it may follow, zero, size, zeros, digest of the tree, digest of the tree a delta is of
_FORM = ">4sBBBBB3s3sBI12s32s32s"
SIZE = struct.calcsize(_FORM)
MAGIC, FORMAT, WHOLE = b"RVUM", 1, 0
MAY_GO_BACK = 1
TARGETS = ("any", "esp32", "esp32s3")
_READ = 1024


class RefusedError(Exception):
    """One word of docs/protocol/update.md that says why."""


def show() -> None:
    """The slots: which one runs, what /slot says, and the manifest of each if it has one."""
    slot = running()
    try:
        with open("/slot") as file:
            text = file.read(64).strip()
    except OSError:
        text = ""
    say("update", "running", slot or "none", "slot", text or "none", "keys", len(_keys()))
    for name in SLOTS:
        manifest = _read(path_of(name), SIZE)
        if len(manifest) == SIZE:
            version = tuple(struct.unpack(_FORM, manifest)[6])
            say("update", "manifest", name, "version", "%d.%d.%d" % version)


def verify(slot: str) -> bool:
    """Whether the board would take what is in the slot; a line says so, and why not."""
    try:
        version = _checked(slot)
    except RefusedError as error:
        say("update", "result", "refused", "slot", slot, "reason", error.args[0])
        return False
    say("update", "result", "verified", "slot", slot, "version", "%d.%d.%d" % version)
    return True


def activate(slot: str) -> bool:
    """On trial from the next start on, if verify() takes it."""
    if not verify(slot):
        return False
    _trial().begin(slot, running())
    say("update", "result", "activated", "slot", slot)
    return True


def drop() -> None:
    """Ends a trial before its slot is written anew: the slot that runs now stays."""
    now = running()
    if now:
        _trial().write(now)
    say("update", "result", "dropped", "running", now or "none")


def running() -> str:
    """The slot on the import path, where boot.py has put it; "" if there is none."""
    for path in sys.path:
        if path in ("/a", "/b"):
            return path[1:]
    return ""


def path_of(slot: str) -> str:
    """The manifest and its signature lie beside the slot."""
    return "/%s.manifest" % slot


def _checked(slot: str) -> tuple:
    """The version of a slot's application; RefusedError."""
    now = running()
    if slot not in SLOTS or not now:
        raise RefusedError("no_slot")
    if slot == now:
        raise RefusedError("running")
    _trial()
    manifest = _manifest(slot)
    version: tuple = tuple(manifest[6])
    if tree(slot) != (manifest[11], manifest[9]):
        raise RefusedError("files")
    return version


def _trial() -> "Any":
    """boot.py's module, which this file must not bring with it."""
    try:
        return __import__("trial")
    except ImportError:
        raise RefusedError("no_trial")


def _manifest(slot: str) -> tuple:
    """The manifest's values: signed, of a form that is known, for this board and version."""
    data = _read(path_of(slot), SIZE + ed25519.SIGNATURE_SIZE + 1)
    if not data:
        raise RefusedError("no_manifest")
    if len(data) != SIZE + ed25519.SIGNATURE_SIZE:
        raise RefusedError("format")
    keys = _keys()
    if not keys:
        raise RefusedError("no_key")
    signed = [key for key in keys if ed25519.verify(key, data[:SIZE], data[SIZE:])]
    if not signed:
        raise RefusedError("signature")
    values: tuple = struct.unpack(_FORM, data[:SIZE])
    _known(values)
    here = (VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH)
    if tuple(values[6]) < here and not values[5] & MAY_GO_BACK:
        raise RefusedError("version")
    if here < tuple(values[7]):
        raise RefusedError("from_version")
    return values


def _known(values: tuple) -> None:
    magic, form, kind, target, mpy, flags = values[:6]
    zeros = values[8] or any(values[10]) or any(values[12])
    if magic != MAGIC or form != FORMAT or kind != WHOLE or zeros or flags & ~MAY_GO_BACK:
        raise RefusedError("format")
    if target and (target >= len(TARGETS) or TARGETS[target] != _chip()):
        raise RefusedError("target")
    if mpy and mpy != sys.implementation._mpy & 0xFF:
        raise RefusedError("mpy")


def _chip() -> str:
    """As the board's description has it; before provisioning, as MicroPython's image has."""
    try:
        with open("/node.json") as file:
            board = json.load(file)["board"]
        with open("/boards/%s.json" % board) as file:
            return str(json.load(file)["mcu"])
    except (OSError, ValueError, KeyError):
        machine = sys.implementation._machine
        return "esp32s3" if "ESP32S3" in machine else "esp32" if "ESP32" in machine else ""


def _keys() -> "list[bytes]":
    data = _read(KEYS, ed25519.PUBLIC_SIZE * KEYS_MAX + 1)
    if len(data) % ed25519.PUBLIC_SIZE or len(data) > ed25519.PUBLIC_SIZE * KEYS_MAX:
        return []
    return [data[i : i + 32] for i in range(0, len(data), ed25519.PUBLIC_SIZE)]


def _read(path: str, size: int) -> bytes:
    """b"" if there is no such file."""
    try:
        with open(path, "rb") as file:
            data: bytes = file.read(size)
    except OSError:
        return b""
    return data


def tree(slot: str) -> tuple:
    """(SHA-256 over path, zero byte and SHA-256 of each file, by path; bytes in all)"""
    root = "/" + slot
    folders: list[str] = [root]
    files: list[str] = []
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.ilistdir(folder))
        except OSError:
            entries = []
        for entry in entries:
            path = folder + "/" + entry[0]
            (folders if entry[1] & 0x4000 else files).append(path)
    total, size = hashlib.sha256(), 0
    buffer = bytearray(_READ)
    for path in sorted(files):
        one = hashlib.sha256()
        with open(path, "rb") as file:
            while True:
                count = file.readinto(buffer)
                if not count:
                    break
                size += count
                one.update(memoryview(buffer)[:count])
        total.update(path[len(root) :].encode() + b"\0" + one.digest())
    return total.digest(), size
