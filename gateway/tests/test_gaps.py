# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From holes to gaps: causes, messages, filling and closing; without a network."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway.tests import support
from gateway.tests.support import AIR, START, air_payload, uplink
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_gateway import recordings
from revier_gateway.config import parse
from revier_gateway.gaps import missing
from revier_gateway.gaps.causes import Evidence, cause_of
from revier_gateway.gaps.event_log import topic_of
from revier_gateway.gaps.register import read
from revier_gateway.gaps.room import Gaps
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import Outcome
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.values import unix_ms
from revier_gateway.work import Work
from revier_payload import backfill
from revier_payload.codec import encode

MINUTE = timedelta(minutes=1)
TEXT = """
[gateway]
id = "test"
data_dir = "data"
[source]
host = "127.0.0.1"
[feed]
host = "127.0.0.1"
[inventory]
dir = "inventory"
"""


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        (Evidence(), "unknown"),
        (Evidence(leapt=True, source_was_down=True, in_log=True), "node"),
        (Evidence(in_log=True, source_was_down=True), "radio"),
        (Evidence(in_log=True, at_start=True), "node"),
        (Evidence(in_log=True, served=True), "network_server"),
        (Evidence(source_was_down=True, at_start=True, others_heard=True), "gateway"),
        (Evidence(served=True, others_heard=True), "network_server"),
        (Evidence(at_start=True), "node"),
        (Evidence(others_heard=True), "radio"),
        (Evidence(others_lost=1), "unknown"),
        (Evidence(others_lost=2), "network_server"),
    ],
)
def test_causes(known: Evidence, cause: str) -> None:
    assert cause_of(known) == cause


@given(st.lists(st.integers(0, 60), unique=True).map(sorted), st.integers(1, 7))
def test_ranges_are_the_numbers(numbers: list[int], count_max: int) -> None:
    ranges = missing.ranges(numbers, count_max)
    assert [n for first, count in ranges for n in range(first, first + count)] == numbers
    assert all(1 <= count <= count_max for _, count in ranges)


class Bench:
    def __init__(self, folder: Path, now: datetime = START) -> None:
        self.now = now
        config = parse(TEXT, folder / "gateway.toml")
        self.store = Store(folder / "data")
        self.inventory = support.inventory()
        self.gaps = Gaps(config, self.store, lambda: self.inventory, lambda _: None, self.clock)
        listeners = [self.gaps.ledger]
        self.pipeline = Pipeline(self.inventory, "revier/v1", self.clock, listeners)
        self.gaps.keeper.source(True)

    def clock(self) -> datetime:
        return self.now

    def take(self, events: Iterable[dict[str, Any]], name: str = "up") -> list[Outcome]:
        work = Work(self.store)
        messages = [Message(support.topic(event=name), support.to_bytes(one)) for one in events]
        outcomes = self.pipeline.handle_batch(messages, work)
        self.store.commit(work)
        return outcomes

    def reading(self, seq: int, f_cnt: int, **more: Any) -> dict[str, Any]:
        more.setdefault("at", START + f_cnt * MINUTE)
        return uplink(air_payload(seq, pm25=3 * (seq % 50)), f_cnt=f_cnt, **more)

    def begin(self) -> None:
        first = uplink(support.diagnosis_payload(100), f_port=1, f_cnt=0)
        self.take([first, self.reading(100, 1)])

    def declare(self, log_from: datetime | None = None) -> list[dict[str, Any]]:
        self.now += MINUTE
        log_from_ms = unix_ms(log_from) if log_from else None
        now_ms = unix_ms(self.now)
        return self._commit(self.gaps.register.declare(AIR, log_from_ms, now_ms, now_ms))

    def look(self) -> list[dict[str, Any]]:
        return self._commit(self.gaps.register.look(unix_ms(self.now)))

    def _commit(self, work: Work) -> list[dict[str, Any]]:
        self.store.commit(work)
        return [json.loads(message.payload) for message in work.outbox]

    def rows(self) -> list[tuple[str, str, int, int | None]]:
        rows = read(self.store.database, "ORDER BY number")
        return [(row.state, row.cause, row.frames, row.readings) for row in rows]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_declared_once_and_closed_when_it_is_filled(bench: Bench) -> None:
    bench.begin()
    bench.take([bench.reading(104, 5)])
    (gap,) = bench.declare()
    assert (gap["state"], gap["frames"], gap["f_cnt"]) == ("missing", 3, [2, 4])
    assert (gap["readings"], gap["seq"], gap["rev"]) == (3, [101, 104], 0)
    assert (gap["t_from"], gap["t_to"]) == ("2026-05-04T07:01:00.200Z", "2026-05-04T07:05:00.200Z")
    assert bench.declare() == []
    bench.take([bench.reading(102, 3)])
    assert bench.look() == []
    (outcome,) = bench.take([bench.reading(101, 2)])
    assert json.loads(outcome.messages[0].payload)["late"] is True
    bench.take([bench.reading(103, 4)])
    (closed,) = bench.look()
    assert (closed["id"], closed["state"], closed["rev"]) == (gap["id"], "filled", 1)
    assert (closed["frames"], closed["readings"]) == (0, 0)
    assert bench.look() == []


