# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The log follows the outage and not the retry: in every room that tries again."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
import structlog
from gateway.tests.commands_bench import Bench
from gateway.tests.support import START

from revier_gateway import operator_requests
from revier_gateway.commands import room
from revier_gateway.gaps import keeper as gaps_keeper
from revier_gateway.logs import Trouble
from revier_gateway.store import StoreError
from revier_gateway.values import instant

FULL = "database or disk is full"


def full(*_: Any) -> None:
    raise StoreError(FULL)


def test_one_warning_then_its_end() -> None:
    with structlog.testing.capture_logs() as said:
        trouble = Trouble(structlog.get_logger("test"), "it does not", "it does again")
        trouble.over()
        for _ in range(5):
            trouble.there("why")
        trouble.over()
        trouble.over()
        trouble.there("why")
    told = [(one["log_level"], one["event"]) for one in said if one["log_level"] != "debug"]
    assert told == [
        ("warning", "it does not"), ("info", "it does again"), ("warning", "it does not"),
    ]  # fmt: skip


async def _turns(work: Any, turns: int, of: Any) -> None:
    """Let it turn so often."""
    task = asyncio.create_task(work)
    while of() < turns:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_commands_and_gaps_say_once_that_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    monkeypatch.setattr(room, "TURN_EVERY_S", 0.001)
    monkeypatch.setattr(gaps_keeper, "TURN_EVERY_S", 0.001)
    tries: list[int] = []

    def refuses(*_: Any) -> None:
        tries.append(1)
        raise StoreError(FULL)

    monkeypatch.setattr(bench.room, "take_requests", refuses)
    monkeypatch.setattr(bench.gaps.keeper, "_keep", refuses)
    with structlog.testing.capture_logs() as said:
        asyncio.run(_turns(bench.room.run(), 20, lambda: len(tries)))
        tries.clear()
        asyncio.run(_turns(bench.gaps.keeper.run(None, None, 1), 20, lambda: len(tries)))
    warned = [one["event"] for one in said if one["log_level"] == "warning"]
    assert warned == ["the store does not take commands", "the store does not take gaps"]
    assert {one["why"] for one in said} == {FULL}


def test_a_request_of_another_version_is_answered_and_stops_nobody(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    database = bench.store.path
    at = instant(START)
    with pytest.raises(operator_requests.NoAnswer):
        operator_requests.ask(
            database, operator_requests.COMMANDS, "me", b'{"of": "tomorrow"}', at, 0.1
        )
    bench.room.take_requests()
    (answer,) = bench.store.database.execute("SELECT answer FROM operator_requests").fetchone()
    assert "does not know this request" in answer
    bench.room.take_requests()
