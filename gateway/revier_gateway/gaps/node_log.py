# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The second source: what neither came nor is in ChirpStack's log, the node may have in its memory.

The gateway does not know when a node wakes, and each answer costs the node airtime: so one request
at a time, a few a day, none twice for what the node has said it has not.
"""

from __future__ import annotations

from revier_gateway.commands import table
from revier_gateway.commands.fate import Command
from revier_gateway.commands.making import new_command
from revier_gateway.commands.tracker import Tracker
from revier_gateway.gaps import missing
from revier_gateway.gaps.register import GapRow, Register, read
from revier_gateway.store import Store
from revier_gateway.work import Work
from revier_payload.backfill import RANGES_MAX, ranges
from revier_payload.downlinks import backfill_request

DAY_MS = 86_400_000
OLDEST_MS = 30 * DAY_MS  # a node's memory is not endless
READINGS_MAX = 100  # of one request
RANGE_MAX = 254
ORIGIN = "gaps"
OPEN = "WHERE state = 'missing' AND confirmed = 0 AND readings > 0 AND declared_ms > ?"


class NodeLog:
    def __init__(
        self, store: Store, register: Register, tracker: Tracker, requests_per_day: int
    ) -> None:
        self._store = store
        self._register = register
        self._tracker = tracker
        self._requests_per_day = requests_per_day

    def ask(self, now_ms: int) -> list[Work]:
        """Units of work, one for each device that is to be asked now."""
        if not self._requests_per_day:
            return []
        works = []
        where = f"{OPEN} ORDER BY number DESC LIMIT 1000"
        rows = read(self._store.database, where, (now_ms - OLDEST_MS,))
        for dev_eui in dict.fromkeys(row.dev_eui for row in rows):
            if self._may_ask(dev_eui, now_ms):
                mine = [row for row in rows if row.dev_eui == dev_eui]
                works += self._request(dev_eui, mine, now_ms)
        return works

    def answered(self, command: Command, work: Work) -> None:
        """The node has given what it has: of the gaps it was asked for, the rest is gone."""
        if command.kind != "backfill" or command.state != "acknowledged":
            return
        asked = ranges(command.data)
        for row in read(self._store.database, f"{OPEN} AND dev_eui = ?", (0, command.dev_eui)):
            if _covers(asked, row):
                self._register.confirm(row, work)

    def _may_ask(self, dev_eui: str, now_ms: int) -> bool:
        if any(one.kind == "backfill" for one in self._tracker.open_of(dev_eui)):
            return False
        where = "WHERE dev_eui = ? AND created_ms > ? AND kind = 'backfill'"
        today = table.commands(self._store.database, where, (dev_eui, now_ms - DAY_MS))
        return len(today) < self._requests_per_day

    def _request(self, dev_eui: str, rows: list[GapRow], now_ms: int) -> list[Work]:
        numbers: set[int] = set()
        for row in rows:
            left = self._register.readings(row) or []
            if numbers and len(numbers) + len(left) > READINGS_MAX:
                break
            numbers.update(left[:READINGS_MAX])
        wanted = missing.ranges(sorted(numbers), RANGE_MAX)[:RANGES_MAX]
        if not wanted:
            return []
        work = Work(self._store)
        data = backfill_request(wanted)
        self._tracker.set(new_command(dev_eui, "backfill", data, now_ms, origin=ORIGIN), work)
        work.counters["commands.backfill"] += 1
        return [work]


def _covers(asked: list[tuple[int, int]], row: GapRow) -> bool:
    """Was a reading of this gap asked for?"""
    if row.seq_first is None or row.seq_last is None:
        return False
    last = row.seq_last
    return any(first <= last and row.seq_first < first + count for first, count in asked)