def test_filled_by_the_nodes_memory(bench: Bench) -> None:
    bench.begin()
    bench.take([bench.reading(103, 4)])
    (gap,) = bench.declare()
    at_s = int(START.timestamp())
    records = [
        (seq, at_s + 60 * (seq - 99), 10, air_payload(seq, pm25=3 * (seq % 50)))
        for seq in (101, 102)
    ]
    data, count = backfill.encode(records, 222)
    assert count == 2
    bench.take([uplink(data, 5, 5, at=START + 5 * MINUTE)])
    (closed,) = bench.look()
    assert (closed["id"], closed["state"], closed["frames"]) == (gap["id"], "filled", 2)


def test_a_copy_of_the_reading_says_that_none_is_missing(bench: Bench) -> None:
    bench.begin()
    again = uplink(air_payload(100, pm25=0), f_cnt=4, at=START + 4 * MINUTE)
    bench.take([again, bench.reading(101, 5)])
    assert bench.declare() == []
    assert bench.rows() == [("none", "unknown", 2, 0)]


def test_a_gap_whose_readings_come_to_be_known(bench: Bench) -> None:
    bench.begin()
    bench.take([uplink(air_payload(100, pm25=0), f_cnt=4, at=START + 4 * MINUTE)])
    (gap,) = bench.declare()
    assert "readings" not in gap
    bench.take([bench.reading(101, 5), bench.reading(102, 6)])
    (closed,) = bench.look()
    assert (closed["id"], closed["state"], closed["readings"]) == (gap["id"], "filled", 0)


def test_of_an_epoch_the_readings_are_not_known(bench: Bench) -> None:
    bench.take([bench.reading(100, 1), bench.reading(103, 4)])
    (gap,) = bench.declare()
    assert "readings" not in gap
    assert "seq" not in gap


def test_the_node_says_that_its_counter_leapt(bench: Bench) -> None:
    bench.begin()
    diagnosis = encode(1, {"seq": 140, "status": 32 | 16})
    bench.take([uplink(diagnosis, 1, 64, at=START + 5 * MINUTE)])
    (gap,) = bench.declare(log_from=START)
    assert (gap["cause"], gap["frames"]) == ("node", 62)


def joined_anew(bench: Bench, next_seq: int, status: int = 0) -> None:
    """Two hours later, under another address."""
    data = encode(1, {"seq": next_seq, "battery": 3600, "status": status})
    at = START + 120 * MINUTE
    bench.now = at
    bench.take([uplink(data, f_port=1, f_cnt=0, dev_addr="0badcafe", at=at)])


