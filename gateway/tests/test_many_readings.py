# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Batches, backfills and alarms: every reading once, under its own identity and its own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.support import AIR, START, WASTE, air_payload, uplink

from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import Outcome
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.work import Work
from revier_inventory import DevicePeriod, Inventory
from revier_payload import air_batch, backfill
from revier_payload.codec import encode

INTERVAL_S = 300
START_S = int(START.timestamp())
PORT_BATCH, PORT_BACKFILL, PORT_ALARM = 11, 5, 6


class Line:
    def __init__(self, pipeline: Pipeline, store: Store) -> None:
        self.pipeline = pipeline
        self.store = store

    def take(self, data: bytes, f_port: int, f_cnt: int, **how: Any) -> Outcome:
        event = uplink(data, f_port=f_port, f_cnt=f_cnt, **how)
        work = Work(self.store)
        message = Message(support.topic(), support.to_bytes(event))
        outcome = self.pipeline.handle(message, work)
        self.store.commit(work)
        return outcome


@pytest.fixture
def line(pipeline: Pipeline, store: Store) -> Line:
    line = Line(pipeline, store)
    line.take(support.diagnosis_payload(1000), 1, 0)
    return line


def documents(outcome: Outcome, kind: str = "obs") -> list[dict[str, Any]]:
    return [msgspec.json.decode(m.payload) for m in outcome.messages if m.kind == kind]


def batch(first_seq: int, count: int = 12, time_s: int | None = START_S) -> bytes:
    """Readings first_seq, ...; sample n has PM2.5 of n steps."""
    head: dict[str, int | None] = {"seq": first_seq, "time": time_s, "interval": INTERVAL_S}
    samples = [air_batch.codes_of(10, air_payload(first_seq + n, pm25=3 * n)) for n in range(count)]
    return air_batch.encode({**head, "battery": 3600, "status": 0}, samples, 222)


def backfilled(seqs: Sequence[int], time_s: int = START_S) -> bytes:
    records = [(seq, time_s + INTERVAL_S * (seq - seqs[0]), 10, air_payload(seq)) for seq in seqs]
    data, count = backfill.encode(records, 222)
    assert count == len(seqs)
    return data


HOUR_LATER = START + timedelta(hours=1)


def test_a_batch_of_twelve_gives_twelve_readings(line: Line) -> None:
    outcome = line.take(batch(1000), PORT_BATCH, 1, at=HOUR_LATER)
    observations = documents(outcome)
    assert [one["seq"] for one in observations] == list(range(1000, 1012))
    assert len({one["id"] for one in observations}) == 12
    assert [one["m"]["pm25"]["v"] for one in observations] == [n * 3 / 10 for n in range(12)]
    assert {one["t_src"] for one in observations} == {"node"}
    assert observations[0]["t"] == "2026-05-04T07:00:00.000Z"
    assert observations[11]["t"] == "2026-05-04T07:55:00.000Z"
    assert "battery" in observations[11]["m"]
    assert documents(outcome, "state")[-1] == observations[11]
    assert line.store.counters()["published.readings"] == 12


def test_a_batch_of_a_node_without_a_clock_ends_when_it_is_heard(line: Line) -> None:
    observations = documents(line.take(batch(1000, 3, None), PORT_BATCH, 1, at=HOUR_LATER))
    assert [one["t"][11:19] for one in observations] == ["07:50:00", "07:55:00", "08:00:00"]
    assert {one["t_src"] for one in observations} == {"gateway"}


def test_a_replaced_device_sends_late_what_it_measured_before(line: Line) -> None:
    """It stays registered without its tag `asset`, as revier-provision replace leaves it."""
    inventory = line.pipeline.inventory
    change = START + timedelta(minutes=30)
    ended = tuple(
        msgspec.structs.replace(period, until=change) if period.dev_eui == AIR else period
        for period in inventory.periods
    )
    new = DevicePeriod(dev_eui="70b3d57ed00000aa", asset="aq-0007", since=change)
    line.pipeline.inventory = replace(inventory, periods=(*ended, new))
    tags = {"ags": support.AGS}
    late = line.take(batch(1000, 6), PORT_BATCH, 1, at=HOUR_LATER, tags=tags)
    kept = documents(late)
    assert [one["t"][11:16] for one in kept] == [f"07:{n:02}" for n in range(0, 30, 5)]
    assert {one["asset"] for one in kept} == {"urn:revier:05562032:airquality:aq-0007"}
    tagged = {**tags, "asset": "aq-0007"}
    refused = line.take(batch(1100, 6), PORT_BATCH, 2, at=HOUR_LATER, tags=tagged)
    assert (refused.reason, documents(refused)) == ("asset_taken", [])
    after = line.take(batch(1200, 3, START_S + 2400), PORT_BATCH, 3, at=HOUR_LATER, tags=tags)
    assert (after.reason, documents(after)) == ("unknown_device", [])


