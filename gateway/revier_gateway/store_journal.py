# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Usual frames go into a journal with their batch, and some at a time into rows of their devices.

A device's row anew and two keys for each frame wrote more than half a page (4 KiB) for each uplink,
all over the database. Now a frame is 41 bytes in its batch's row of the journal. When a device has
PAGE_FRAMES of them, or anything else happens to it, they become one row (usual) and the device's
own is written anew. After a kill the journal is gone through and all of that done at once.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import msgspec

from revier_gateway import known, store_devices, usual_frame
from revier_gateway.gaps.frames import FrameState
from revier_gateway.known import Waiting
from revier_gateway.store_devices import Device, Devices
from revier_gateway.usual_frame import Like, UsualFrame
from revier_gateway.values import device_id
from revier_gateway.work import Heard, Run, Work, added

PAGE_FRAMES = 32
JOURNAL_FRAMES_MAX = 50_000  # 2 MB; a start goes through them in a quarter of a second
TRIM_EVERY_ROWS = 100

_PUT_PAGE = "INSERT OR REPLACE INTO usual VALUES (?, ?, ?, ?, ?)"


class Step(msgspec.Struct, frozen=True):
    """What one transaction changes."""

    row: int
    records: bytes  # of this batch
    devices: list[Device]  # that are written
    pages: list[tuple[int, bytes]]  # records by values.device_id
    more: list[Run]  # that wait on
    trimmed: int  # rows before this one are gone


class Journal:
    def __init__(self, db: sqlite3.Connection, devices: Devices) -> None:
        self._devices = devices
        self._db = db
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()  # the longest first
        self._frames = 0  # that have gone into it since the start
        (newest,) = db.execute("SELECT max(id) FROM journal").fetchone()
        self._next: int = (newest or 0) + 1
        self._trimmed = self._next

    # -- the one transaction

    def step(self, work: Work) -> Step:
        more, due = [], dict.fromkeys(self._oldest())  # due: whose rows are to be written
        for dev_eui, run in work.runs.items():
            if not run.records or dev_eui in due:
                continue
            waiting = run.known.waiting
            frames = usual_frame.count(run.records)
            if waiting is not None:
                frames += usual_frame.count(waiting.records)
            if frames < PAGE_FRAMES:
                more.append(run)
            else:
                due[dev_eui] = None
        due |= dict.fromkeys(work.changed_otherwise)
        records = b"".join([*work.usual.values(), *[run.records for run in work.runs.values()]])
        upto = self._next if records else self._next - 1
        devices, pages = [], []
        for dev_eui in due:
            device, page = self._change(dev_eui, work, upto)
            devices.append(device)
            if page:
                pages.append((device_id(dev_eui), page))
        first = self._first
        trimmed = first if first >= self._trimmed + TRIM_EVERY_ROWS else self._trimmed
        return Step(self._next, records, devices, pages, more, trimmed)

    def write(self, step: Step) -> None:
        db = self._db
        if step.records:
            db.execute("INSERT INTO journal VALUES (?, ?)", (step.row, step.records))
        if step.devices:
            store_devices.put(db, step.devices)
        if step.pages:
            db.executemany(_PUT_PAGE, [_page(number, page) for number, page in step.pages])
        if step.trimmed > self._trimmed:
            db.execute("DELETE FROM journal WHERE id < ?", (step.trimmed,))

    def take(self, step: Step, work: Work) -> None:
        """The transaction is on the disk."""
        self._trimmed = step.trimmed
        for device in step.devices:
            self._written(device, work.runs.get(device.dev_eui))
        for run in step.more:
            one = run.known
            if one.waiting is None:
                one.waiting = Waiting(step.row, self._frames, bytearray(run.records))
                self._waiting[one.dev_eui] = one.waiting
            else:
                one.waiting.records += run.records
            one.expected = run.expected
        if step.records:
            self._next += 1
            self._frames += usual_frame.count(step.records)
        self._devices.trim(self._waiting)

    def _written(self, device: Device, run: Run | None) -> None:
        one = self._devices.known(device.dev_eui)
        one.device, one.frames = device.identity or one.device, device.frames or one.frames
        one.waiting = None
        self._waiting.pop(device.dev_eui, None)
        if run is None:
            one.expected = known.expected(device.dev_eui, one.device, one.frames)
        else:
            one.expected = run.expected

    @property
    def _first(self) -> int:
        """The oldest row that is needed."""
        first = next(iter(self._waiting.values()), None)
        return self._next - 1 if first is None else first.since

    def _oldest(self) -> list[str]:
        """Those that keep the journal long."""
        found = []
        for dev_eui, one in self._waiting.items():
            if self._frames - one.before < JOURNAL_FRAMES_MAX:
                break
            found.append(dev_eui)
        return found

    def _change(self, dev_eui: str, work: Work, upto: int) -> tuple[Device, bytes]:
        """Of its row, and the usual frames that go into their page."""
        one, run = self._devices.known(dev_eui), work.runs.get(dev_eui)
        mine = work.usual.get(dev_eui, b"") if run is None else run.records
        state, frames = work.states.get(dev_eui), work.frames.get(dev_eui)
        last_ms, heard = work.heard.devices.get(dev_eui, (None, 0))
        is_carried = run is not None or one.waiting is not None
        if is_carried and (state is None or frames is None):
            now = one.now(b"" if run is None else mine)
            state, frames = state or now[0], frames or now[1]
        if one.waiting is not None:
            newest_ms, frames_more = _heard(one.waiting.records)
            before = (newest_ms if last_ms is None else last_ms, heard)
            last_ms, heard = added(before, newest_ms, frames_more)
            mine = bytes(one.waiting.records) + mine
        if frames == FrameState():
            frames = None
        return Device(dev_eui, state, frames, last_ms, heard, upto), mine

    # -- what else is asked

    def heard(self) -> dict[str, Heard]:
        """Of frames that are in the journal alone: the newest's time, and how many."""
        return {dev_eui: _heard(one.records) for dev_eui, one in self._waiting.items()}

    def frame(self, dev_eui: str, like: Like, since_ms: int) -> int | None:
        """When that usual frame was heard, if it was since then."""
        for some in self._pages(dev_eui, "newest_ms >= ? ORDER BY seq_last DESC", since_ms):
            heard_ms = usual_frame.found(some, like)
            if heard_ms is not None:
                return heard_ms
        return None

    def readings(self, dev_eui: str, first: int, last: int) -> list[UsualFrame]:
        """Usual frames whose readings have these sequences."""
        where = "seq_last >= ? AND seq_first <= ? ORDER BY seq_last"
        pages = self._pages(dev_eui, where, first, last)
        return [one for some in pages for one in some if first <= one.seq <= last]

    def _pages(self, dev_eui: str, where: str, *values: int) -> Iterator[Sequence[UsualFrame]]:
        waiting = self._waiting.get(dev_eui)
        if waiting is not None:
            yield list(usual_frame.unpack(waiting.records))
        sql = f"SELECT records FROM usual WHERE device = ? AND {where}"  # noqa: S608 - ours
        for (records,) in self._db.execute(sql, (device_id(dev_eui), *values)):
            yield list(usual_frame.unpack(records))


