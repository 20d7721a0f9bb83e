# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The sign of life stays away when it should, and the log follows the outage."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

import structlog

from revier_gateway.watch import deadman


def heard(is_healthy: Callable[[], bool], status: int, until: Callable[[int], bool]) -> list[str]:
    """Paths that were asked for until `until` says that so many are enough."""
    asked: list[str] = []

    class Watcher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Watcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    async def work() -> None:
        url = f"http://127.0.0.1:{server.server_address[1]}/ping/secret"
        task = asyncio.create_task(deadman.ping_while_healthy(url, 0.01, is_healthy))
        async with asyncio.timeout(20):
            while not until(len(asked)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(work())
    finally:
        server.shutdown()
        server.server_close()
    return asked


def test_it_is_given_while_all_is_well() -> None:
    assert set(heard(lambda: True, 200, lambda n: n >= 3)) == {"/ping/secret"}


def test_it_stays_away_when_something_is_wrong() -> None:
    looks = iter(range(10_000))
    asked_when_ill: list[int] = []

    def is_healthy() -> bool:
        asked_when_ill.append(next(looks))
        return False

    assert heard(is_healthy, 200, lambda _n: len(asked_when_ill) >= 5) == []


def test_a_watcher_that_fails_is_complained_about_once_and_without_its_secret() -> None:
    with structlog.testing.capture_logs() as logs:
        heard(lambda: True, 500, lambda n: n >= 4)
    said = [entry for entry in logs if "watcher" in entry["event"]]
    assert [entry["why"] for entry in said] == ["HTTP 500"]
    assert "secret" not in str(said)
