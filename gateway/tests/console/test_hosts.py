# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Under which names the page answers."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from gateway.tests.console.fake_view import FakeView

from revier_gateway.console.app import build
from revier_gateway.console.interfaces import ConsoleSettings, hosts_for


@pytest.mark.parametrize(
    ("host", "names", "asked", "code"),
    [
        ("127.0.0.1", (), "127.0.0.1:8080", 200),
        ("127.0.0.1", (), "rebound.example", 400),
        ("127.0.0.1", ("revier.example",), "revier.example", 200),
        ("10.1.2.3", (), "10.1.2.3:8080", 200),
        ("10.1.2.3", (), "rebound.example", 400),
        ("10.1.2.3", ("revier.example",), "revier.example:8080", 200),
        ("0.0.0.0", (), "anything.example", 200),
        ("0.0.0.0", ("revier.example",), "anything.example", 400),
        ("0.0.0.0", ("revier.example",), "localhost:8080", 200),
    ],
)
def test_by_which_names_it_may_be_asked(
    host: str, names: tuple[str, ...], asked: str, code: int, view: FakeView
) -> None:
    app = build(view, ConsoleSettings(allowed_hosts=hosts_for(host, names)), [])

    async def ask() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{asked}") as client:
            return (await client.get("/api/state")).status_code

    assert asyncio.run(ask()) == code
