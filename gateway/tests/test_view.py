# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the page sees."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from gateway.tests import support
from gateway.tests.support import START, air_payload, uplink

from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.store_journal import put_away
from revier_gateway.values import unix_ms
from revier_gateway.view import LISTENER_QUEUE_MAX, LISTENERS_MAX, RECENT_MAX, View
from revier_gateway.watch.assets import AssetWatch
from revier_gateway.watch.rows import read_memory
from revier_gateway.watch.standing import Standing
from revier_gateway.work import Work


class Page:
    def __init__(self, pipeline: Pipeline, store: Store) -> None:
        self.pipeline = pipeline
        self.store = store
        self.standing = Standing("unknown", "source_down")
        self.open()

    def open(self) -> None:
        memory = read_memory(self.store.database)
        self.watch = AssetWatch(support.inventory(), {}, memory, unix_ms(START))
        self.view = View(
            self.store, support.inventory(), lambda _: self.standing, self.watch.last_ms
        )

    def take(self, f_cnt: int, minutes: int, data: bytes | None = None, port: int = 10) -> None:
        at = START + timedelta(minutes=minutes)
        data = air_payload(f_cnt) if data is None else data
        event = uplink(data, f_port=port, f_cnt=f_cnt, at=at)
        work = Work(self.store)
        outcome = self.pipeline.handle(Message(support.topic(), support.to_bytes(event)), work)
        self.store.commit(work)
        self.watch.take(work.heard, unix_ms(at))
        self.view.apply(work, [outcome])


@pytest.fixture
def page(pipeline: Pipeline, store: Store) -> Page:
    return Page(pipeline, store)


def test_assets_before_anything_was_heard(page: Page) -> None:
    assets = page.view.assets()
    assert [view.asset for view in assets] == ["aq-0007", "ps-r12-03", "wc-0113"]
    assert {(view.status, view.cause) for view in assets} == {("unknown", "source_down")}
    assert assets[0].latest is None
    assert (assets[0].lon, assets[0].domain) == (7.19738, "airquality")


def test_latest_history_recent_and_counters(page: Page) -> None:
    for n in range(1, RECENT_MAX + 10):
        page.take(n, n)
    view = page.view.assets()[0]
    assert view.latest is not None
    assert view.latest["seq"] == RECENT_MAX + 9
    assert view.last_seen == "2026-05-04T07:59:00.000Z"
    history = page.view.history("aq-0007")
    assert len(history) == RECENT_MAX + 9
    assert history[0][0] < history[-1][0]
    assert history[0][1]["pm25"]["v"] == 11.7
    assert len(page.view.recent()) == RECENT_MAX
    assert page.view.counters()["published.readings"] == RECENT_MAX + 9
    (gateway,) = page.view.radio_gateways()
    assert (gateway.name, gateway.frames) == ("Rathaus", RECENT_MAX + 9)


def test_it_survives_a_restart(page: Page) -> None:
    for n in range(1, 5):
        page.take(n, n)
    before = page.view
    shown = before.assets(), before.history("aq-0007"), before.counters(), before.radio_gateways()
    put_away(page.store.database)  # as a start does
    page.open()
    after = page.view
    again = after.assets(), after.history("aq-0007"), after.counters(), after.radio_gateways()
    assert again == shown


def test_a_frame_without_data_is_seen(page: Page) -> None:
    page.take(1, 1, b"", port=0)
    view = page.view.assets()[0]
    assert (view.latest, view.last_seen) == (None, "2026-05-04T07:01:00.000Z")


def test_a_slow_listener_loses_the_oldest(page: Page) -> None:
    async def work() -> None:
        queue = page.view.listen()
        for n in range(1, LISTENER_QUEUE_MAX + 6):
            page.take(n, n)
        assert queue.qsize() == LISTENER_QUEUE_MAX
        assert queue.get_nowait()["seq"] == 6
        page.view.unlisten(queue)
        page.view.unlisten(queue)
        page.take(999, 999)
        assert queue.qsize() == LISTENER_QUEUE_MAX - 1

    asyncio.run(work())


def test_listeners_are_bounded(page: Page) -> None:
    queues = [page.view.listen() for _ in range(LISTENERS_MAX)]
    with pytest.raises(OverflowError):
        page.view.listen()
    page.view.unlisten(queues[0])
    page.view.listen()
