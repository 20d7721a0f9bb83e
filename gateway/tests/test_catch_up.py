# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A long outbox: at a pace, what is urgent first, in bounded memory, and said how long it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import psutil
import pytest
from gateway.tests.test_feed import FakeLink, empty, fill, row, run, topics
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from revier_gateway import catch_up, feed
from revier_gateway.catch_up import BEHIND_ROWS, CatchUp
from revier_gateway.feed import Publisher
from revier_gateway.mqtt.link import Ack, LinkLost, Outgoing
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store import FRESH_ROWS_MAX, Store
from revier_gateway.work import Work

ROOT = "revier/v1"


def state(asset: str, t_ms: int) -> FeedMessage:
    topic = f"{ROOT}/05562032/waste/{asset}/state"
    payload = msgspec.json.encode({"asset": f"urn:revier:05562032:waste:{asset}", "t_ms": t_ms})
    return FeedMessage(topic, payload, "state", asset, t_ms, True)


def reading(asset: str, t_ms: int) -> list[FeedMessage]:
    topic = f"{ROOT}/05562032/waste/{asset}/obs"
    return [FeedMessage(topic, b"%d" % t_ms, "obs", asset, t_ms), state(asset, t_ms)]


def outage(store: Store, readings: int, assets: int = 3) -> None:
    for n in range(readings):
        fill(store, reading(f"wc-{n % assets}", n))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen rows are many."""
    monkeypatch.setattr(catch_up, "BEHIND_ROWS", 12)


# -- the pace


@given(st.integers(1, 5000), st.lists(st.floats(0.001, 2.0), min_size=1, max_size=50))
def test_never_more_than_the_pace(per_s: int, steps_s: list[float]) -> None:
    pace = CatchUp(per_s)
    assert pace.look(1_000_000, 0.0) == "began"
    now_s, sent = 0.0, 0
    for step_s in steps_s:
        now_s += step_s
        room = pace.room(10_000, now_s)
        pace.sent(room)
        sent += room
        assert sent <= now_s * per_s + 1e-6


def test_a_pace_is_reached(store: Store) -> None:
    pace = CatchUp(500)
    pace.look(10_000, 0.0)
    sent = 0
    for tick in range(1, 201):
        room = pace.room(10_000, tick * 0.05)
        pace.sent(room)
        sent += room
    assert sent == pytest.approx(5000, abs=2)


def test_no_pace_while_not_behind_and_without_one() -> None:
    assert CatchUp(5).room(1000, 1.0) == 1000
    free = CatchUp(0)
    assert free.look(BEHIND_ROWS + 1, 0.0) == "began"
    assert free.room(1000, 0.0) == 1000
    assert free.left_s is None


@pytest.mark.parametrize(("per_s", "limit"), [(0, BEHIND_ROWS), (100, 200), (10_000, BEHIND_ROWS)])
def test_behind_begins_and_ends_with_distance(per_s: int, limit: int) -> None:
    pace = CatchUp(per_s)
    assert pace.look(limit, 0.0) == ""
    assert pace.look(limit + 1, 1.0) == "began"
    assert pace.look(limit // 4 + 1, 2.0) == ""
    assert pace.look(limit // 4, 3.0) == "ended"
    assert pace.elapsed_s == 2.0


def test_how_long_it_takes() -> None:
    pace = CatchUp(1000)
    pace.look(60_000, 100.0)
    assert pace.left_s == 60.0
    pace.look(54_000, 110.0)  # new rows come meanwhile: 600 a second net
    assert pace.left_s == 90.0


def test_a_paced_publisher_keeps_the_pace(store: Store, few: None) -> None:
    fill(store, [row(f"t/{n}") for n in range(60)])
    link = FakeLink()
    started_s = time.monotonic()
    run(Publisher(store, per_s=100), link, lambda: len(link.published) >= 55)
    assert time.monotonic() - started_s >= 0.4
    assert topics(link)[:55] == [f"t/{n}" for n in range(55)]


# -- what goes first


def test_alarms_first_then_the_newest_states_then_all_in_order(store: Store, few: None) -> None:
    outage(store, 30)
    fill(store, [FeedMessage(f"{ROOT}/a/alarm", b"fire", "alarm", "wc-0", 31)])
    link = FakeLink(window=4)
    run(Publisher(store, root=ROOT), link, empty(store))
    sent = topics(link)
    assert sent[0] == f"{ROOT}/a/alarm"
    assert sorted(sent[1:4]) == [f"{ROOT}/05562032/waste/wc-{n}/state" for n in range(3)]
    newest = {m.topic: msgspec.json.decode(m.payload)["t_ms"] for m in link.published[1:4]}
    assert sorted(newest.values()) == [27, 28, 29]
    assert [message.payload for message in link.published[4:]] == [b"%d" % n for n in range(30)]


def test_states_of_assets_without_news_do_not_go(store: Store, few: None) -> None:
    fill(store, reading("quiet", 1))
    run(Publisher(store), FakeLink(), empty(store))
    for n in range(30):
        fill(store, reading("busy", 100 + n))
    link = FakeLink()
    run(Publisher(store, root=ROOT), link, empty(store))
    assert not [topic for topic in topics(link) if "quiet" in topic]


def test_a_state_never_goes_back(store: Store, few: None) -> None:
    """Readings come in while the outbox is emptied, and states go ahead again."""
    outage(store, 40)
    publisher = Publisher(store, root=ROOT)
    link = FakeLink(window=3)

    async def work() -> None:
        task = asyncio.create_task(publisher.use(link))
        for n in range(40, 60):
            await asyncio.sleep(0.005)
            publisher._ahead._states_s = None
            publisher._looked_s = 0.0
            fill(store, reading(f"wc-{n % 3}", n))
            publisher.wake()
        async with asyncio.timeout(10):
            while not empty(store)():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    for n in range(3):
        times = [
            msgspec.json.decode(message.payload)["t_ms"]
            for message in link.published
            if message.topic.endswith(f"wc-{n}/state")
        ]
        assert times == sorted(times)
        assert times[-1] == 57 + n
    assert [int(m.payload) for m in link.published if m.topic.endswith("obs")] == list(range(60))


def test_more_alarms_than_may_go_first(
    store: Store, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "ALARMS_AHEAD_MAX", 5)
    for n in range(20):
        fill(store, [row(f"o/{n}"), FeedMessage(f"a/{n}", b"", "alarm", "x", n)])
    link = FakeLink(window=2)
    run(Publisher(store), link, empty(store))
    assert topics(link)[:5] == [f"a/{n}" for n in range(5)]
    assert sorted(topics(link)) == sorted(f"{k}/{n}" for k in "ao" for n in range(20))
    alarms = [topic for topic in topics(link) if topic[0] == "a"]
    assert alarms == [f"a/{n}" for n in range(20)]


def test_the_way_to_the_alarms_is_short(store: Store) -> None:
    plan = store.database.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM message INDEXED BY message_alarms"
        " WHERE kind = 'alarm' AND id > 5 ORDER BY id LIMIT 10"
    ).fetchall()
    assert len(plan) == 1
    assert "message_alarms" in plan[0][3]


def test_a_state_on_which_the_broker_hangs_up_blocks_nothing(store: Store, few: None) -> None:
    outage(store, 30)
    poison = f"{ROOT}/05562032/waste/wc-2/state"
    links = [FakeLink(poison=poison) for _ in range(8)]
    run(Publisher(store, root=ROOT), links, lambda: store.outbox_rows() == 0)
    assert [kept.topic for _, kept in store.quarantine()] == [poison]
    payloads = [m.payload for link in links for m in link.published if m.topic.endswith("obs")]
    assert list(dict.fromkeys(payloads)) == [b"%d" % n for n in range(30)]


def test_a_refused_early_state_is_refused_in_its_turn(store: Store, few: None) -> None:
    outage(store, 30)
    refused = f"{ROOT}/05562032/waste/wc-2/state"
    link = FakeLink({refused: 0x87})
    publisher = Publisher(store, root=ROOT)
    run(publisher, link, lambda: empty(store)() and bool(store.quarantine()))
    assert [kept.topic for _, kept in store.quarantine()] == [refused]
    assert topics(link).count(refused) == 2


# -- what is said


def test_progress_and_end_are_said(
    store: Store, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "TELL_EVERY_S", 0.1)
    fill(store, [row(f"t/{n}") for n in range(90)])
    noon = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    seen: list[tuple[int, str]] = []
    publisher: Publisher

    def status() -> Outgoing:
        seen.append(publisher.progress)
        return Outgoing("status", b"", True)

    publisher = Publisher(store, status, lambda: noon, per_s=200)
    with capture_logs() as logs:
        run(publisher, FakeLink(), lambda: publisher.progress == (0, "") and empty(store)())
    assert seen[0] == (90, "2026-05-04T12:00:00.450Z")
    assert seen[-1] == (0, "")
    said = [entry["event"] for entry in logs]
    assert said.count("catching up") >= 2
    assert said.count("caught up") == 1


def test_nobody_subscribed_is_said_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    codes: dict[str, int] = {f"t/{n}": 0x10 for n in range(10)}
    fill(store, [row(f"t/{n}") for n in range(12)])
    with capture_logs() as logs:
        link = FakeLink(codes, window=2)
        run(Publisher(store), link, lambda: "feed.no_subscriber" in store.counters())
        run(Publisher(store), link, empty(store))
    said = [entry["event"] for entry in logs]
    assert said == [
        "nobody is subscribed to the feed: what is not retained is lost there",
        "somebody is subscribed to the feed",
    ]
    assert store.counters()["feed.no_subscriber"] == 10


# -- a day without the feed's broker is a matter of disk


class Counting(FakeLink):
    """Remembers no message."""

    count = 0

    def publish(self, messages: Any) -> list[int]:
        self.count += len(messages)
        self.published.clear()
        return super().publish(messages)


def test_a_long_outbox_takes_no_memory(store: Store) -> None:
    """With SQLite's cache of 32 MB full, 36 MB more that wait take no memory; nor does sending."""
    process = psutil.Process()
    _fill_long(store, 90_000)
    before = process.memory_info().rss
    _fill_long(store, 90_000, first=90_000)
    grown_by_waiting = process.memory_info().rss - before
    link = Counting(window=1000)
    publisher = Publisher(store, root=ROOT)
    run(publisher, link, lambda: publisher.delivered == 180_000, timeout_s=60)
    grown = process.memory_info().rss - before
    assert link.count == 180_000
    assert len(store._fresh) <= FRESH_ROWS_MAX
    assert store.path.stat().st_size > 72_000_000
    assert max(grown, grown_by_waiting) < 12_000_000, (grown, grown_by_waiting)


