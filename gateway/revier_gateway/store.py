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
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from revier_gateway.data_dir import FILE_NAME, Lock
from revier_gateway.gaps.frames import FrameState
from revier_gateway.identity import DeviceState
from revier_gateway.known import Known
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store_devices import Devices
from revier_gateway.store_journal import Journal
from revier_gateway.store_log import Log
from revier_gateway.store_open import open_database
from revier_gateway.store_rows import (
    COLUMNS,
    KIND,
    STATE,
    StoredRow,
    insert,
    messages_in,
    newest_of_each,
    numbered,
    read_quarantine,
)
from revier_gateway.store_sent import Sent
from revier_gateway.usual_frame import Like, UsualFrame
from revier_gateway.work import DEVICE, QuarantineRow, Seen, Work, added

HISTORY_ROWS_MAX = 300  # of each asset
PRUNE_EVERY_ROWS = 30  # of an asset: so many too many
KEYS_PER_QUERY = 100
FRESH_ROWS_MAX = 10_000  # committed rows that the feed may take without reading them back


class _Asset(msgspec.Struct, gc=False):
    newest_ms: int | None = None  # of its newest observation
    row: int = 0  # that observation's
    grown: int = 0  # rows of its history, since somebody looked whether they are too many


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
            self._db = open_database(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._devices = Devices(self._db)
        self._journal = Journal(self._db, self._devices)
        self._assets: dict[str, _Asset] = {
            asset: _Asset(t_ms, row_id) for asset, t_ms, row_id, _ in newest_of_each(self._db)
        }
        self._done: list[int] = []
        self.commits = 0  # since the start
        self._sent = Sent(self._db)
        self._log = Log(self._db, self.path)
        # The newest rows of the outbox that nobody has taken yet; their ids follow one another.
        self._fresh: deque[FeedMessage] = deque(maxlen=FRESH_ROWS_MAX)
        (newest,) = self._db.execute(
            "SELECT max(id + state) FROM (SELECT id, state FROM message ORDER BY id DESC LIMIT 1)"
        ).fetchone()
        self._next_row: int = max(newest or 0, self._sent.upto, *self._sent.ahead, 0) + 1

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
        self._log.close()
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

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """One look at the database for all that is read within: alone, each takes and gives back
        the locks (10 us, measured)."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            if self._db.in_transaction:  # an error of the disk may have ended it
                self._db.execute("ROLLBACK")

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

    def usual_frame(self, dev_eui: str, like: Like, since_ms: int) -> int | None:
        return self._journal.frame(dev_eui, like, since_ms)

    def usual_readings(self, dev_eui: str, first: int, last: int) -> list[UsualFrame]:
        return self._journal.readings(dev_eui, first, last)

    def known(self, dev_eui: str) -> Known:
        return self._devices.known(dev_eui)

    def device_state(self, dev_eui: str) -> DeviceState:
        return self._devices.known(dev_eui).now()[0]

    def frame_state(self, dev_eui: str) -> FrameState:
        return self._devices.known(dev_eui).now()[1]

    def latest_ms(self, asset: str) -> int | None:
        found = self._assets.get(asset)
        return None if found is None else found.newest_ms

    # -- the one transaction

    def commit(self, work: Work) -> None:
        """All or nothing, on the disk when it returns. Raises StoreError, having written nothing.

        Rows that the feed has settled meanwhile leave in the same transaction.
        """
        done = [*self._done, *work.done]
        fresh, messages = numbered(work, self._next_row)
        sent = self._sent.step(done)
        frames = self._journal.step(work)
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            insert(db, work, messages)
            self._journal.write(frames)
            self._sent.write(db, sent, work.done)
            self._prune_history(work, sent.upto)
            db.execute("COMMIT")
        except BaseException as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                self._log.reuse()
                raise StoreError(str(error)) from error
            raise
        self._done = []
        self.commits += 1
        self._sent.take(sent)
        self._journal.take(frames, work)
        if done and self._fresh and max(done) >= self._fresh[0].id:
            self._fresh.clear()  # gone before anybody took it: the table knows what is left
        self._fresh.extend(fresh)
        self._next_row += len(fresh)
        self._remember(messages)
        self._log.grew(len(messages) + len(work.seen) + len(done))
        for tell in work.afterwards:
            tell()

    def _remember(self, messages: Sequence[StoredRow]) -> None:
        for row in messages:
            if row[STATE] or row[KIND] == "state":
                row_id, asset, t_ms = row[:3]
                found = self._asset(asset)  # type: ignore[arg-type]
                found.newest_ms, found.row = t_ms, row_id  # type: ignore[assignment]

    def _prune_history(self, work: Work, sent: int) -> None:
        """What was not sent yet stays for that."""
        for asset, _, _ in work.history:
            found = self._asset(asset)
            found.grown += 1
            if found.grown >= PRUNE_EVERY_ROWS:
                found.grown = 0
                self._db.execute(
                    "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE kept = 1 AND"
                    " asset = ? ORDER BY t_ms DESC, id DESC LIMIT -1 OFFSET ?) AND id + state <= ?",
                    (asset, HISTORY_ROWS_MAX, sent),
                )

    def _asset(self, name: str) -> _Asset:
        found = self._assets.get(name)
        if found is None:
            found = self._assets[name] = _Asset()
        return found

    def forget_newest(self, asset: str, before_ms: int) -> None:
        """The deadline of the asset's observations has passed, also for the newest."""
        found = self._assets.get(asset)
        if found is not None and found.newest_ms is not None and found.newest_ms < before_ms:
            del self._assets[asset]

    # -- the outbox

    def outbox_after(self, row_id: int, limit: int) -> list[FeedMessage]:
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

    def _read_outbox(self, row_id: int, limit: int, which: str = "WHERE") -> list[FeedMessage]:
        sql = (
            f"SELECT {COLUMNS} FROM message {which} id >= ? AND id + state > ? ORDER BY id LIMIT ?"  # noqa: S608 - ours
        )
        ahead = self._sent.ahead
        after = max(row_id, self._sent.upto)
        while stored := self._db.execute(sql, (after, after, limit)).fetchall():
            found = [row for row in messages_in(stored) if row.id > after and row.id not in ahead]
            if found:
                return found[:limit]
            after = stored[-1][0] + stored[-1][STATE]
        return []

    def outbox_first(self, row_id: int) -> FeedMessage | None:
        """The row that follows, left for its reader."""
        return next(iter(self._read_outbox(row_id, 1)), None)

    def alarms_after(self, row_id: int, limit: int) -> list[FeedMessage]:
        """Alarms among the rows that follow; their index is small."""
        return self._read_outbox(
            row_id, limit, "INDEXED BY message_alarms WHERE kind = 'alarm' AND"
        )

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
        """How many messages the feed has not settled; takes no time however many there are."""
        unsent = self._next_row - 1 - self._sent.upto - len(self._sent.ahead)
        return unsent - len(self._done)

    # -- the read model

    def latest(self) -> list[tuple[str, int, bytes]]:
        """The newest observation of each asset, by the time of measurement."""
        rows = newest_of_each(self._db)
        return [(asset, t_ms, payload) for asset, t_ms, _, payload in rows]

    def newest(self, since_ms: int = -(2**63)) -> list[tuple[str, int, int]]:
        """Asset, time, and number of its newest observation, where that is not older."""
        return [
            (name, one.newest_ms, one.row)
            for name, one in self._assets.items()
            if one.newest_ms is not None and one.newest_ms >= since_ms
        ]

    def newest_payload(self, asset: str) -> bytes:
        """Empty: there is none."""
        found = self._assets.get(asset)
        return b"" if found is None else self.payload(found.row)

    def payload(self, row_id: int) -> bytes:
        """Empty: it was forgotten."""
        sql = "SELECT payload FROM message WHERE id = ?"
        row = self._db.execute(sql, (row_id,)).fetchone()
        return row[0] if row else b""

    def assets_after(self, asset: str, limit: int) -> list[tuple[str, bytes]]:
        """Those with a history, by name, each with its newest observation."""
        rows = newest_of_each(self._db, asset, limit)
        return [(asset, payload) for asset, _, _, payload in rows]

    def history(self, asset: str) -> list[tuple[int, bytes]]:
        """Newest HISTORY_ROWS_MAX, oldest first."""
        sql = (
            "SELECT t_ms, payload FROM history WHERE asset = ? ORDER BY t_ms DESC, id DESC LIMIT ?"
        )
        return self._db.execute(sql, (asset, HISTORY_ROWS_MAX)).fetchall()[::-1]

    def heard(self) -> dict[tuple[str, str], tuple[int, int]]:
        rows = self._db.execute("SELECT role, name, last_ms, frames FROM heard")
        found = {(role, name): (last_ms, frames) for role, name, last_ms, frames in rows}
        for dev_eui, (last_ms, frames) in self._journal.heard().items():
            before = found.get((DEVICE, dev_eui), (last_ms, 0))
            found[DEVICE, dev_eui] = added(before, last_ms, frames)
        return found

    def counters(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT name, value FROM counters ORDER BY name"))

    def quarantine(self) -> list[tuple[int, QuarantineRow]]:
        """Newest first."""
        return read_quarantine(self._db)
