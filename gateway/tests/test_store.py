# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""All of a batch or nothing of it, and nothing grows without end."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from gateway.tests import support
from gateway.tests.support import air_payload, uplink
from hypothesis import given
from hypothesis import strategies as st

from revier_gateway import store as store_module
from revier_gateway import store_schema
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import FeedMessage
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import HISTORY_ROWS_MAX, KEYS_PER_QUERY, Store, StoreError
from revier_gateway.store_rows import runs
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


@given(st.sets(st.integers(1, 60)))
def test_runs_cover_exactly_the_rows(rows: set[int]) -> None:
    found = runs(rows)
    covered = {n for first, last in found for n in range(first, last + 1)}
    assert covered == rows
    assert all(b[0] > a[1] + 1 for a, b in itertools.pairwise(found))


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
        work.history += [("a", n, b"{}") for n in range(start, start + 100)]
        store.commit(work)
    assert len(store.history("a")) == HISTORY_ROWS_MAX
    assert store.history("a")[-1][0] == 4 * HISTORY_ROWS_MAX - 1
    (rows,) = store._db.execute("SELECT count(*) FROM history").fetchone()
    assert rows < 2 * HISTORY_ROWS_MAX + 100


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
