# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The event stream on a real socket: whole state first, then what changed; it ends with us."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from gateway.tests.console.conftest import Running
from gateway.tests.console.fake_view import START, FakeView

from revier_gateway.console.stream import BURST_MAX, Streams, TooManyStreamsError

Start = Callable[..., Running]


@contextmanager
def listening(page: Running, query: str = "") -> Iterator[Iterator[dict[str, Any]]]:
    with (
        httpx.Client(timeout=10) as client,
        client.stream("GET", f"{page.url}events{query}") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        yield (json.loads(line[6:]) for line in answer.iter_lines() if line[:6] == "data: ")


def test_whole_state_then_the_change(start_page: Start, view: FakeView) -> None:
    page = start_page(view)
    with listening(page, "?lang=en") as events:
        first = next(events)
        assert len(first["nodes"]) == 12
        assert len(first["messages"]) == 50
        page.publish("haltern-markt", {"fill": {"v": 0.91, "u": "1", "q": 1}})
        second = next(events)
        assert "nodes" not in second
        assert [node["asset"] for node in second["changed"]] == ["haltern-markt"]
        assert second["changed"][0]["mark_state"] == "full"
        assert second["fresh"][0]["text"] == "Fill level 91 %"


def test_a_burst_is_one_event(start_page: Start, view: FakeView) -> None:
    page = start_page(view)
    with listening(page) as events:
        next(events)

        def burst() -> None:
            for number in range(90):
                page.view.publish("datteln-neumarkt", START, {"pm25": {"v": number, "q": 1}})

        page.call(burst)
        event = next(events)
        assert len(event["fresh"]) == BURST_MAX
        assert event["fresh"][0]["text"] == "PM2,5 89,0"
        assert len(event["changed"]) == 1


def test_it_speaks_when_nothing_happens(start_page: Start) -> None:
    page = start_page(FakeView())
    with listening(page) as events:
        next(events)
        started = time.monotonic()
        event = next(events)
        assert event["changed"] == event["fresh"] == []
        assert time.monotonic() - started < 5


def test_a_change_of_status_needs_no_message(start_page: Start, view: FakeView) -> None:
    page = start_page(view)
    with listening(page) as events:
        next(events)
        page.view.items[3].status = "offline"
        page.view.state["feed"] = "offline"
        event = next(events)
        assert [node["status"] for node in event["changed"]] == ["offline"]
        assert event["links"]["feed"]["text"] == "getrennt"


def test_a_reader_that_leaves_is_forgotten(start_page: Start, view: FakeView) -> None:
    page = start_page(view)
    with listening(page) as events:
        next(events)
        assert len(view.queues) == 1
    deadline = time.monotonic() + 6
    while view.queues and time.monotonic() < deadline:
        time.sleep(0.05)
    assert view.queues == []


def test_open_streams_do_not_hold_the_end_up(start_page: Start, view: FakeView) -> None:
    page = start_page(view)
    with listening(page) as events:
        next(events)
        assert page.stop() < 2.0


def test_one_stream_too_many_is_refused() -> None:
    streams = Streams(limit=2)
    with streams.one_more(), streams.one_more(), pytest.raises(TooManyStreamsError):
        streams.check()
    streams.check()
