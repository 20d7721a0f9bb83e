# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The writer's connection to the database: its schema of now, and the settings that make a commit
durable."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from revier_gateway import backup, store_journal
from revier_gateway.data_dir import RESTORING_NAME, DataDirError
from revier_gateway.store_schema import before_upgrade, migrate, refuse_newer


def open_database(path: Path) -> sqlite3.Connection:
    """Raises DataDirError, whose text names the cure."""
    if path.with_name(RESTORING_NAME).exists():
        raise DataDirError(
            f"{path.parent}: a restore was interrupted. Run it again: revier-gateway restore FILE"
        )
    db = sqlite3.connect(path, isolation_level=None, cached_statements=64)
    try:
        _prepare(db, path)
    except BaseException as error:
        db.close()
        if isinstance(error, sqlite3.OperationalError):
            raise DataDirError(f"{path}: {error}. Make room, or correct its rights.") from None
        if isinstance(error, sqlite3.DatabaseError):
            cure = "Restore a backup: revier-gateway restore FILE"
            raise DataDirError(f"{path}: {error}. {cure}") from None
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    refuse_newer(db, path)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA cache_size=-8000")
    db.execute("PRAGMA busy_timeout=5000")
    db.execute("PRAGMA wal_autocheckpoint=0")  # store_log.py
    migrate(db, lambda version: backup.keep_copy(db, before_upgrade(path, version)))
    store_journal.put_away(db)
