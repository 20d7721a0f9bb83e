# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""All of a batch or nothing of it, and nothing grows without end."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.support import air_payload, uplink
from hypothesis import given
from hypothesis import strategies as st

from revier_gateway import store as store_module
from revier_gateway import store_log, store_schema
from revier_gateway.data_dir import FILE_NAME
from revier_gateway.gaps.frames import FrameState
from revier_gateway.gaps.ledger import Ledger
from revier_gateway.identity import DeviceState
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import FeedMessage
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import (
    HISTORY_ROWS_MAX,
    KEYS_PER_QUERY,
    PRUNE_EVERY_ROWS,
    Store,
    StoreError,
)
from revier_gateway.store_sent import Sent
from revier_gateway.work import Work


def obs(number: int, asset: str = "a") -> FeedMessage:
    return FeedMessage(f"t/{number}", b"{}", "obs", asset, number)


def test_durable_before_commit_returns(store: Store) -> None:
    db = store._db
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_disk_that_does_not_take_it_leaves_no_trace(store: Store, pipeline: Pipeline) -> None:
    raw = Message(support.topic(), support.to_bytes(uplink(air_payload(1))))
    work = Work(store)
    assert pipeline.handle(raw, work).kind == "published"
    store._db.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError):
        store.commit(work)
    store._db.execute("PRAGMA query_only=OFF")
    assert store.counters() == {}
    assert store.latest_ms("aq-0007") is None
    again = Work(store)
    assert pipeline.handle(raw, again).kind == "published"
    store.commit(again)
    assert store.outbox_rows() == 2


def test_done_rows_leave_with_the_next_batch(store: Store) -> None:
    work = Work(store)
    work.outbox += [obs(n) for n in range(10)]
    store.commit(work)
    store.done([1, 2, 3, 7])
    assert store.outbox_rows() == 10
    store.commit(Work(store))
    assert [row.id for row in store.outbox_after(0, 100)] == [4, 5, 6, 8, 9, 10]


def test_rows_that_wait_are_counted_without_counting(store: Store) -> None:
    assert store.waiting == 0
    work = Work(store)
    work.outbox += [obs(n) for n in range(10)]
    store.commit(work)
    assert store.waiting == 10
    store.done([1, 2, 3])
    assert store.waiting == 7
    store.settle()
    assert store.waiting == 7
    store.done(range(4, 11))
    store.settle()
    assert store.waiting == 0


def test_row_numbers_are_never_used_twice(store: Store) -> None:
    for expected in (1, 2, 3):
        work = Work(store)
        work.outbox.append(obs(1))
        store.commit(work)
        (row,) = store.outbox_after(0, 10)
        assert row.id == expected
        store.done([row.id])
        store.settle()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(0, 6)),
        st.tuples(st.just("take"), st.integers(1, 9)),
        st.tuples(st.just("done"), st.integers(1, 40)),
        st.tuples(st.just("again"), st.just(0)),
    ),
    max_size=25,
)


