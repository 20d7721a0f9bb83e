# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway's data folder: what lies in it, and who may write there."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

FILE_NAME = "revier-gateway.sqlite3"
LOCK_NAME = "lock"
RESTORING_NAME = f"{FILE_NAME}.restoring"


class DataDirError(OSError):
    """The folder cannot be used as it is; the text says why and names the cure."""


class DataDirBusyError(DataDirError):
    """Another process writes there."""


class NoDatabaseError(DataDirError):
    """No gateway has run there."""


class Lock:
    """Held while a process may write to the folder; a killed process holds it no longer."""

    def __init__(self, data_dir: Path) -> None:
        """Raises DataDirBusyError, or DataDirError where the folder cannot be written to."""
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._file = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            hand_over(data_dir / LOCK_NAME)
        except OSError as error:
            cure = "Correct [gateway] data_dir, its owner and rights, or make room"
            raise DataDirError(f"{data_dir}: {error.strerror}. {cure}.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise DataDirBusyError(
                f"{data_dir}: process {holder or '?'} works there already. Stop it first, or give "
                "this gateway a [gateway] data_dir of its own."
            ) from None
        self._sign()

    def _sign(self) -> None:
        """For people only: on a full disk the lock holds without a signature."""
        os.ftruncate(self._file, 0)
        try:
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            return

    def release(self) -> None:
        os.close(self._file)


def hand_over(file: Path) -> None:
    """What root made in the data folder becomes the folder's owner's: the gateway is seldom root,
    and must write it. Raises OSError."""
    if os.geteuid() == 0:
        owner = file.parent.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def database_of(data_dir: Path) -> Path:
    """The database's file. Raises NoDatabaseError where no gateway has run."""
    path = data_dir / FILE_NAME
    if not path.exists():
        raise NoDatabaseError(
            f"{data_dir}: no gateway has run with this data_dir yet. "
            "Start it (revier-gateway run), or name its configuration with --config."
        )
    return path


def open_to_read(path: Path) -> sqlite3.Connection:
    """Beside a gateway that writes. Raises DataDirError."""
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            db.close()
            raise
    except sqlite3.Error as error:
        cure = "Look at its rights; where it is damaged: revier-gateway restore"
        raise DataDirError(f"{path}: {error}. {cure}.") from None
    return db
