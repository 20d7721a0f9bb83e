# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A device's events live from ChirpStack: InternalService.StreamDeviceEvents, recent ones first.

A provisioning tool needs no broker to see a node join. The stream is read in a thread; whoever
waits asks for what has come.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import grpc

from revier_inventory.message import _
from revier_provision.errors import NetworkServerError
from revier_provision.links import DeviceEvent
from revier_provision.lns.errors import as_sentence

EVENTS_MAX = 1000
BODY_CHARS_MAX = 64 * 1024
REOPEN_S = 1.0
WHAT = _("show the device's events")

Open = Callable[[], Any]  # a gRPC stream of LogItem, with initial_metadata() and cancel()


class EventWatch:
    """Follows a device's events from `open_stream()` until it is left.

    A stream that breaks off is opened again; ChirpStack then repeats the recent events, which are
    known by their id. An answer that a later try would repeat (no right, no such call) stays as
    `error` and is raised by `events`.
    """

    def __init__(self, open_stream: Open, clock: Callable[[], float] = time.monotonic) -> None:
        self._open = open_stream
        self._clock = clock
        self._came = threading.Condition()
        self._events: list[DeviceEvent] = []
        self._ids: set[str] = set()
        self._last_s = clock()
        self._error: NetworkServerError | None = None
        self._closed = False
        self._answered = False  # ChirpStack has taken the request
        self._stream: Any = None
        self._thread = threading.Thread(target=self._follow, name="device events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._came:
            self._closed = True
            self._came.notify_all()
        if self._stream is not None:
            self._stream.cancel()
        self._thread.join(5.0)

    def events(self, after: int = 0) -> list[DeviceEvent]:
        """What has come, from number `after` on. Raises NetworkServerError."""
        with self._came:
            if self._error is not None:
                raise self._error
            return self._events[after:]

    def wait(self, seconds: float) -> None:
        """Until something comes, or this time is over."""
        with self._came:
            count = len(self._events)
            self._came.wait_for(lambda: self._closed or len(self._events) > count, seconds)

    def mark(self, quiet_s: float, limit_s: float) -> int:
        """The number of events so far, once the recent ones have come: ChirpStack has answered,
        and then nothing came for `quiet_s`; `limit_s` ends it in any case."""
        deadline_s = self._clock() + limit_s
        with self._came:
            self._came.wait_for(lambda: self._answered or self._error is not None, limit_s)
            while (now_s := self._clock()) < min(deadline_s, self._last_s + quiet_s):
                self._came.wait(min(deadline_s, self._last_s + quiet_s) - now_s)
            return len(self._events)

    def _follow(self) -> None:
        while not self._closed:
            try:
                self._stream = self._open()
                self._stream.initial_metadata()
                with self._came:
                    self._answered, self._last_s = True, self._clock()
                    self._came.notify_all()
                for item in self._stream:
                    self._take(item)
            except grpc.RpcError as error:
                if self._closed:
                    return
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                    with self._came:
                        self._error = as_sentence(WHAT, error)
                        self._came.notify_all()
                    return
            with self._came:
                self._came.wait_for(lambda: self._closed, REOPEN_S)

    def _take(self, item: Any) -> None:
        event = parsed(item.description, item.body)
        with self._came:
            if event is None or item.id in self._ids or len(self._events) >= EVENTS_MAX:
                return
            self._ids.add(item.id)
            self._events.append(event)
            self._last_s = self._clock()
            self._came.notify_all()


def parsed(kind: str, body: str) -> DeviceEvent | None:
    """None: not what an event looks like; text from the network is never an error of ours."""
    if len(body) > BODY_CHARS_MAX:
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return DeviceEvent(kind=kind, at=_time(found.get("time")), body=found)


def _time(text: Any) -> datetime | None:
    """RFC 3339 with 0 to 9 digits of a second, as ChirpStack writes it."""
    if not isinstance(text, str):
        return None
    head, dot, rest = text.partition(".")
    if dot:
        digits = "".join(_leading_digits(rest))
        text = f"{head}.{digits[:6]:0<6}{rest[len(digits) :]}"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _leading_digits(text: str) -> Iterator[str]:
    for char in text:
        if not char.isdigit():
            return
        yield char