def test_what_was_lost_before_a_join_is_named_by_its_readings(bench: Bench) -> None:
    bench.begin()
    joined_anew(bench, 111)
    (gap,) = bench.declare(log_from=START)
    assert (gap["f_cnt"], gap["frames"], gap["readings"]) == (None, 0, 10)
    assert (gap["seq"], gap["cause"], gap["state"]) == ([101, 110], "radio", "missing")
    assert (gap["t_from"], gap["t_to"]) == ("2026-05-04T07:01:00.200Z", "2026-05-04T09:00:00.200Z")
    assert bench.declare() == []
    memory = [
        (seq, int(START.timestamp()) + 60 * (seq - 99), 10, air_payload(seq))
        for seq in range(101, 111)
    ]
    data, count = backfill.encode(memory, 222)
    more = {"dev_addr": "0badcafe", "at": bench.now + MINUTE}
    bench.take([uplink(data, f_port=5, f_cnt=1, **more)])
    (again,) = bench.look()
    assert count == 10
    assert (again["id"], again["state"], again["readings"]) == (gap["id"], "filled", 0)


def test_a_join_after_which_nothing_is_missing_is_no_gap(bench: Bench) -> None:
    bench.begin()
    joined_anew(bench, 101)
    assert bench.declare() == []
    assert bench.rows() == []


def test_after_a_power_loss_the_cause_is_the_node(bench: Bench) -> None:
    bench.begin()
    joined_anew(bench, 111, status=1 << 4)
    (gap,) = bench.declare(log_from=START)
    assert gap["cause"] == "node"


def test_a_board_that_was_provisioned_anew_lost_no_millions_of_readings(bench: Bench) -> None:
    bench.begin()
    joined_anew(bench, 60_000_000, status=1 << 4)
    assert bench.declare(log_from=START) == []


def test_a_second_diagnosis_names_it_no_second_time(bench: Bench) -> None:
    bench.begin()
    joined_anew(bench, 111)
    data = support.diagnosis_payload(111)
    at = bench.now + MINUTE
    bench.take([uplink(data, f_port=1, f_cnt=1, dev_addr="0badcafe", at=at)])
    assert len(bench.declare()) == 1


def test_the_network_server_had_it(bench: Bench) -> None:
    bench.begin()
    bench.take([bench.reading(102, 3)])
    info = bench.reading(0, 0)["deviceInfo"]
    log = {
        "time": support.stamp(START),
        "deviceInfo": info,
        "level": "WARNING",
        "code": "UPLINK_F_CNT_RETRANSMISSION",
        "context": {"f_cnt_up": "2"},
    }
    bench.take([log], "log")
    assert [gap["cause"] for gap in bench.declare()] == ["network_server"]


def test_an_outage_is_the_gateways(bench: Bench) -> None:
    bench.begin()
    bench.now += 3 * MINUTE
    bench.gaps.keeper.source(False)
    bench.now += MINUTE
    bench.gaps.keeper.source(True)
    bench.take([bench.reading(104, 5)])
    assert [gap["cause"] for gap in bench.declare()] == ["gateway"]
    bench.now += MINUTE
    bench.take([bench.reading(106, 17)])
    assert [gap["cause"] for gap in bench.declare(log_from=START)] == ["radio"]


def test_after_a_kill_the_outage_began_when_it_was_last_alive(bench: Bench, tmp_path: Path) -> None:
    bench.begin()
    bench.store.close()
    again = Bench(tmp_path, START + 30 * MINUTE)
    again.take([again.reading(104, 5)])
    assert [gap["cause"] for gap in again.declare()] == ["gateway"]


def test_another_device_was_heard_meanwhile(bench: Bench) -> None:
    bench.begin()
    bench.now += 2 * MINUTE
    other = uplink(b"", 0, 7, dev_eui=support.WASTE, at=START + 3 * MINUTE)
    bench.take([other, bench.reading(104, 5)])
    bench.store.database.execute("DELETE FROM outages")
    assert [gap["cause"] for gap in bench.declare()] == ["radio"]


def test_mac_only_frames_are_heard(bench: Bench) -> None:
    bench.begin()
    bench.take([uplink(b"", 0, 2, at=START + 2 * MINUTE), bench.reading(101, 3)])
    assert bench.declare() == []
    assert bench.rows() == []