@given(STEPS)
def test_rows_from_memory_are_the_rows_of_the_table(steps: list[tuple[str, int]]) -> None:
    """Whatever a reader has taken, has done or begins again: the file has the last word."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(store_module, "FRESH_ROWS_MAX", 5),
        contextlib.closing(Store(Path(folder))) as store,
    ):
        cursor = 0
        for step, number in steps:
            if step == "commit":
                work = Work(store)
                work.outbox += [obs(n, f"a{n % 3}") for n in range(number)]
                store.commit(work)
            elif step == "take":
                expected = store._read_outbox(cursor, number)
                rows = store.outbox_after(cursor, number)
                assert rows == expected[: len(rows)]
                assert bool(rows) == bool(expected)
                cursor = rows[-1].id if rows else cursor
            elif step == "done" and number < store._next_row:
                store.done([number])
            elif step == "again":
                store.settle()
                cursor = 0
        store.settle()
        assert store.outbox_after(0, 1000) == store._read_outbox(0, 1000)


def test_a_reader_that_keeps_up_reads_nothing_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_read_outbox", lambda *_: pytest.fail("read back"))
    for batch in range(3):
        work = Work(store)
        work.outbox += [obs(n) for n in range(10)]
        store.commit(work)
        first = 10 * batch
        assert [row.id for row in store.outbox_after(first, 7)] == list(range(first + 1, first + 8))
        assert [row.id for row in store.outbox_after(first + 7, 7)] == [
            first + 8,
            first + 9,
            first + 10,
        ]
        assert store.outbox_after(first + 10, 7) == []


@given(st.permutations(range(1, 40)), st.lists(st.integers(1, 9), max_size=20))
def test_sent_is_what_was_done_in_whatever_order(order: list[int], sizes: list[int]) -> None:
    with contextlib.closing(memory()) as db:
        sent = Sent(db)
        done: set[int] = set()
        for size in sizes:
            some, order = order[:size], order[size:]
            done.update(some)
            step = sent.step([*some, *some[:1]])
            sent.write(db, step, ())
            sent.take(step)
            assert done == {*range(1, sent.upto + 1), *sent.ahead}
            assert sent.upto + 1 not in sent.ahead
            assert Sent(db).upto == sent.upto


def test_what_must_not_go_again_is_remembered_over_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    work = Work(store)
    work.outbox += [obs(n) for n in range(6)]
    store.commit(work)
    rejected = Work(store)
    rejected.done += [3, 5]
    store.done([6])
    store.commit(rejected)
    assert store.waiting == 3
    store.abandon()
    again = Store(tmp_path)
    assert [row.id for row in again.outbox_after(0, 9)] == [1, 2, 4, 6]
    again.done([1, 2, 4])
    again.settle()
    assert again.database.execute("SELECT id FROM settled").fetchall() == []
    assert [row.id for row in again.outbox_after(0, 9)] == [6]
    again.close()


def memory() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    store_schema.migrate(db)
    return db


def observe(work: Work, times_ms: Iterable[int], *, state: bool = False) -> None:
    for t_ms in times_ms:
        payload = b"%d" % t_ms
        work.outbox.append(FeedMessage("r/a/obs", payload, "obs", "a", t_ms))
        work.history.append(("a", t_ms, payload))
        if state:
            work.outbox.append(FeedMessage("r/a/state", payload, "state", "a", t_ms, True))


def test_an_observation_and_its_state_are_one_row_and_two_messages(tmp_path: Path) -> None:
    store = Store(tmp_path)
    work = Work(store)
    observe(work, [7], state=True)
    observe(work, [5])
    observe(work, [9], state=True)
    store.commit(work)
    from_memory = store.outbox_after(0, 9)
    assert from_memory == store._read_outbox(0, 9)
    assert [(row.id, row.topic, row.payload, row.retain) for row in from_memory] == [
        (1, "r/a/obs", b"7", 0),
        (2, "r/a/state", b"7", 1),
        (3, "r/a/obs", b"5", 0),
        (4, "r/a/obs", b"9", 0),
        (5, "r/a/state", b"9", 1),
    ]
    assert store.database.execute("SELECT count(*) FROM message").fetchone() == (3,)
    assert store.outbox_rows() == store.waiting == 5
    assert [row.id for row in store._read_outbox(1, 2)] == [2, 3]  # begins between the two
    store.done([1])
    store.settle()
    assert [row.id for row in store.outbox_after(0, 9)] == [2, 3, 4, 5]
    assert store.outbox_rows() == store.waiting == 4
    store.done([2, 3, 4, 5])
    store.settle()
    assert store.outbox_rows() == 0
    assert [payload for _, payload in store.history("a")] == [b"5", b"7", b"9"]
    assert store.latest() == [("a", 9, b"9")]
    store.abandon()
    again = Store(tmp_path)
    assert (again.latest_ms("a"), again._next_row, again.waiting) == (9, 6, 0)
    again.close()


def test_an_older_database_keeps_its_outbox_and_its_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = store_schema.schema_files()
    older = {number: sql for number, sql in scripts.items() if number < 40}
    path = tmp_path / FILE_NAME
    with monkeypatch.context() as before:
        before.setattr(store_schema, "schema_files", lambda: older)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            store_schema.migrate(db)
            history = [("a", n, b"%d" % n) for n in range(3)] + [("b", 8, b"8")]
            db.executemany("INSERT INTO history VALUES (?, ?, ?)", history)
            db.execute("INSERT INTO latest VALUES ('a', 2, x'32'), ('b', 8, x'38')")
            rows = [
                (71, "t/2/obs", b"2", "obs", "a", 2, 0),
                (75, "t/2/state", b"2", "state", "a", 2, 1),
            ]
            db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    store = Store(tmp_path)
    assert store_schema.before_upgrade(path, max(older)).is_file()
    assert store.latest() == [("a", 2, b"2"), ("b", 8, b"8")]
    assert store.history("a") == [(0, b"0"), (1, b"1"), (2, b"2")]
    assert [(row.topic, row.payload, row.retain) for row in store.outbox_after(0, 9)] == [
        ("t/2/obs", b"2", 0),
        ("t/2/state", b"2", 1),
    ]
    assert store.outbox_rows() == store.waiting == 2
    store.done(row.id for row in store._read_outbox(0, 9))
    store.settle()
    assert store.waiting == 0
    assert store.history("a") == [(0, b"0"), (1, b"1"), (2, b"2")]
    store.close()


def test_an_older_database_keeps_what_it_knows_of_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = store_schema.schema_files()
    older = {number: sql for number, sql in scripts.items() if number < 41}
    first, second, last = "0000000000000001", "70b3d57ed0000001", "ffffffffffffffff"
    with monkeypatch.context() as before:
        before.setattr(store_schema, "schema_files", lambda: older)
        with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as db:
            store_schema.migrate(db)
            state = msgspec.msgpack.encode(DeviceState(newest_seq=7))
            counted = msgspec.msgpack.encode(FrameState(tenant_id="t"))
            db.executemany("INSERT INTO identity VALUES (?, ?)", [(first, state), (last, state)])
            db.execute("INSERT INTO frames VALUES (?, ?, 5)", (second, counted))
            db.execute("INSERT INTO frames VALUES (?, ?, NULL)", (last, counted))
            heard = [("device", second, 10, 3), ("radio_gateway", "g", 9, 4)]
            db.executemany("INSERT INTO heard VALUES (?, ?, ?, ?)", heard)
    store = Store(tmp_path)
    assert store.heard() == {("device", second): (10, 3), ("radio_gateway", "g"): (9, 4)}
    known = {eui: store.device_state(eui).newest_seq for eui in (first, second, last)}
    assert known == {first: 7, second: -1, last: 7}
    ledger = Ledger(store)
    assert [ledger.state(eui).tenant_id for eui in (first, second, last)] == ["", "t", "t"]
    assert ledger.noticed_before(5, 9) == [second]
    work = Work(store)
    work.hear(second, ("g", "h"), 8)
    store.commit(work)
    assert store.heard()["device", second] == (10, 4)
    assert store.heard()["radio_gateway", "g"] == (9, 5)
    assert ledger.noticed_before(5, 9) == [second]
    store.close()


def test_a_work_goes_when_it_is_done(store: Store, pipeline: Pipeline) -> None:
    """A batch of a backlog is megabytes; in a circle it stays until the collector looks."""
    pipeline.listen_to([Ledger(store)])
    work = Work(store)
    pipeline.handle(Message(support.topic(), support.to_bytes(uplink(air_payload(1)))), work)
    store.commit(work)
    collected = weakref.ref(work)
    del work
    assert collected() is None


def test_the_log_is_moved_beside_the_work_and_stays_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_log, "MOVE_PAGES", 20)
    monkeypatch.setattr(store_log, "LOG_PAGES_MAX", 60)
    store = Store(tmp_path)
    for number in range(300):
        work = Work(store)
        observe(work, [number])
        store.commit(work)
    log = store.path.with_name(store.path.name + "-wal")
    assert log.stat().st_size < 600 * 4096
    assert store.path.stat().st_size > 4096
    store.close()
    assert not log.exists()


@pytest.mark.parametrize("count", [0, 1, KEYS_PER_QUERY, KEYS_PER_QUERY + 1, 450])
def test_asking_for_many_keys_is_asking_for_each(store: Store, count: int) -> None:
    keys = [n.to_bytes(16, "big") for n in range(count)]
    work = Work(store)
    work.seen.update({key: (n, n) for n, key in enumerate(keys) if n % 3 == 0})
    store.commit(work)
    asked = Work(store)
    asked.ask_seen(keys)
    assert [asked.seen_before(key) for key in keys] == [store.seen_before(key) for key in keys]


def test_history_is_bounded_for_each_asset(store: Store) -> None:
    for start in range(0, 4 * HISTORY_ROWS_MAX, 100):
        work = Work(store)
        observe(work, range(start, start + 100))
        store.commit(work)
        store.done(range(start + 1, start + 101))
    assert len(store.history("a")) == HISTORY_ROWS_MAX
    assert store.history("a")[-1][0] == 4 * HISTORY_ROWS_MAX - 1
    (rows,) = store._db.execute("SELECT count(*) FROM history").fetchone()
    assert rows < HISTORY_ROWS_MAX + 100 + PRUNE_EVERY_ROWS


def test_history_that_was_not_sent_stays(store: Store) -> None:
    count = 2 * HISTORY_ROWS_MAX
    work = Work(store)
    observe(work, range(count))
    store.commit(work)
    assert store.outbox_rows() == count
    assert [row.id for row in store.outbox_after(0, count)] == list(range(1, count + 1))


def test_everything_is_there_after_reopening(tmp_path: Path, pipeline: Pipeline) -> None:
    store = Store(tmp_path)
    raw = Message(support.topic(), support.to_bytes(uplink(air_payload(1))))
    work = Work(store)
    pipeline.handle(raw, work)
    store.commit(work)
    state = store.device_state(support.AIR)
    before = (store.latest(), store.history("aq-0007"), store.heard(), store.counters())
    store.abandon()
    again = Store(tmp_path)
    assert (again.latest(), again.history("aq-0007"), again.heard(), again.counters()) == before
    assert again.device_state(support.AIR) == state
    assert again.latest_ms("aq-0007") is not None
    assert pipeline.handle(raw, Work(again)).reason == "duplicate_frame"
    again.close()


def test_a_failed_migration_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    (schemas / "0001_first.sql").write_text("CREATE TABLE a (b);\nCREATE TABLE a (c);")
    monkeypatch.setattr(store_schema.resources, "files", lambda _: tmp_path)
    db = sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        store_schema.migrate(db)
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert db.execute("PRAGMA user_version").fetchone() == (0,)