def test_a_batch_again_says_nothing_new(line: Line) -> None:
    line.take(batch(1000), PORT_BATCH, 1, at=HOUR_LATER)
    again = line.take(batch(1000), PORT_BATCH, 2, at=HOUR_LATER)
    assert (again.kind, again.reason) == ("ignored", "duplicate_reading")
    longer = line.take(batch(1000, 14), PORT_BATCH, 3, at=HOUR_LATER)
    assert [one["seq"] for one in documents(longer)] == [1012, 1013]


def test_a_reading_that_was_sent_alone_is_not_again_in_the_batch(line: Line) -> None:
    alone = documents(line.take(air_payload(1003), 10, 1))[0]
    rest = documents(line.take(batch(1000), PORT_BATCH, 2, at=HOUR_LATER))
    assert alone["seq"] == 1003
    assert [one["seq"] for one in rest] == [1000, 1001, 1002, *range(1004, 1012)]


def test_counting_goes_on_behind_a_batch(line: Line) -> None:
    line.take(batch(1000), PORT_BATCH, 1, at=HOUR_LATER)
    after = line.take(air_payload(1012), 10, 2, at=HOUR_LATER)
    assert (documents(after)[0]["seq"], "epoch" in documents(after)[0]["prov"]) == (1012, False)
    last_again = line.take(air_payload(1011), 10, 3, at=HOUR_LATER)
    assert (last_again.kind, last_again.reason) == ("ignored", "duplicate_reading")


def test_lost_batches_are_counted_as_such(line: Line) -> None:
    """41 frames on may be 492 readings on: what 9 bits still tell apart; 42 may not."""
    for lost, certain in ((41, True), (42, False)):
        line.take(batch(5000 * lost), PORT_BATCH, 100 * lost, at=HOUR_LATER)
        seq = 5000 * lost + 12 + 12 * (lost - 1)
        frame = line.take(air_payload(seq), 10, 100 * lost + lost, at=HOUR_LATER)
        assert ("epoch" not in documents(frame)[0]["prov"]) is certain


def test_a_diagnosis_says_whether_frames_may_be_batches(line: Line) -> None:
    """Nobody heard the 40 batches; the next reading's low bits are those of the one 20 later."""
    for batches, certain in ((0, True), (64, False)):
        line.take(encode(1, {"seq": 30_000, "status": batches}), 1, 500 + batches)
        found = documents(line.take(air_payload(30_020), 10, 540 + batches))[0]
        assert ("epoch" not in found["prov"]) is certain


def test_a_diagnosis_with_its_extras_says_the_sequence_as_well(line: Line) -> None:
    counts = {"errors_1": 2, "join_silent": 96, "duty": 1}
    data = encode(1, {"seq": 30_000, "status": 0x30, "config_hash": 40_000, "joins": 3, **counts})
    assert len(data) == 24
    outcome = line.take(data, 1, 500)
    assert (outcome.kind, outcome.reason) == ("ignored", "diagnosis")
    found = documents(line.take(air_payload(30_000), 10, 501))[0]
    assert (found["seq"], "epoch" in found["prov"]) == (30_000, False)


def test_a_backfill_fills_what_is_missing_and_repeats_nothing(line: Line) -> None:
    line.take(air_payload(1000), 10, 1)
    newest = line.take(air_payload(1004), 10, 5, at=START + timedelta(seconds=4 * INTERVAL_S))
    filled = line.take(backfilled(range(1000, 1005)), PORT_BACKFILL, 6, at=HOUR_LATER)
    observations = documents(filled)
    assert [one["seq"] for one in observations] == [1001, 1002, 1003]
    assert all(one["late"] and one["t_src"] == "node" for one in observations)
    assert observations[0]["t"] == "2026-05-04T07:05:00.000Z"
    assert documents(filled, "state") == []
    assert documents(newest, "state")[0]["seq"] == 1004


def test_a_backfilled_reading_has_the_id_that_it_would_have_had(
    line: Line, pipeline: Pipeline
) -> None:
    filled = documents(line.take(backfilled([1000]), PORT_BACKFILL, 1, at=HOUR_LATER))[0]
    late = line.take(air_payload(1000), 10, 2, at=HOUR_LATER)
    assert (late.kind, late.reason, late.detail) == ("ignored", "duplicate_reading", filled["id"])


