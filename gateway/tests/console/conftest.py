# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from gateway.tests.console.fake_view import START, FakeView, view_of_twelve

from revier_bench.broker import free_port
from revier_gateway.console.app import build
from revier_gateway.console.interfaces import ConsoleSettings
from revier_gateway.console.server import serve

BASE_URL = "http://127.0.0.1"


class PageClient:
    """Asks the application directly, without a socket."""

    def __init__(self, view: FakeView) -> None:
        self._app = build(view, ConsoleSettings("demo", now=lambda: START))

    def request(self, method: str, path: str, headers: dict[str, str] | None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)

    def post(self, path: str) -> httpx.Response:
        return self.request("POST", path, None)


def client_of(view: FakeView) -> PageClient:
    return PageClient(view)


@pytest.fixture
def view() -> FakeView:
    return view_of_twelve(hours=6)


@pytest.fixture
def client(view: FakeView) -> PageClient:
    return client_of(view)


class Running:
    """The page on a real socket, in a thread with its own event loop."""

    def __init__(self, view: FakeView, port: int = 0) -> None:
        self.view = view
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("the page did not start")

    def _run(self) -> None:
        app = build(self.view, ConsoleSettings("demo"))
        self._task = self._loop.create_task(serve(app, "127.0.0.1", self.port))
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)

    def call(self, function: Callable[[], Any]) -> None:
        """Run in the loop of the server, as the gateway's pipeline does."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (function(), done.set()))
        assert done.wait(5)

    def publish(self, asset: str, m: dict[str, Any]) -> None:
        self.call(lambda: self.view.publish(asset, datetime.now(UTC), m))

    def stop(self) -> float:
        """Seconds that the end took."""
        started = time.monotonic()
        if self._thread.is_alive():
            assert self._task is not None
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(10)
        assert not self._thread.is_alive(), "the page did not stop"
        return time.monotonic() - started


@pytest.fixture
def start_page() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(view: FakeView, port: int = 0) -> Running:
        started.append(Running(view, port))
        return started[-1]

    yield start
    for one in started:
        one.stop()
