# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every deadline to the day: what is older goes, what is not stays, and others are let alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from gateway.tests import support
from gateway.tests.support import PARKING, START, WASTE, air_payload, uplink

from revier_gateway import operator_requests, retention
from revier_gateway.config import Retention
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.retention import DAY_MS, SEEN_SLICES
from revier_gateway.store import Store
from revier_gateway.values import instant
from revier_gateway.view import View
from revier_gateway.watch.standing import ONLINE
from revier_gateway.work import QuarantineRow, Work
from revier_payload.codec import encode

NOW_MS = int(START.timestamp() * 1000)


def tidy(store: Store, **deadlines: int) -> None:
    for _ in retention.steps(store, Retention(**deadlines), NOW_MS):
        continue


def take(pipeline: Pipeline, store: Store, days_ago: float, view: View) -> None:
    """A bay, a container and a place are heard on that day."""
    at = START - timedelta(days=days_ago)
    number = round(days_ago * 10)
    f_cnt = 1000 - number
    bay = encode(20, {"seq": number % 16, "state": 2, "confidence": 2, "dwell": 35})
    waste = encode(30, {"seq": number % 16, "distance": 1199, "quality": 5, "temperature": 9})
    events = [
        uplink(air_payload(number % 256), f_cnt=f_cnt, at=at),
        uplink(bay, f_port=20, dev_eui=PARKING, f_cnt=f_cnt, at=at),
        uplink(waste, f_port=30, dev_eui=WASTE, f_cnt=f_cnt, at=at),
    ]
    work = Work(store)
    raws = [Message(support.topic(), support.to_bytes(event)) for event in events]
    outcomes = pipeline.handle_batch(raws, work)
    assert [outcome.kind for outcome in outcomes] == ["published"] * 3
    store.commit(work)
    view.apply(work, outcomes)


def test_bays_are_forgotten_after_30_days_and_nothing_else_is(
    pipeline: Pipeline, store: Store
) -> None:
    pipeline.inventory = _long_served(pipeline)
    view = View(store, pipeline.inventory, lambda _: ONLINE, lambda _: None)
    for days_ago in (40, 30.1, 29.9, 1):
        take(pipeline, store, days_ago, view)
    waiting = store.outbox_rows()
    tidy(store)
    assert store.outbox_rows() == waiting  # the platform gets them all
    days = {
        asset: [round((NOW_MS - t_ms) / DAY_MS, 1) for t_ms, _ in store.history(asset)]
        for asset in ("ps-r12-03", "wc-0113", "aq-0007")
    }
    assert days == {
        "ps-r12-03": [29.9, 1.0],
        "wc-0113": [40.0, 30.1, 29.9, 1.0],
        "aq-0007": [40.0, 30.1, 29.9, 1.0],
    }
    assert len(view.history("ps-r12-03")) == 2
    assert len(view.history("wc-0113")) == 4
    assert len(store.latest()) == 3
    store.done(row.id for row in store.outbox_after(0, waiting))
    store.settle()
    assert store.database.execute("SELECT count(*) FROM message").fetchone() == (10,)


def test_a_silent_bay_has_no_latest_either(pipeline: Pipeline, store: Store) -> None:
    pipeline.inventory = _long_served(pipeline)
    view = View(store, pipeline.inventory, lambda _: ONLINE, lambda _: None)
    take(pipeline, store, 40, view)
    tidy(store, parking_days=39)
    assert sorted(asset for asset, _, _ in store.latest()) == ["aq-0007", "wc-0113"]
    assert store.history("ps-r12-03") == []
    assert view.history("ps-r12-03") == []
    (bay,) = [asset for asset in view.assets() if asset.asset == "ps-r12-03"]
    assert bay.latest is None
    again = View(store, pipeline.inventory, lambda _: ONLINE, lambda _: None)
    assert again.history("ps-r12-03") == []


def _long_served(pipeline: Pipeline) -> object:
    from dataclasses import replace

    import msgspec

    since = START - timedelta(days=400)
    periods = [msgspec.structs.replace(one, since=since) for one in pipeline.inventory.periods]
    return replace(pipeline.inventory, periods=tuple(periods))


@pytest.mark.parametrize("days", [60, 7])
def test_seen_keys_go_after_their_deadline_wherever_they_lie(store: Store, days: int) -> None:
    work = Work(store)
    edge_ms = NOW_MS - days * DAY_MS
    for n in range(0, 65_536, 13):
        key = n.to_bytes(2, "big") + bytes(14)
        work.seen[key] = (edge_ms - 1 if n % 2 else edge_ms, n)
    for key in (bytes(16), b"\xff" * 16):
        work.seen[key] = (edge_ms - 1, 0)
    store.commit(work)
    tidy(store, seen_days=days)
    rows = store.database.execute("SELECT at_ms, content FROM seen").fetchall()
    assert len(rows) == 65_536 // 13 // 2
    assert all(at_ms == edge_ms and n % 2 == 0 for at_ms, n in rows)


def test_a_pass_is_made_of_small_steps(store: Store) -> None:
    steps = sum(1 for _ in retention.steps(store, Retention(), NOW_MS))
    assert steps >= SEEN_SLICES


def quarantined(store: Store, days_ago: list[float]) -> None:
    work = Work(store)
    for number, days in enumerate(days_ago):
        at = instant(START - timedelta(days=days))
        row = QuarantineRow(at, "source", "bad_json", "", "t", b"%d" % number)
        work.quarantine.append(row)
    store.commit(work)


def test_quarantine_goes_after_its_deadline(store: Store) -> None:
    quarantined(store, [200.0] * 1100 + [90.1, 89.9, 0.0])
    tidy(store)
    assert [row.payload for _, row in store.quarantine()] == [b"1102", b"1101"]
    assert store.counters()["quarantine.expired"] == 1101
    tidy(store, quarantine_days=1)
    assert [row.payload for _, row in store.quarantine()] == [b"1102"]


def test_quarantine_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "QUARANTINE_ROWS_MAX", 5)
    quarantined(store, [0.0] * 8)
    tidy(store)
    assert [row.payload for _, row in store.quarantine()] == [b"7", b"6", b"5", b"4", b"3"]


def test_quarantine_is_bounded_in_bytes_too(store: Store) -> None:
    """To the byte: what fits exactly stays; the oldest go first."""
    work = Work(store)
    sizes = (600_000, 400_000, 1, 599_999)
    work.quarantine += [
        QuarantineRow(instant(START), "source", "x", "", "t", bytes([n]) * size)
        for n, size in enumerate(sizes)
    ]
    store.commit(work)
    tidy(store, quarantine_mb=2)
    assert len(store.quarantine()) == 4
    tidy(store, quarantine_mb=1)
    assert [row.payload[0] for _, row in store.quarantine()] == [3, 2, 1]
    assert store.counters()["quarantine.expired"] == 1


def test_what_operators_asked_goes_with_the_quarantine(store: Store) -> None:
    for days in (91, 89, 91):
        at = instant(START - timedelta(days=days))
        with pytest.raises(operator_requests.NoAnswer):
            operator_requests.ask(store.path, "quarantine", "ada", b"{}", at, 0.0)
    work = Work(store)
    work.changes += [operator_requests.answered(number, b"{}") for number in (1, 2)]
    store.commit(work)
    tidy(store)
    rows = store.database.execute("SELECT id FROM operator_requests ORDER BY id").fetchall()
    assert rows == [(2,), (3,)]  # one without an answer is still to be done