def test_an_epochs_reading_is_not_again_in_a_backfill(line: Line) -> None:
    """600 frames lost: nobody can tell which reading it is. Its backfill knows, and is left out."""
    heard = START + timedelta(seconds=600 * INTERVAL_S)
    alone = documents(line.take(air_payload(1600), 10, 601, at=heard))[0]
    assert "epoch" in alone["prov"]
    for payload, port in (
        (backfilled([1599, 1600, 1601], int(heard.timestamp()) - INTERVAL_S), PORT_BACKFILL),
        (batch(1590, 14, int(heard.timestamp()) - 10 * INTERVAL_S), PORT_BATCH),
    ):
        found = documents(line.take(payload, port, 602 + port, at=heard + timedelta(hours=1)))
        assert 1600 not in [one["seq"] for one in found]
        assert 1599 in [one["seq"] for one in found] or port == PORT_BATCH


def test_a_backfill_moves_no_anchor(line: Line) -> None:
    line.take(air_payload(1004), 10, 5)
    line.take(backfilled([1001, 1002]), PORT_BACKFILL, 6)
    assert documents(line.take(air_payload(1005), 10, 7))[0]["seq"] == 1005


def test_what_cannot_be_published_does_not_hold_back_the_rest(store: Store) -> None:
    """The node served another asset before; nobody told the inventory which."""
    inventory = support.inventory()
    since = START + timedelta(seconds=2 * INTERVAL_S)
    moved = [
        msgspec.structs.replace(p, since=since) if p.dev_eui == AIR else p
        for p in inventory.periods
    ]
    late = Inventory(inventory.owners, assets=inventory.assets, periods=tuple(moved))
    line = Line(Pipeline(late, "revier/v1"), store)
    data = backfilled(range(1000, 1005))
    outcome = line.take(data, PORT_BACKFILL, 1, at=HOUR_LATER)
    assert (outcome.kind, outcome.reason) == ("quarantined", "unknown_device")
    assert store.counters()["published.readings"] == 3
    line.pipeline = Pipeline(inventory, "revier/v1")
    again = line.take(data, PORT_BACKFILL, 1, at=HOUR_LATER)
    assert [one["seq"] for one in documents(again)] == [1000, 1001]
    assert line.take(data, PORT_BACKFILL, 1, at=HOUR_LATER).reason == "duplicate_frame"


def test_readings_without_a_time_go_to_quarantine(line: Line) -> None:
    data, _ = backfill.encode([(1000, None, 10, air_payload(1000))], 222)
    assert line.take(data, PORT_BACKFILL, 1).reason == "time_unknown"


def test_damaged_bodies_go_to_quarantine(line: Line) -> None:
    wrong_seq, _ = backfill.encode([(7, 1, 10, air_payload(1000))], 222)
    for data, port in ((batch(1)[:-4], PORT_BATCH), (wrong_seq, PORT_BACKFILL)):
        assert line.take(data, port, 1).reason == "bad_payload"


def test_an_alarm_comes_once_and_replaces_no_state(line: Line) -> None:
    """Unacknowledged it goes out again: a new frame, the same reading sequence."""
    line.take(encode(1, {"seq": 7}), 1, 0, dev_eui=WASTE)
    data = encode(PORT_ALARM, {"seq": 7, "alarm": 1, "temperature": 74, "tilt_angle": 0})
    first = line.take(data, PORT_ALARM, 1, dev_eui=WASTE)
    (alarm,) = documents(first, "alarm")
    assert (first.messages[0].topic, first.messages[0].retain) == (
        "revier/v1/05562032/waste/wc-0113/alarm",
        False,
    )
    assert {name: alarm["m"][name]["v"] for name in ("fire", "tilt", "tamper", "temp")} == {
        "fire": True,
        "tilt": False,
        "tamper": False,
        "temp": 74,
    }
    for again in range(1, 5):
        at = START + timedelta(seconds=120 * again)
        repeated = line.take(data, PORT_ALARM, 1 + again, dev_eui=WASTE, at=at)
        assert repeated.reason == "duplicate_reading"
    over = encode(PORT_ALARM, {"seq": 8, "temperature": 30})
    after = START + timedelta(minutes=12)
    assert documents(line.take(over, PORT_ALARM, 6, dev_eui=WASTE, at=after), "alarm")[0]["m"][
        "fire"
    ] == {"v": False, "q": 1}


def test_an_answer_to_a_configuration_is_no_reading(line: Line) -> None:
    values = {"request_hash": 1, "config_hash": 2, "result": 1, "setting": 0}
    outcome = line.take(encode(3, values), 3, 1)
    assert (outcome.kind, outcome.reason) == ("ignored", "answer")
    assert outcome.detail == "request_hash 1, config_hash 2, result 1, setting 0"
