# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The outbox's rows: each done only on the broker's word, none blocking another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from gateway.tests import support

from revier_gateway.feed import Publisher
from revier_gateway.mqtt.link import Ack, LinkLost, Message, Outgoing
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store import Store
from revier_gateway.work import Work


class FakeLink:
    """A broker in a list: answers by topic, loses the connection on a poisonous topic."""

    session_present = False

    def __init__(
        self,
        codes: dict[str, int] | None = None,
        poison: str = "",
        window: int = 10,
        bytes_max: int | None = None,
    ) -> None:
        self.codes = codes or {}
        self.poison = poison
        self.window_max = window
        self.message_bytes_max = bytes_max
        self.published: list[Outgoing] = []
        self.pending: list[Ack] = []
        self.in_flight = 0
        self.lost = False
        self.next_id = 0
        self.news = asyncio.Event()

    @property
    def window(self) -> int:
        return self.window_max - self.in_flight

    async def subscribe(self, topic_filters: Sequence[str], qos: int = 1) -> None: ...
    async def receive(self) -> list[Message]:
        raise AssertionError

    def receive_now(self) -> list[Message]:
        return []

    def acknowledge(self, messages: Sequence[Message]) -> None: ...

    def publish(self, messages: Sequence[Outgoing]) -> list[int]:
        assert len(messages) <= self.window
        ids = []
        for message in messages:
            self.next_id += 1
            ids.append(self.next_id)
            self.in_flight += 1
            self.published.append(message)
            self.lost = self.lost or message.topic == self.poison
            if not self.lost:
                code = self.codes.get(message.topic, 0)
                self.pending.append(Ack(self.next_id, code))
        self.news.set()
        return ids

    async def acks(self) -> list[Ack]:
        while not self.pending:
            if self.lost:
                raise LinkLost("the broker closed the connection")
            self.news.clear()
            await self.news.wait()
        answers, self.pending = self.pending, []
        self.in_flight -= len(answers)
        return answers

    async def close(self) -> None: ...


def row(topic: str, asset: str = "a", t_ms: int = 0, retain: bool = False) -> FeedMessage:
    kind = "state" if retain else "obs"
    return FeedMessage(topic, topic.encode(), kind, asset, t_ms, retain)


def fill(store: Store, rows: Sequence[FeedMessage]) -> None:
    work = Work(store)
    work.outbox += rows
    for message in rows:
        if message.kind == "state":
            work.latest[message.asset] = (message.t_ms, message.payload)
    store.commit(work)


