# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is forgotten, and when. Bay by bay, parking tells who comes and goes: that has a deadline.

All of it in small transactions between those of the source; a table of 200 million keys is gone
through in slices, because an index on their age would cost more than it saves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from revier_gateway.config import Retention
from revier_gateway.store import Store
from revier_gateway.store_rows import remove_quarantined
from revier_gateway.values import instant
from revier_gateway.work import Work

DAY_MS = 86_400_000
QUARANTINE_ROWS_MAX = 100_000  # the oldest go before their deadline; each is counted
SEEN_SLICES = 4096  # keys are check sums: each slice holds as many as any other
FIRST_DEVICE = -(1 << 63)
DEVICES_PER_LOOK = 20
ROWS_PER_TRANSACTION = 500
ASSETS_PER_LOOK = 100
FINE_GRAINED = ("parking",)  # domains whose single assets have the deadline


class _Subject(msgspec.Struct):
    asset: str  # urn:revier:{ags}:{domain}:{asset}


def steps(store: Store, retention: Retention, now_ms: int) -> Iterator[None]:
    """One pass; stops after each transaction. Raises StoreError."""
    yield from _seen(store, now_ms - retention.seen_days * DAY_MS)
    yield from _usual(store, now_ms - retention.seen_days * DAY_MS)
    yield from _quarantine(store, now_ms - retention.quarantine_days * DAY_MS)
    yield from _quarantine_bytes(store, retention.quarantine_mb * 1_000_000)
    yield from _bays(store, now_ms - retention.parking_days * DAY_MS)


def _seen(store: Store, oldest_ms: int) -> Iterator[None]:
    sql = "FROM seen WHERE key >= ? AND key < ? AND at_ms < ?"
    for number in range(SEEN_SLICES):
        last = number + 1 == SEEN_SLICES
        end = b"\xff" * 17 if last else _slice_start(number + 1)
        slice_ = (_slice_start(number), end, oldest_ms)
        if _any(store, f"SELECT 1 {sql} LIMIT 1", slice_):
            _do(store, f"DELETE {sql}", slice_)
        yield


def _usual(store: Store, oldest_ms: int) -> Iterator[None]:
    """A page goes when the newest of its frames is too old."""
    sql = "FROM usual WHERE device BETWEEN ? AND ? AND newest_ms < ?"
    devices: list[tuple[int]] = [(FIRST_DEVICE,)]
    while devices:
        look = "SELECT id FROM device WHERE id >= ? ORDER BY id LIMIT ?"
        devices = store.database.execute(look, (*devices[-1], DEVICES_PER_LOOK)).fetchall()
        if devices:
            between = (*devices[0], *devices[-1], oldest_ms)
            if _any(store, f"SELECT 1 {sql} LIMIT 1", between):
                _do(store, f"DELETE {sql}", between)
        if len(devices) < DEVICES_PER_LOOK:
            return
        yield


def _slice_start(number: int) -> bytes:
    return (number * 65_536 // SEEN_SLICES).to_bytes(2, "big")


def _quarantine(store: Store, oldest_ms: int) -> Iterator[None]:
    oldest = instant(datetime.fromtimestamp(oldest_ms / 1000, UTC))
    requests = "FROM operator_requests WHERE at < ? AND answer IS NOT NULL"
    if _any(store, f"SELECT 1 {requests} LIMIT 1", (oldest,)):
        _do(store, f"DELETE {requests}", (oldest,))
    yield
    for rule, values in (("at < ?", (oldest,)), ("id <= last - ?", (QUARANTINE_ROWS_MAX,))):
        while _remove_quarantined(store, rule, values):
            yield


def _remove_quarantined(store: Store, rule: str, values: tuple[object, ...]) -> int:
    """The oldest, if the rule holds for them; returns how many went."""
    sql = (
        "SELECT id FROM quarantine, (SELECT max(id) AS last FROM quarantine)"  # noqa: S608 - ours
        f" WHERE id IN (SELECT id FROM quarantine ORDER BY id LIMIT ?) AND {rule}"
    )
    rows = store.database.execute(sql, (ROWS_PER_TRANSACTION, *values)).fetchall()
    if rows:
        work = Work(store)
        work.counters["quarantine.expired"] += len(rows)
        work.changes.append(lambda db: remove_quarantined(db, rows))
        store.commit(work)
    return len(rows)


def _quarantine_bytes(store: Store, bytes_max: int) -> Iterator[None]:
    """The oldest go until the rest fits. One row is at most a packet of the source's leg."""
    sql = "SELECT id, length(payload) FROM quarantine ORDER BY id DESC"
    held, last_to_go = 0, None
    for row_id, size in store.database.execute(sql):
        held += size
        if held > bytes_max:
            last_to_go = row_id
            break
    yield
    if last_to_go is not None:
        while _remove_quarantined(store, "id <= ?", (last_to_go,)):
            yield


def _bays(store: Store, oldest_ms: int) -> Iterator[None]:
    after = ""
    while assets := store.assets_after(after, ASSETS_PER_LOOK):
        after = assets[-1][0]
        bays = [asset for asset, payload in assets if _is_fine_grained(payload)]
        for bay in bays:
            store.forget_newest(bay, oldest_ms)
        old = [(bay, oldest_ms) for bay in bays if _any(store, _FIND_OLD, (bay, oldest_ms))]
        if old:
            _do(store, _DELETE_OLD, *old)
            _do(store, _LEAVE_OLD, *old)
        yield


_OLD = "WHERE kept = 1 AND asset = ? AND t_ms < ?"
_FIND_OLD = f"SELECT 1 FROM message {_OLD} LIMIT 1"  # noqa: S608 - all of it is ours
_DELETE_OLD = f"DELETE FROM message {_OLD} AND id + state <= (SELECT id FROM sent)"  # noqa: S608
_LEAVE_OLD = f"UPDATE message SET kept = 0 {_OLD}"  # noqa: S608 - not sent yet: goes when it is


def _is_fine_grained(payload: bytes) -> bool:
    try:
        return msgspec.json.decode(payload, type=_Subject).asset.split(":")[3] in FINE_GRAINED
    except (msgspec.MsgspecError, IndexError):
        return True  # what nobody can read is not kept longer for that


def _any(store: Store, sql: str, values: Sequence[object]) -> bool:
    """A look costs no flush of the disk."""
    return store.database.execute(sql, values).fetchone() is not None


def _do(store: Store, sql: str, *rows: tuple[object, ...]) -> None:
    work = Work(store)
    work.changes.append(partial(_executemany, sql, rows))
    store.commit(work)


def _executemany(sql: str, rows: Sequence[tuple[object, ...]], db: sqlite3.Connection) -> None:
    db.executemany(sql, rows)
