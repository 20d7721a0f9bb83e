# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What must survive: one SQLite file, one writer, one transaction for each batch.

WAL with synchronous=FULL: when commit() returns, the batch is on the disk. A store holds the data
folder's lock: there is one writer. Others read the file beside it (data_dir.open_to_read).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from revier_gateway import backup
from revier_gateway.data_dir import FILE_NAME, RESTORING_NAME, DataDirError, Lock
from revier_gateway.identity import DeviceState
from revier_gateway.store_rows import OutboxRow, insert, numbered, read_quarantine, runs
from revier_gateway.store_schema import before_upgrade, migrate, refuse_newer
from revier_gateway.work import QuarantineRow, Seen, Work

HISTORY_ROWS_MAX = 300  # of each asset
STATES_CACHED_MAX = 50_000
KEYS_PER_QUERY = 100
WAL_PAGES_MAX = 8000  # 32 MB; each check-point costs two more flushes of the disk
FRESH_ROWS_MAX = 4000  # committed rows that the feed may take without reading them back

_unpack_state = msgspec.msgpack.Decoder(DeviceState).decode


class StoreError(Exception):
    """The disk does not take it (full, read-only, gone). Nothing was written; try again."""


class Store:
    def __init__(self, data_dir: Path, reserve_bytes: int = 0) -> None:
        """reserve_bytes: of the disk, kept for what must go on when it is nearly full.

        Raises DataDirBusyError, or DataDirError where the database cannot be written.
        """
        self._lock = Lock(data_dir)
        self.reserve_bytes = reserve_bytes
        self.path = data_dir / FILE_NAME
        try:
            self._db = _open(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._states: dict[str, DeviceState] = {}
        self._latest_ms: dict[str, int] = dict(self._db.execute("SELECT asset, t_ms FROM latest"))
        self._history_grown: dict[str, int] = {}
        self._done: list[int] = []
        # The newest rows of the outbox that nobody has taken yet; their ids follow one another.
        self._fresh: deque[OutboxRow] = deque(maxlen=FRESH_ROWS_MAX)
        (newest,) = self._db.execute("SELECT max(id) FROM outbox").fetchone()
        self._next_row = (newest or 0) + 1

    @property
    def database(self) -> sqlite3.Connection:
        """For rooms that read tables of their own; they write through Work.changes alone."""
        return self._db

    def close(self) -> None:
        """What cannot be written any more is only that rows are done: they go out once again."""
        with contextlib.suppress(StoreError):
            self.settle()
        self.abandon()

    def abandon(self) -> None:
        """As a kill would leave it."""
        self._db.close()
        self._lock.release()

    def check_room(self) -> None:
        """For whoever adds. Raises StoreError while the disk has no more than the reserve, which is
        for the feed: what it has sent must be forgotten, and that takes room, too."""
        if self.reserve_bytes:
            disk = os.statvfs(self.path.parent)
            free_bytes = disk.f_bavail * disk.f_frsize
            if free_bytes < self.reserve_bytes:
                raise StoreError(
                    f"{free_bytes // 1_000_000} MB are free in {self.path.parent}: less than "
                    f"[gateway] disk_reserve_mb = {self.reserve_bytes // 1_000_000}"
                )

    # -- what a unit of work reads

    def seen_before(self, key: bytes) -> Seen | None:
        sql = "SELECT at_ms, content FROM seen WHERE key = ?"
        row: Seen | None = self._db.execute(sql, (key,)).fetchone()
        return row

    def seen_among(self, keys: Sequence[bytes]) -> dict[bytes, Seen]:
        found: dict[bytes, Seen] = {}
        for start in range(0, len(keys), KEYS_PER_QUERY):
            some = keys[start : start + KEYS_PER_QUERY]
            marks = ",".join("?" * len(some))
            sql = f"SELECT key, at_ms, content FROM seen WHERE key IN ({marks})"  # noqa: S608 - marks only
            rows = self._db.execute(sql, some)
            found.update({key: (at_ms, content) for key, at_ms, content in rows})
        return found

    def device_state(self, dev_eui: str) -> DeviceState:
        state = self._states.get(dev_eui)
        if state is None:
            sql = "SELECT state FROM identity WHERE dev_eui = ?"
            row = self._db.execute(sql, (dev_eui,)).fetchone()
            state = _unpack_state(row[0]) if row else DeviceState()
        return state

    def latest_ms(self, asset: str) -> int | None:
        return self._latest_ms.get(asset)

    # -- the one transaction

    def commit(self, work: Work) -> None:
        """All or nothing, on the disk when it returns. Raises StoreError, having written nothing.

        Rows that the feed has settled meanwhile leave in the same transaction.
        """
        done = [*self._done, *work.done]
        fresh = numbered(work, self._next_row)
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            insert(db, work, fresh)
            db.executemany("DELETE FROM outbox WHERE id BETWEEN ? AND ?", runs(done))
            self._prune_history(work)
            db.execute("COMMIT")
        except BaseException as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                self._reuse_log()
                raise StoreError(str(error)) from error
            raise
        self._done = []
        if done and self._fresh and max(done) >= self._fresh[0].id:
            self._fresh.clear()  # gone before anybody took it: the table knows what is left
        self._fresh.extend(fresh)
        self._next_row += len(fresh)
        self._remember(work)
        for tell in work.afterwards:
            tell()

    def _reuse_log(self) -> None:
        """On a full disk: what the write-ahead log holds goes to its place, as far as there is one;
        then the next transaction may begin the log anew and needs no room for it."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _remember(self, work: Work) -> None:
        if len(self._states) > STATES_CACHED_MAX:
            self._states.clear()
        self._states.update(work.states)
        for asset, (t_ms, _) in work.latest.items():
            self._latest_ms[asset] = t_ms

    def _prune_history(self, work: Work) -> None:
        for asset, _, _ in work.history:
            grown = self._history_grown.get(asset, 0) + 1
            if grown >= HISTORY_ROWS_MAX:
                grown = 0
                self._db.execute(
                    "DELETE FROM history WHERE asset = ? AND t_ms < (SELECT t_ms FROM history"
                    " WHERE asset = ? ORDER BY t_ms DESC LIMIT 1 OFFSET ?)",
                    (asset, asset, HISTORY_ROWS_MAX - 1),
                )
            self._history_grown[asset] = grown

    # -- the outbox

    def outbox_after(self, row_id: int, limit: int) -> list[OutboxRow]:
        """Rows that follow a row, in order. A reader that keeps up takes them from memory, each
        once; any other reads them back."""
        if row_id + 1 >= self._next_row:
            return []
        fresh = self._fresh
        if fresh and fresh[0].id == row_id + 1:
            return [fresh.popleft() for _ in range(min(limit, len(fresh)))]
        rows = self._read_outbox(row_id, limit)
        while rows and fresh and fresh[0].id <= rows[-1].id:
            fresh.popleft()
        return rows

    def _read_outbox(self, row_id: int, limit: int, which: str = "WHERE") -> list[OutboxRow]:
        columns = "id, topic, payload, kind, asset, t_ms, retain"
        sql = f"SELECT {columns} FROM outbox {which} id > ? ORDER BY id LIMIT ?"  # noqa: S608 - ours
        return [OutboxRow(*row) for row in self._db.execute(sql, (row_id, limit))]

    def outbox_first(self, row_id: int) -> OutboxRow | None:
        """The row that follows, left for its reader."""
        return next(iter(self._read_outbox(row_id, 1)), None)

    def alarms_after(self, row_id: int, limit: int) -> list[OutboxRow]:
        """Alarms among the rows that follow; their index is small."""
        return self._read_outbox(row_id, limit, "INDEXED BY outbox_alarms WHERE kind = 'alarm' AND")

    def outbox_rows(self) -> int:
        (rows,) = self._db.execute("SELECT count(*) FROM outbox").fetchone()
        return int(rows)

    def done(self, row_ids: Iterable[int]) -> None:
        """The feed's broker has them. Forgotten with the next transaction: a kill in between only
        repeats messages that everybody may repeat."""
        self._done.extend(row_ids)

    def settle(self, work: Work | None = None) -> None:
        """Write what done() gathered, when no batch comes to do it. Raises StoreError."""
        work = work or Work(self)
        if self._done or not work.is_empty:
            self.commit(work)

    @property
    def unsettled(self) -> int:
        """Rows that are done and that the disk still has."""
        return len(self._done)

    @property
    def waiting(self) -> int:
        """About how many rows the feed has not settled; takes no time however many there are."""
        (first,) = self._db.execute("SELECT min(id) FROM outbox").fetchone()
        return 0 if first is None else max(0, self._next_row - first - len(self._done))

    # -- the read model

    def latest(self, since_ms: int = -(2**63)) -> list[tuple[str, int, bytes]]:
        sql = "SELECT asset, t_ms, payload FROM latest WHERE t_ms >= ?"
        return self._db.execute(sql, (since_ms,)).fetchall()

    def history(self, asset: str) -> list[tuple[int, bytes]]:
        """Newest HISTORY_ROWS_MAX, oldest first."""
        sql = "SELECT t_ms, payload FROM history WHERE asset = ? ORDER BY t_ms DESC LIMIT ?"
        return self._db.execute(sql, (asset, HISTORY_ROWS_MAX)).fetchall()[::-1]

    def heard(self) -> dict[tuple[str, str], tuple[int, int]]:
        rows = self._db.execute("SELECT role, name, last_ms, frames FROM heard")
        return {(role, name): (last_ms, frames) for role, name, last_ms, frames in rows}

    def counters(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT name, value FROM counters ORDER BY name"))

    def quarantine(self) -> list[tuple[int, QuarantineRow]]:
        """Newest first."""
        return read_quarantine(self._db)


def _open(path: Path) -> sqlite3.Connection:
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
    db.execute("PRAGMA cache_size=-32000")
    db.execute("PRAGMA busy_timeout=5000")
    db.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES_MAX}")
    migrate(db, lambda version: backup.keep_copy(db, before_upgrade(path, version)))
