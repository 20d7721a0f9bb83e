# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The database's schema: numbered SQL files, each applied once, in order, forward only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from revier_gateway.data_dir import DataDirError


def schema_files() -> dict[int, str]:
    """Number to script, in order."""
    folder = resources.files("revier_gateway") / "schemas"
    files = {item.name: item for item in folder.iterdir() if item.name.endswith(".sql")}
    return {int(name.split("_")[0]): files[name].read_text("utf-8") for name in sorted(files)}


def version_of(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def refuse_newer(db: sqlite3.Connection, path: Path) -> None:
    """Raises DataDirError where a later program wrote the database."""
    version, known = version_of(db), max(schema_files())
    if version > known:
        raise DataDirError(
            f"{path}: a newer revier-gateway wrote it (schema {version}; this program knows up to "
            f"{known}). Install that version again, or restore the copy from before its upgrade: "
            f"revier-gateway restore {before_upgrade(path, known)}"
        )


def before_upgrade(path: Path, version: int) -> Path:
    """Where the copy of a database of this version is kept when the next one takes it over."""
    return path.with_name(f"{path.name}.schema-{version:04d}")


def migrate(db: sqlite3.Connection, keep: Callable[[int], None] = lambda _: None) -> None:
    """Apply the schema files that this database has not seen, each in a transaction.

    keep is called with the version before anything is changed in a database that holds something.
    """
    version = version_of(db)
    missing = {number: sql for number, sql in schema_files().items() if number > version}
    if missing and version:
        keep(version)
    for number, script in missing.items():
        try:
            db.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