def _fill_long(store: Store, count: int, first: int = 0) -> None:
    for start in range(first, first + count, 1000):
        work = Work(store)
        work.outbox += [
            FeedMessage("revier/v1/05562032/airquality/aq-0007/obs", b"x" * 400, "obs", "a", n)
            for n in range(start, start + 1000)
        ]
        store.commit(work)


def test_a_disk_that_forgets_nothing_stops_the_feed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While done rows cannot be settled their number is bounded; then it goes on."""
    monkeypatch.setattr(feed, "UNSETTLED_MAX", 20)
    monkeypatch.setattr(feed, "SETTLE_EVERY_S", 0.02)
    fill(store, [row(f"t/{n}") for n in range(100)])
    link = FakeLink(window=10)
    publisher = Publisher(store)
    until: Callable[[], bool] = lambda: publisher.delivered == 100  # noqa: E731

    async def work() -> None:
        store.database.execute("PRAGMA query_only=ON")
        task = asyncio.create_task(publisher.use(link))
        await asyncio.sleep(0.3)
        assert 20 <= publisher.delivered <= 30
        store.database.execute("PRAGMA query_only=OFF")
        async with asyncio.timeout(10):
            while not until():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    assert topics(link) == [f"t/{n}" for n in range(100)]


def test_a_lost_link_in_a_catch_up_loses_nothing(store: Store, few: None) -> None:
    outage(store, 40)

    class Dying(FakeLink):
        async def acks(self) -> list[Ack]:
            if len(self.published) >= 9:
                raise LinkLost("cut")
            return await super().acks()

    links = [Dying(window=4), Dying(window=4), FakeLink(window=4)]
    run(Publisher(store, root=ROOT), links, lambda: store.outbox_rows() == 0)
    payloads = [m.payload for link in links for m in link.published if m.topic.endswith("obs")]
    assert list(dict.fromkeys(payloads)) == [b"%d" % n for n in range(40)]
