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
    """An outage is written when it is over; one that a kill ends goes on at the next start."""

    def __init__(self, store: Store, now_ms: int) -> None:
        self._store = store
        row = store.database.execute("SELECT at_ms FROM alive").fetchone()
        self._since_ms: int | None = row[0] if row else now_ms

    def link(self, online: bool, now_ms: int) -> None:
        """Raises StoreError."""
        if online:
            self.alive(now_ms)
        elif self._since_ms is None:
            self._since_ms = now_ms - NOTICED_AFTER_MS

    def alive(self, now_ms: int) -> None:
        """To be said from time to time while the link is up. Raises StoreError."""
        statements: list[tuple[str, tuple[int, ...]]] = [
            ("INSERT OR REPLACE INTO alive VALUES (1, ?)", (now_ms,)),
            ("DELETE FROM outages WHERE ended_ms < ?", (now_ms - KEPT_MS,)),
        ]
        if self._since_ms is not None:
            statements.append(("INSERT INTO outages VALUES (?, ?)", (self._since_ms, now_ms)))
        self._write(statements)
        self._since_ms = None

    def between(self, after_ms: int, before_ms: int) -> bool:
        """Was there one at some time between?"""
        if self._since_ms is not None and self._since_ms <= before_ms:
            return True
        sql = "SELECT 1 FROM outages WHERE began_ms <= ? AND ended_ms >= ? LIMIT 1"
        return self._store.database.execute(sql, (before_ms, after_ms)).fetchone() is not None

    def _write(self, statements: list[tuple[str, tuple[int, ...]]]) -> None:
        work = Work(self._store)

        def change(db: sqlite3.Connection) -> None:
            for sql, values in statements:
                db.execute(sql, values)

        work.changes.append(change)
        self._store.commit(work)
