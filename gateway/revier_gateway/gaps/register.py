# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gaps that were declared: rows of a table, and their messages on the feed."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from revier_gateway.feed_messages import (
    SCHEMA_VERSION,
    Gap,
    asset_urn,
    device_urn,
    gap_message,
)
from revier_gateway.gaps import missing
from revier_gateway.gaps.causes import Cause, Evidence, cause_of
from revier_gateway.gaps.frames import (
    JOINED,
    FrameState,
    Hole,
    Session,
    named,
    with_sequences,
)
from revier_gateway.gaps.ledger import Ledger
from revier_gateway.gaps.outages import Outages
from revier_gateway.store import Store
from revier_gateway.values import instant_of_ms
from revier_gateway.work import Work
from revier_inventory import Asset, Inventory

KEPT_MS = 400 * 86_400_000
ROWS_MAX = 200_000
LOOKED_AT_ONCE_MAX = 200
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:revier:gap")
SCHEMA = f"urn:revier:schema:gap:{SCHEMA_VERSION}"

MISSING, FILLED, NONE = "missing", "filled", "none"


class GapRow(msgspec.Struct, frozen=True, kw_only=True):
    """As the table has it; schemas/0020_gaps.sql says what the columns mean."""

    number: int
    id: str
    dev_eui: str
    dev_addr: str
    f_cnt_first: int
    f_cnt_last: int
    after_ms: int
    before_ms: int
    asset: str
    ags: str
    domain: str
    kind: str
    cause: Cause
    state: str
    frames: int
    seq_first: int | None
    seq_last: int | None
    readings: int | None
    confirmed: int
    rev: int
    declared_ms: int
    closed_ms: int | None
    look_ms: int | None


COLUMNS = ", ".join(GapRow.__struct_fields__)


def read(db: sqlite3.Connection, where: str, values: Sequence[object] = ()) -> list[GapRow]:
    """where: SQL of ours, with marks for the values."""
    rows = db.execute(f"SELECT {COLUMNS} FROM gaps {where}", values)  # noqa: S608
    return [GapRow(**dict(zip(GapRow.__struct_fields__, row, strict=True))) for row in rows]


