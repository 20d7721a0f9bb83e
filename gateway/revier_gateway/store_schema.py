# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The database's schema: numbered SQL files, each applied once, in order."""

from __future__ import annotations

import sqlite3
from importlib import resources


def migrate(db: sqlite3.Connection) -> None:
    """Apply the schema files that this database has not seen, each in a transaction."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    folder = resources.files("revier_gateway") / "schemas"
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        number = int(file.name.split("_")[0]) if file.name.endswith(".sql") else 0
        if number > version:
            script = file.read_text("utf-8")
            try:
                db.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
            except sqlite3.Error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
