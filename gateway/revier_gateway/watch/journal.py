# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the watch has to write, and what of it is on the disk: a few transactions for each look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from revier_gateway.alerts.book import Book, Incident
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store import Store, StoreError
from revier_gateway.watch import rows
from revier_gateway.watch.assets import AssetWatch
from revier_gateway.watch.days import Days
from revier_gateway.watch.deafness import Period
from revier_gateway.watch.standing import Standing
from revier_gateway.work import Work

SLOW_EVERY_S = 300.0
FORGET_EVERY_S = 86_400.0
SLOW_ROWS = 100  # of a kind, in one transaction: a few milliseconds


class Journal:
    def __init__(self, store: Store, assets: AssetWatch, days: Days, now_ms: int) -> None:
        self._store = store
        self._assets = assets
        self._days = days
        self.standings = rows.read_availability(store.database)  # as the feed was told
        self._book: Book = rows.read_book(store.database)
        # As it is; written with the next look. What was pending begins anew: nobody looked since.
        self.book = {key: one for key, one in self._book.items() if one.state != "pending"}
        self._incidents: list[Incident] = []
        self._periods: list[Period] = []
        self._slow_ms = now_ms
        self._forgot_ms = 0
        self._slow_left = 0  # rows that were gathered when the slow ones were due
        self.fault = ""  # why the store did not take the last look

    @property
    def has_more(self) -> bool:
        """Slow rows, for the next write to take along."""
        return self._slow_left > 0

    def note(self, incidents: Sequence[Incident]) -> None:
        self._incidents += incidents

    def write(
        self,
        now_ms: int,
        standings: Mapping[str, Standing] | None = None,
        messages: Sequence[FeedMessage] = (),
        last: bool = False,
    ) -> bool:
        """False where the store does not take it; the next look brings it again.

        standings: those that have changed; last: the gateway ends, nothing waits for its time.
        """
        work = Work(self._store)
        work.outbox += messages
        changed = dict(standings or {})
        periods = self._assets.deafness.periods()
        due = last or now_ms - self._slow_ms >= SLOW_EVERY_S * 1000
        if due and not self.has_more:
            self._slow_left = max(len(self._days), self._assets.changes, 1)
        slow = self.has_more
        forgets = now_ms - self._forgot_ms >= FORGET_EVERY_S * 1000
        self._gather(work, now_ms, changed, periods)
        remembered = self._gather_slow(work) if slow else []
        if forgets:
            self._assets.deafness.forget(now_ms)
            work.changes.append(lambda db: rows.forget(db, now_ms))
        book, incidents = self.book, len(self._incidents)
        try:
            self._store.commit(work)
        except StoreError as error:
            self.fault = str(error)
            return False
        self.fault = ""
        self.standings.update(changed)
        self._book, self._periods = book, periods
        del self._incidents[:incidents]
        if slow:
            self._days.written()
            self._assets.written(remembered)
            self._slow_left -= SLOW_ROWS
            self._slow_ms = now_ms
        if forgets:
            self._forgot_ms = now_ms
        return True

    def _gather(
        self,
        work: Work,
        now_ms: int,
        changed: Mapping[str, Standing],
        periods: list[Period],
    ) -> None:
        first_ms, add = self._assets.first_ms, work.changes.append
        add(lambda db: rows.write_marks(db, first_ms, now_ms))
        if changed:
            add(lambda db: rows.write_availability(db, changed, now_ms))
        if periods != self._periods:
            add(lambda db: rows.write_deafness(db, periods))
        if self.book != self._book or self._incidents:
            book, incidents = self.book, list(self._incidents)
            add(lambda db: rows.write_book(db, book, incidents))

    def _gather_slow(self, work: Work) -> list[str]:
        """What may be lost in a kill without harm: habits and days since the last time. Returns the
        devices."""
        days = self._days.gathered(SLOW_ROWS)
        remembered = self._assets.changed(SLOW_ROWS)
        work.changes.append(lambda db: rows.write_days(db, days))
        work.changes.append(lambda db: rows.write_devices(db, remembered))
        return [dev_eui for dev_eui, _, _ in remembered]