def test_a_device_that_may_not_write_for_the_town_is_not_on_its_feed(bench: Bench) -> None:
    bench.begin()
    bench.take([bench.reading(103, 4, tenant=support.OTHER_TENANT)])
    assert bench.declare() == []
    assert [row[0] for row in bench.rows()] == ["missing"]


def test_a_failed_commit_leaves_no_frame_behind(bench: Bench) -> None:
    work = Work(bench.store)
    event = bench.reading(100, 1)
    bench.pipeline.handle(Message(support.topic(), support.to_bytes(event)), work)
    assert work.frames
    assert bench.gaps.ledger.state(AIR).sessions == ()


@pytest.mark.parametrize(
    ("template", "topic"),
    [
        ("application/+/device/+/event/+", "application/app/device/eui/event/up"),
        ("$share/g/application/#", "application/app/device/eui/event/up"),
        ("$share/g/cs/{{application_id}}/{{ dev_eui }}/{{event}}", "cs/app/eui/up"),
    ],
)
def test_events_out_of_the_log_come_by_the_sources_topic(template: str, topic: str) -> None:
    assert topic_of(template, "app", "eui", "up") == topic


@pytest.mark.parametrize("declared", [False, True])
def test_a_late_frame_in_the_middle_leaves_one_reading_on_either_side(
    bench: Bench, declared: bool
) -> None:
    bench.begin()
    bench.take([bench.reading(104, 5)])
    if declared:
        bench.declare()
    bench.take([bench.reading(102, 3)])
    bench.take([bench.reading(105, 6)])
    bench.declare()
    bench.look()
    rows = read(bench.store.database, "")
    assert sum(row.frames for row in rows) == 2
    assert [row.readings for row in rows] == [row.frames for row in rows]
    assert len(rows) == (1 if declared else 2)


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from("hhhlad"), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_each_number_is_heard_or_named_in_one_gap(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], rng: random.Random
) -> None:
    """h: a frame is heard, l: lost, a: arrives after later ones or out of a log, d: declare."""
    bench = Bench(tmp_path_factory.mktemp("numbers"))
    bench.begin()
    heard, lost, f_cnt = {0, 1}, list[int](), 1
    for step in [*steps, "h", "d"]:
        if step == "d":
            bench.declare()
        elif step == "a" and lost:
            found = lost.pop(rng.randrange(len(lost)))
            heard.add(found)
            bench.take([bench.reading(99 + found, found)])
        elif step in "hl":
            f_cnt += 1
            (heard.add if step == "h" else lost.append)(f_cnt)
            if step == "h":
                bench.take([bench.reading(99 + f_cnt, f_cnt)])
    bench.look()
    holes = bench.gaps.ledger.state(AIR).holes
    absent = [n for hole in holes for n in range(hole.first, hole.last + 1)]
    assert sorted(absent) == sorted(lost)
    rows = {row.number: row for row in read(bench.store.database, "")}
    for number, row in rows.items():
        mine = [h.last - h.first + 1 for h in holes if h.gap == number]
        assert (row.frames, row.state) == (sum(mine), "missing" if mine else "filled")
        assert row.readings == sum(mine)  # each lost frame had one
    assert {hole.gap for hole in holes} <= set(rows)
    bench.store.close()


@pytest.mark.parametrize(("kind", "newest"), [("json", 25), ("protobuf", 14)])
def test_the_counters_of_the_real_recording(bench: Bench, kind: str, newest: int) -> None:
    """Its device left out three numbers on purpose, and the network server took one frame not; a
    retransmission changes nothing, and the last join begins anew."""
    folder = Path(__file__).parent / "data" / "chirpstack_v4_recording" / kind
    for recorded in recordings.read(folder):
        if recorded.message is not None:
            work = Work(bench.store)
            bench.pipeline.handle(recorded.message, work)
            bench.store.commit(work)
    sessions = bench.gaps.ledger.state("70b3d57ed0000001").sessions
    assert [(one.first, one.newest) for one in sessions] == [(0, newest), (0, 0)]
    holes = [(hole.first, hole.last) for hole in sessions[0].holes]
    assert holes == [(9, 11), (13, 13)]
    assert sessions[1].holes == ()