def run(
    publisher: Publisher,
    links: FakeLink | Sequence[FakeLink],
    until: Callable[[], bool],
    timeout_s: float = 10,
) -> None:
    """One link after the other, as mqtt.keep does, until the condition holds."""

    async def work() -> None:
        for link in [links] if isinstance(links, FakeLink) else links:
            task = asyncio.create_task(publisher.use(link))
            async with asyncio.timeout(timeout_s):
                while not until() and not task.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            task.cancel()
            (end,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(end, LinkLost | asyncio.CancelledError), end

    asyncio.run(work())


def empty(store: Store) -> Callable[[], bool]:
    def settled() -> bool:
        store.settle()
        return store.outbox_rows() == 0

    return settled


def topics(link: FakeLink) -> list[str]:
    return [message.topic for message in link.published]


def test_all_rows_in_order_and_then_gone(store: Store) -> None:
    fill(store, [row(f"t/{n}") for n in range(100)])
    link = FakeLink(window=7)
    run(Publisher(store), link, empty(store))
    assert topics(link) == [f"t/{n}" for n in range(100)]
    assert store.outbox_rows() == 0


def test_a_refused_row_goes_to_quarantine_and_the_next_goes_on(store: Store) -> None:
    fill(store, [row("t/1"), row("t/bad"), row("t/2")])
    link = FakeLink({"t/bad": 0x87})
    run(Publisher(store), link, lambda: empty(store)() and bool(store.quarantine()))
    ((_, kept),) = store.quarantine()
    assert (kept.leg, kept.reason, kept.topic) == ("feed", "refused", "t/bad")
    assert kept.detail == "reason code 0x87"
    assert store.counters()["quarantined.refused"] == 1


@pytest.mark.parametrize(
    ("code", "done"), [(0x00, True), (0x10, True), (0x7F, True), (0x80, False)]
)
def test_done_means_below_0x80(store: Store, code: int, done: bool) -> None:
    fill(store, [row("t/1")])
    run(Publisher(store), FakeLink({"t/1": code}), _settled(store))
    assert (len(store.quarantine()) == 0) is done


def _settled(store: Store) -> Callable[[], bool]:
    return lambda: store.outbox_rows() == 0


def test_nobody_subscribed_is_counted(store: Store) -> None:
    fill(store, [row("t/1")])
    run(Publisher(store), FakeLink({"t/1": 0x10}), _settled(store))
    assert store.counters()["feed.no_subscriber"] == 1


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a\0b", "x" * 65_536])
def test_a_topic_that_cannot_be_written_to_never_reaches_the_broker(
    store: Store, topic: str
) -> None:
    fill(store, [row(topic), row("t/1")])
    link = FakeLink()
    run(Publisher(store), link, _settled(store))
    assert topics(link) == ["t/1"]
    assert store.quarantine()[0][1].reason == "invalid_topic"


def test_a_message_larger_than_the_broker_takes(store: Store) -> None:
    big = FeedMessage("t/big", b"x" * 2000, "obs", "a", 0)
    fill(store, [big, row("t/1")])
    link = FakeLink(bytes_max=1000)
    run(Publisher(store), link, _settled(store))
    assert topics(link) == ["t/1"]
    assert store.quarantine()[0][1].reason == "message_too_large"


def test_a_message_on_which_the_broker_hangs_up_is_found_out(store: Store) -> None:
    fill(store, [row(f"t/{n}") for n in range(5)] + [row("t/poison")] + [row("t/9")])
    links = [FakeLink(poison="t/poison") for _ in range(6)]
    run(Publisher(store), links, _settled(store))
    seen = [topic for link in links for topic in topics(link)]
    assert store.outbox_rows() == 0
    assert [kept.topic for _, kept in store.quarantine()] == ["t/poison"]
    assert store.quarantine()[0][1].reason == "hangs_up"
    assert seen.count("t/0") == 1
    assert seen[-1] == "t/9"


def test_losing_the_link_loses_no_row(store: Store) -> None:
    fill(store, [row(f"t/{n}") for n in range(20)])

    class Dying(FakeLink):
        async def acks(self) -> list[Ack]:
            if len(self.published) >= 10:
                raise LinkLost("cut")
            return await super().acks()

    link = FakeLink()
    run(Publisher(store), [Dying(window=5), link], _settled(store))
    assert topics(link)[-1] == "t/19"
    assert topics(link) == sorted(topics(link), key=lambda name: int(name[2:]))
    assert store.outbox_rows() == 0


def test_only_the_newest_state_is_sent(store: Store) -> None:
    fill(store, [row("s", t_ms=1, retain=True), row("o1"), row("s", t_ms=2, retain=True)])
    fill(store, [row("s", t_ms=3, retain=True), row("other", "b", t_ms=1, retain=True)])
    link = FakeLink()
    run(Publisher(store), link, _settled(store))
    assert topics(link) == ["o1", "s", "other"]


def test_an_availability_is_not_overtaken_by_a_newer_state(store: Store) -> None:
    """Retained as well, and with a time of its own: when the asset was seen to change."""
    fill(store, [row("s", t_ms=9, retain=True)])
    fill(store, [FeedMessage("a", b"offline", "availability", "a", 5, True)])
    link = FakeLink()
    run(Publisher(store), link, _settled(store))
    assert topics(link) == ["s", "a"]


def test_rows_that_come_while_it_waits(store: Store) -> None:
    publisher = Publisher(store)
    link = FakeLink()

    async def work() -> None:
        task = asyncio.create_task(publisher.use(link))
        for number in range(5):
            await asyncio.sleep(0.01)
            fill(store, [row(f"t/{number}")])
            publisher.wake()
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    assert topics(link) == [f"t/{n}" for n in range(5)]


def test_presence_is_said_first(store: Store) -> None:
    fill(store, [row("t/1")])
    link = FakeLink()
    run(Publisher(store, lambda: Outgoing("status", b"online", True)), link, _settled(store))
    assert topics(link) == ["status", "t/1"]


def test_refused_for_real(store: Store, broker: Any) -> None:
    """The embedded broker drops the connection on a message beyond its limit."""
    from revier_gateway.mqtt.keep import Backoff, keep
    from revier_gateway.mqtt.link import LinkSettings
    from revier_gateway.mqtt.session import connect

    fill(store, [row("t/1"), FeedMessage("t/big", b"x" * 400_000, "obs", "a", 0), row("t/2")])
    publisher = Publisher(store)
    settings = LinkSettings("127.0.0.1", broker.port, "feed", clean_start=True)

    class AtOnce(Backoff):
        def next_s(self) -> float:
            return 0.02

    async def work() -> None:
        task = asyncio.create_task(
            keep("feed", lambda: settings, publisher.use, connect, lambda _: None, AtOnce())
        )
        async with asyncio.timeout(20):
            while store.outbox_rows():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with support.listening(broker.port, "t/#") as listener:
        asyncio.run(work())
        support.wait_until(lambda: any(name == "t/2" for name, _, _ in listener.messages))
    assert [kept.topic for _, kept in store.quarantine()] == ["t/big"]
