# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Copies of the database: made while a gateway writes, checked, and put back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from revier_gateway.data_dir import (
    FILE_NAME,
    RESTORING_NAME,
    DataDirError,
    Lock,
    database_of,
    hand_over,
    open_to_read,
)
from revier_gateway.store_schema import refuse_newer, version_of

COMPANIONS = ("-wal", "-shm")  # of a database in WAL mode, beside its file


class Copied(msgspec.Struct, frozen=True):
    file: str
    size_bytes: int
    schema: int
    waiting: int  # messages that the feed's broker had not yet taken
    quarantine: int
    replaced: str = ""  # restore: where the database lies that was there before


def backup(data_dir: Path, target: Path) -> Copied:
    """One consistent moment of the database, whether a gateway writes or not.

    Raises DataDirError, or OSError where the target's disk does not take it.
    """
    source = database_of(data_dir)
    if target.exists():
        raise DataDirError(f"{target}: exists. Name a new file, or remove this one first.")
    with closing(open_to_read(source)) as db:
        _copy(db, target)
    return _checked(target)


def restore(file: Path, data_dir: Path) -> Copied:
    """Put a copy in the place of the database; the one that was there is set aside.

    Raises DataDirBusyError while a gateway runs, DataDirError where the file is no such copy.
    """
    lock = Lock(data_dir)
    try:
        checked = _checked(file)
        incoming = data_dir / RESTORING_NAME
        incoming.unlink(missing_ok=True)
        with closing(open_to_read(file)) as db:
            _copy(db, incoming)
        hand_over(incoming)
        replaced = _set_aside(data_dir)
        incoming.rename(data_dir / FILE_NAME)
        _flush(data_dir)
    finally:
        lock.release()
    return msgspec.structs.replace(checked, replaced=str(replaced or ""))


def keep_copy(db: sqlite3.Connection, target: Path) -> None:
    """For a database that is about to change; a copy of an earlier attempt is replaced."""
    target.unlink(missing_ok=True)
    _copy(db, target)
    hand_over(target)


def _copy(db: sqlite3.Connection, target: Path) -> None:
    """In one step, so that a writer beside it neither waits nor makes it begin again."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.touch(0o600)
        with closing(sqlite3.connect(part)) as copy:
            db.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")
        _flush(part)
        part.rename(target)
        _flush(target.parent)
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise OSError(f"{target}: {error}. Make room, or name another disk.") from None


def _checked(file: Path) -> Copied:
    if not file.is_file():
        raise DataDirError(f"{file}: there is no such file.")
    with closing(open_to_read(file)) as db:
        try:
            (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
            version = version_of(db)
            waiting, quarantine = (
                db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
                for table in ("outbox", "quarantine")
            )
        except sqlite3.Error as error:
            answer = str(error)
        if answer != "ok":
            raise DataDirError(f"{file}: no sound copy of a gateway's database: {answer}.")
        refuse_newer(db, file)
    return Copied(str(file), file.stat().st_size, version, waiting, quarantine)


def _set_aside(data_dir: Path) -> Path | None:
    """The write-ahead log goes with its database: SQLite would apply it to the next one."""
    path = data_dir / FILE_NAME
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = data_dir / f"{FILE_NAME}.replaced-{stamp}"
    found = path.exists()
    for ending in (*COMPANIONS, ""):
        old = path.with_name(path.name + ending)
        if old.exists():
            old.rename(aside.with_name(aside.name + ending))
    return aside if found else None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