def _heard(records: bytearray) -> Heard:
    return usual_frame.newest_ms(records), usual_frame.count(records)


def _page(number: int, records: bytes) -> tuple[int, int, int, int, bytes]:
    sequences = [one.seq for one in usual_frame.unpack(records)]
    return number, sequences[-1], sequences[0], usual_frame.newest_ms(records), records


# -- the journal of a gateway that ended, or of one that another program looks at


def put_away(db: sqlite3.Connection) -> None:
    """Put all that is in the journal into its place, in one transaction."""
    (newest,) = db.execute("SELECT max(id) FROM journal").fetchone()
    if newest is None:
        return
    by_device: dict[int, list[tuple[int, UsualFrame]]] = {}
    for row, records in db.execute("SELECT id, records FROM journal ORDER BY id"):
        for one in usual_frame.unpack(records):
            by_device.setdefault(one.device, []).append((row, one))
    db.execute("BEGIN IMMEDIATE")
    try:
        for number, some in by_device.items():
            _put_away(db, number, some, newest)
        db.execute("DELETE FROM journal WHERE id < ?", (newest,))
        db.execute("UPDATE journal SET records = x''")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _put_away(
    db: sqlite3.Connection, number: int, some: list[tuple[int, UsualFrame]], newest: int
) -> None:
    row = store_devices.read(db, number)
    assert row is not None, "the first frame of a device is never a usual one"
    page = [one for at, one in some if at > row.upto]
    if page:
        now = store_devices.carried_on(row, page, newest)
        store_devices.put(db, [now._replace(heard=len(page))])
        db.execute(_PUT_PAGE, _page(number, b"".join(map(usual_frame.packed, page))))


def device_now(db: sqlite3.Connection, dev_eui: str) -> Device | None:
    """The device's row with what the journal adds to it; for whoever reads beside the gateway."""
    number = device_id(dev_eui)
    row = store_devices.read(db, number)
    if row is None:
        return None
    sql = "SELECT records FROM journal WHERE id > ? ORDER BY id"
    since = [
        one
        for (records,) in db.execute(sql, (row.upto,))
        for one in usual_frame.unpack(records)
        if one.device == number
    ]
    return store_devices.carried_on(row, since, row.upto)
