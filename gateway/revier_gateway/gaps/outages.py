# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""When the gateway did not hear ChirpStack: its own ends and kills, and a lost link."""

from __future__ import annotations

import sqlite3

from revier_gateway.store import Store
from revier_gateway.work import Work

KEPT_MS = 60 * 86_400_000
# A lost link is noticed late: by its keep-alive, after one and a half of its intervals.
NOTICED_AFTER_MS = 60_000


class Outages:
    def __init__(self, store: Store, now_ms: int) -> None:
        """What was alive before is down since it was last alive."""
        self._store = store
        row = store.database.execute("SELECT at_ms FROM alive").fetchone()
        self._begin(row[0] if row else now_ms)

    def link(self, online: bool, now_ms: int) -> None:
        """Raises StoreError."""
        if not online:
            self._begin(now_ms - NOTICED_AFTER_MS)
            return
        ended = ("UPDATE outages SET ended_ms = ? WHERE ended_ms IS NULL", now_ms)
        self._write(ended, _alive(now_ms))

    def alive(self, now_ms: int) -> None:
        """To be said from time to time while the link is up. Raises StoreError."""
        old = ("DELETE FROM outages WHERE ended_ms < ?", now_ms - KEPT_MS)
        self._write(_alive(now_ms), old)

    def between(self, after_ms: int, before_ms: int) -> bool:
        """Was there one at some time between?"""
        sql = (
            "SELECT 1 FROM outages WHERE began_ms <= ?"
            " AND (ended_ms IS NULL OR ended_ms >= ?) LIMIT 1"
        )
        return self._store.database.execute(sql, (before_ms, after_ms)).fetchone() is not None

    def _begin(self, at_ms: int) -> None:
        is_open = "SELECT 1 FROM outages WHERE ended_ms IS NULL"
        sql = f"INSERT INTO outages SELECT ?, NULL WHERE NOT EXISTS ({is_open})"
        self._write((sql, at_ms))

    def _write(self, *statements: tuple[str, int]) -> None:
        work = Work(self._store)

        def change(db: sqlite3.Connection) -> None:
            for sql, value in statements:
                db.execute(sql, (value,))

        work.changes.append(change)
        self._store.commit(work)


def _alive(now_ms: int) -> tuple[str, int]:
    return "INSERT OR REPLACE INTO alive VALUES (1, ?)", now_ms
