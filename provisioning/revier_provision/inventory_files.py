# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The inventory's folder: read whole, changed one writer at a time, each file replaced in one step.

A change writes what is referred to before what refers to it (owners before assets before periods),
so a reader, or a cable pulled in between, sees a consistent inventory at every moment of a change
that adds; revier-provision only adds and ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from revier_inventory import FILE_NAMES, Inventory, dump, load
from revier_inventory.message import _
from revier_provision import durable_files
from revier_provision.errors import OrderError, cannot_read, cannot_write, cannot_write_in

FILE_BYTES_MAX = 64 * 1024 * 1024
LOCK_NAME = ".lock"


def read(folder: Path) -> Inventory:
    """The inventory in this folder; raises InventoryError or OrderError."""
    return load(_texts(folder))


def init(folder: Path) -> None:
    """Make an empty inventory; files that exist are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        for name, text in dump(Inventory()).items():
            if not (folder / name).exists():
                _replace(folder / name, text)


def write(folder: Path, inventory: Inventory) -> None:
    """Make the folder hold exactly this inventory (made if missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        _write_changed(folder, inventory)


def change(folder: Path, function: Callable[[Inventory], Inventory]) -> Inventory:
    """Apply `function` to the newest state under a lock, write it and return it."""
    with _lock(folder):
        changed = function(read(folder))
        _write_changed(folder, changed)
        if read(folder) != changed:
            problem = "The inventory in {folder} does not read back as written"
            raise OrderError(
                problem, "Check the disk, and that no other program writes there", folder=folder
            )
    return changed


def _texts(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        cure = "Correct --inventory, or make one with: revier-provision inventory init {folder}"
        raise OrderError("There is no inventory folder {folder}", cure, folder=folder)
    texts = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            if path.stat().st_size > FILE_BYTES_MAX:
                raise OrderError(
                    "{path} is larger than 64 MiB",
                    "Move it out of the folder: it is no inventory",
                    path=path,
                )
            texts[path.name] = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            raise OrderError(
                "{path} is not UTF-8 text: {error}",
                "Save it as UTF-8 in your editor",
                path=path,
                error=str(error),
            ) from error
        except OSError as error:
            cure = _("Make it readable for this user (chmod, chown)")
            raise cannot_read(path, error, cure) from error
    return texts


def _write_changed(folder: Path, inventory: Inventory) -> None:
    texts = dump(inventory)
    for name in FILE_NAMES:
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != texts[name]:
            _replace(path, texts[name])


def _replace(path: Path, text: str) -> None:
    try:
        durable_files.replace(path, text.encode())
    except OSError as error:
        cure = _("Make room or correct the rights there; the old file is as it was")
        raise cannot_write(path, error, cure) from error


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Wait until no other process changes this inventory."""
    lock = folder / LOCK_NAME
    try:
        lock.touch()
    except OSError as error:
        cure = _("Correct --inventory, or the rights on the folder")
        raise cannot_write_in(folder, error, cure) from error
    with durable_files.locked(lock):
        yield