class Register:
    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        outages: Outages,
        inventory: Callable[[], Inventory],
        feed_root: str,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._outages = outages
        self._inventory = inventory
        self._root = feed_root

    def declare(self, dev_eui: str, log_from_ms: int | None, settled_ms: int, now_ms: int) -> Work:
        """A unit of work that names the device's holes noticed by settled_ms.

        log_from_ms: ChirpStack's event log of the device reaches back to then; None: not asked.
        """
        work = Work(self._store)
        state = with_sequences(self._ledger.state(dev_eui), work.device_state(dev_eui))
        number = self._last_number()
        numbers: dict[tuple[str, int], int] = {}
        for session in state.sessions:
            for hole in session.holes:
                if hole.gap or hole.noticed_ms > settled_ms:
                    continue
                number += 1
                numbers[session.dev_addr, hole.first] = number
                evidence = self._evidence(dev_eui, hole, log_from_ms)
                row = self._row(number, dev_eui, state, session, hole, cause_of(evidence), now_ms)
                self._enter(row, work)
        if numbers:
            self._ledger.set(dev_eui, named(state, numbers), work)
        return work

    def look(self, now_ms: int) -> Work:
        """A unit of work that closes what has been filled since the last look."""
        work = Work(self._store)
        rows = read(
            self._store.database,
            "WHERE look_ms IS NOT NULL ORDER BY look_ms LIMIT ?",
            (LOOKED_AT_ONCE_MAX,),
        )
        for row in rows:
            self._look_at(row, now_ms, work)
        return work

    def confirm(self, row: GapRow, work: Work) -> None:
        """The node was asked for its readings: what has not come, it does not have."""
        left = self.readings(row)
        readings = None if left is None else len(left)
        row = msgspec.structs.replace(row, readings=readings, confirmed=1, rev=row.rev + 1)
        self._publish(row, work)
        _put(row, work)

    def readings(self, row: GapRow) -> list[int] | None:
        """Sequences that are still missing; None: not known."""
        if row.seq_first is None or row.seq_last is None or not row.kind:
            return None
        return missing.sequences(self._store, row.dev_eui, row.kind, row.seq_first, row.seq_last)

    def tidy(self, now_ms: int) -> Work:
        work = Work(self._store)
        work.changes.append(lambda db: _tidy(db, now_ms))
        return work

    # -- one gap

    def _look_at(self, row: GapRow, now_ms: int, work: Work) -> None:
        left = self.readings(row)
        change = msgspec.structs.replace
        now = change(row, readings=None if left is None else len(left), look_ms=None)
        all_heard = now.frames == 0 and now.f_cnt_first != JOINED
        if now.state == MISSING and (all_heard or now.readings == 0):
            now = change(now, state=FILLED, readings=0, closed_ms=now_ms, rev=row.rev + 1)
            work.counters["gaps.filled"] += 1
            self._publish(now, work)
        _put(now, work)

    def _evidence(self, dev_eui: str, hole: Hole, log_from_ms: int | None) -> Evidence:
        between = (hole.after_ms, hole.before_ms)
        sql = (
            "SELECT count(DISTINCT dev_eui) FROM gaps"
            " WHERE after_ms < ? AND before_ms > ? AND dev_eui != ? AND declared_ms > ?"
        )
        since_ms = hole.noticed_ms - 86_400_000
        values = (hole.before_ms, hole.after_ms, dev_eui, since_ms)
        (others_lost,) = self._store.database.execute(sql, values).fetchone()
        return Evidence(
            leapt=hole.leapt,
            at_start=hole.first == 0,
            in_log=log_from_ms is not None and log_from_ms <= hole.after_ms,
            served=hole.served,
            source_was_down=self._outages.between(*between),
            others_heard=self._ledger.others_heard(dev_eui, *between),
            others_lost=others_lost,
        )

    def _row(
        self,
        number: int,
        dev_eui: str,
        state: FrameState,
        session: Session,
        hole: Hole,
        cause: Cause,
        now_ms: int,
    ) -> GapRow:
        asset = self._asset(dev_eui, state, hole)
        known = hole.seq_first >= 0
        name = f"{dev_eui}/{session.dev_addr}/{hole.first}/{hole.noticed_ms}"
        row = GapRow(
            number=number,
            id=str(uuid.uuid5(NAMESPACE, name)),
            dev_eui=dev_eui,
            dev_addr=session.dev_addr,
            f_cnt_first=hole.first,
            f_cnt_last=hole.last,
            after_ms=hole.after_ms,
            before_ms=hole.before_ms,
            asset=asset.asset if asset else "",
            ags=asset.ags if asset else "",
            domain=asset.domain if asset else "",
            kind=asset.kind if asset else "",
            cause=cause,
            state=MISSING,
            frames=hole.last - hole.first + 1,
            seq_first=hole.seq_first if known else None,
            seq_last=hole.seq_last if known else None,
            readings=None,
            confirmed=0,
            rev=0,
            declared_ms=now_ms,
            closed_ms=None,
            look_ms=None,
        )
        left = self.readings(row)
        if left == []:
            return msgspec.structs.replace(row, state=NONE, readings=0, closed_ms=now_ms)
        return row if left is None else msgspec.structs.replace(row, readings=len(left))

    def _asset(self, dev_eui: str, state: FrameState, hole: Hole) -> Asset | None:
        """The one that the readings would have been of, if the device may write for it."""
        inventory = self._inventory()
        asset = None
        for at_ms in (hole.before_ms, hole.after_ms):
            at = datetime.fromtimestamp(at_ms / 1000, UTC)
            asset = inventory.asset_of(dev_eui, at) or asset
        if asset and inventory.may_write(state.tenant_id, state.application_id, asset.ags):
            return asset
        return None

    def _enter(self, row: GapRow, work: Work) -> None:
        if row.state == MISSING:
            work.counters["gaps.declared"] += 1
            work.counters[f"gaps.frames.{row.cause}"] += row.frames
            self._publish(row, work)
        _put(row, work)

    def _publish(self, row: GapRow, work: Work) -> None:
        if row.asset:
            where = (self._root, row.ags, row.domain, row.asset)
            work.outbox.append(gap_message(*where, message_of(row), row.before_ms))

    def _last_number(self) -> int:
        sql = "SELECT seq FROM sqlite_sequence WHERE name = 'gaps'"
        row = self._store.database.execute(sql).fetchone()
        return row[0] if row else 0


def message_of(row: GapRow) -> Gap:
    seq = None
    if row.seq_first is not None and row.seq_last is not None and row.seq_first <= row.seq_last:
        seq = (row.seq_first, row.seq_last)
    return Gap(
        schema=SCHEMA,
        id=row.id,
        rev=row.rev,
        asset=asset_urn(row.ags, row.domain, row.asset),
        device=device_urn(row.dev_eui),
        state="filled" if row.state == FILLED else "missing",
        cause=row.cause,
        t_from=instant_of_ms(row.after_ms),
        t_to=instant_of_ms(row.before_ms),
        f_cnt=None if row.f_cnt_first == JOINED else (row.f_cnt_first, row.f_cnt_last),
        frames=row.frames,
        readings=row.readings,
        seq=seq,
        confirmed=bool(row.confirmed),
    )


def _put(row: GapRow, work: Work) -> None:
    marks = ", ".join("?" * len(GapRow.__struct_fields__))
    sql = f"INSERT OR REPLACE INTO gaps ({COLUMNS}) VALUES ({marks})"  # noqa: S608

    def change(db: sqlite3.Connection) -> None:
        db.execute(sql, msgspec.structs.astuple(row))

    work.changes.append(change)


def _tidy(db: sqlite3.Connection, now_ms: int) -> None:
    db.execute("DELETE FROM gaps WHERE declared_ms < ?", (now_ms - KEPT_MS,))
    sql = "DELETE FROM gaps WHERE number <= (SELECT max(number) FROM gaps) - ?"
    db.execute(sql, (ROWS_MAX,))
