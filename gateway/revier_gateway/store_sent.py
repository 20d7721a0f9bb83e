# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which messages the feed's broker has: all up to a number, and some after it.

Messages are numbered without gaps and mostly answered in order, so one number on the disk says it
of millions. Those after it are remembered here and forgotten at a restart: they go out once again,
which everybody may bear. Only what must not go again is written down (Settled).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec


class Step(msgspec.Struct, frozen=True):
    """What one transaction changes."""

    upto: int
    passed: list[int]  # that were ahead, and are no more
    ahead: set[int]


class Sent:
    def __init__(self, db: sqlite3.Connection) -> None:
        self.upto: int
        (self.upto,) = db.execute("SELECT id FROM sent").fetchone()
        self.ahead = {row_id for (row_id,) in db.execute("SELECT id FROM settled")}
        self._written = bool(self.ahead)

    def step(self, done: Iterable[int]) -> Step:
        upto, known = self.upto, self.ahead
        passed: list[int] = []
        ahead: set[int] = set()
        for row_id in sorted(done):
            if row_id == upto + 1:
                upto = row_id
                while upto + 1 in known:
                    upto += 1
                    passed.append(upto)
            elif row_id > upto:
                ahead.add(row_id)
        return Step(upto, passed, ahead)

    def write(self, db: sqlite3.Connection, step: Step, settled: Iterable[int]) -> None:
        """settled: messages that must not go again, even after a restart."""
        if step.upto > self.upto:
            db.execute(
                "DELETE FROM message WHERE id >= ?1 AND id + state > ?1 AND id <= ?2"
                " AND id + state <= ?2 AND kept = 0",
                (self.upto, step.upto),
            )
            db.execute("UPDATE sent SET id = ?", (step.upto,))
            if self._written:
                db.execute("DELETE FROM settled WHERE id <= ?", (step.upto,))
        rows = [(row_id,) for row_id in settled if row_id > step.upto]
        if rows:
            db.executemany("INSERT OR IGNORE INTO settled VALUES (?)", rows)
            self._written = True

    def take(self, step: Step) -> None:
        """The transaction is on the disk."""
        self.upto = step.upto
        self.ahead.difference_update(step.passed)
        self.ahead |= step.ahead
