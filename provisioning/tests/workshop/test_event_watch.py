# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The stream of a device's events: recent ones first, broken off, opened again, refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from revier_bench.workshop.paper_air import PaperAir
from revier_provision import ChirpStack, NetworkServerError
from revier_provision.lns.events import EventWatch


@dataclass
class Item:
    id: str
    description: str = "up"
    body: str = field(default_factory=lambda: json.dumps({"fPort": 10}))


class BrokenError(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "the words of gRPC"


class Stream:
    """Gives its items, then ends as it is told: None waits until it is cancelled."""

    def __init__(self, items: list[Item], end: grpc.StatusCode | None) -> None:
        self._items, self._end = items, end
        self._cancelled = threading.Event()

    def __iter__(self) -> Iterator[Item]:
        yield from self._items
        if self._end is not None:
            raise BrokenError(self._end)
        self._cancelled.wait(30)
        raise BrokenError(grpc.StatusCode.CANCELLED)

    def initial_metadata(self) -> tuple[()]:
        return ()

    def cancel(self) -> None:
        self._cancelled.set()


def wait_for(watch: EventWatch, count: int) -> list[Any]:
    for _ in range(300):
        if len(events := watch.events()) >= count:
            return events
        watch.wait(0.1)
    raise AssertionError(f"{len(watch.events())} events came")


def test_a_stream_that_breaks_off_is_opened_again_and_nothing_comes_twice() -> None:
    streams = [
        Stream([Item("1"), Item("2")], grpc.StatusCode.UNAVAILABLE),
        Stream([Item("1"), Item("2"), Item("3")], None),
    ]
    with EventWatch(lambda: streams.pop(0)) as watch:
        assert len(wait_for(watch, 3)) == 3
        assert len(watch.events(2)) == 1


def test_what_is_no_event_is_left_out() -> None:
    items = [Item("1", body="no json"), Item("2", body="[1]"), Item("3")]
    with EventWatch(lambda: Stream(items, None)) as watch:
        assert [event.kind for event in wait_for(watch, 1)] == ["up"]


def test_a_refusal_is_said_in_words() -> None:
    stream = Stream([], grpc.StatusCode.PERMISSION_DENIED)
    with EventWatch(lambda: stream) as watch:
        watch._thread.join(20)
        with pytest.raises(NetworkServerError, match="show the device's events: the API token"):
            watch.events()


def test_the_mark_waits_until_the_recent_events_have_come() -> None:
    with EventWatch(lambda: Stream([Item("1"), Item("2")], None)) as watch:
        wait_for(watch, 2)
        assert watch.mark(0.05, 5.0) == 2
        assert watch.mark(60.0, 0.05) == 2, "the limit ends it"


def test_a_token_that_is_not_known_is_said(air: PaperAir) -> None:
    with (
        ChirpStack(air.target, "x") as server,
        server.watch_device("240ac4fffe000001") as watch,
    ):
        watch._thread.join(20)
        with pytest.raises(NetworkServerError, match="not one of this ChirpStack"):
            watch.events()
