# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which event logs are read when, and what happens while they cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.support import AIR, APPLICATION, START, WASTE

from revier_gateway.chirpstack_errors import ChirpStackError
from revier_gateway.config import parse
from revier_gateway.gaps.event_log import LogItem, Recovery
from revier_gateway.gaps.keeper import LOG_PATIENCE_MS
from revier_gateway.gaps.room import Gaps
from revier_gateway.mqtt.link import Message
from revier_gateway.store import Store
from revier_gateway.values import unix_ms
from revier_gateway.work import Work

from .test_gaps import MINUTE, TEXT, Bench


class Log:
    """ChirpStack's event logs; error: what it says instead."""

    def __init__(self) -> None:
        self.items: dict[str, list[LogItem]] = {}
        self.seen: dict[str, int] = {}
        self.error: ChirpStackError | None = None
        self.asked: list[str] = []

    async def event_log(self, dev_eui: str, until_ms: int) -> AsyncIterator[LogItem]:
        self.asked.append(dev_eui)
        if self.error is not None:
            raise self.error
        for item in self.items.get(dev_eui, []):
            yield item

    async def last_seen(self, application_id: str) -> dict[str, int]:
        if self.error is not None and not self.error.is_refusal:
            raise self.error
        return self.seen


class Town(Bench):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.log = Log()
        self.taken = 0

    def run(self, until: Callable[[], bool]) -> None:
        """The keeper, until it has done it."""
        recovery = Recovery(self.log, self.gaps.ledger, self.recover, "application/#")

        async def work() -> None:
            task = asyncio.create_task(self.gaps.keeper.run(self.log, recovery, 4))
            async with asyncio.timeout(20):
                while not until():
                    assert not task.done(), task.result()
                    await asyncio.sleep(0.01)
            task.cancel()

        asyncio.run(work())

    async def recover(self, messages: Sequence[Message]) -> None:
        work = Work(self.store)
        outcomes = self.pipeline.handle_batch(messages, work)
        assert {outcome.kind for outcome in outcomes} <= {"published", "ignored"}
        self.store.commit(work)
        self.taken += len(messages)

    def logged(self, f_cnt: int, seq: int) -> LogItem:
        event = self.reading(seq, f_cnt)
        return LogItem(unix_ms(START + f_cnt * MINUTE), "up", support.to_bytes(event))


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = Town(tmp_path)
    made.gaps.keeper._settle_ms = 100
    return made


def test_only_what_was_heard_since_is_read(town: Town) -> None:
    town.begin()
    town.log.seen = {AIR: unix_ms(START + MINUTE) + 300, WASTE: unix_ms(START)}
    town.run(lambda: WASTE in town.log.asked)
    assert town.log.asked == [WASTE]  # of the other we have the newest


def test_a_hole_is_filled_from_the_log_before_it_is_declared(town: Town) -> None:
    town.begin()
    town.log.items[AIR] = [town.logged(n, 99 + n) for n in (1, 2, 3, 4)]
    town.take([town.reading(103, 4)])
    town.now += MINUTE
    town.run(lambda: town.taken == 2)
    town.run(lambda: len(town.log.asked) > 0)
    assert town.rows() == []
    assert town.gaps.ledger.state(AIR).holes == []


def test_a_log_out_of_reach_is_waited_for_and_not_for_ever(town: Town) -> None:
    town.begin()
    town.log.error = ChirpStackError("cannot read the event log: nobody there")
    town.take([town.reading(103, 4)])
    town.now += MINUTE
    town.run(lambda: town.log.asked == [AIR])
    assert town.rows() == []
    town.now += timedelta(milliseconds=LOG_PATIENCE_MS)
    town.run(lambda: len(town.rows()) == 1)
    town.log.error = None
    town.log.items[AIR] = [town.logged(2, 101), town.logged(3, 102)]
    town.now += MINUTE
    town.run(lambda: [row[0] for row in town.rows()] == ["filled"])


def test_a_log_that_is_refused_is_not_waited_for(town: Town) -> None:
    town.begin()
    town.log.error = ChirpStackError("the key is wrong", is_refusal=True)
    town.take([town.reading(103, 4)])
    town.now += MINUTE
    town.run(lambda: len(town.rows()) == 1)
    assert town.log.asked == [AIR]


def test_events_of_a_device_never_heard_come_whole(town: Town) -> None:
    town.log.items[AIR] = [town.logged(n, 99 + n) for n in range(5, 9)]
    town.log.seen = {AIR: unix_ms(START + 8 * MINUTE)}
    town.run(lambda: town.taken == 4)
    assert town.rows() == []
    assert town.gaps.ledger.state(AIR).application_id == APPLICATION


def test_gaps_and_commands_share_one_channel_to_chirpstack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVIER_CHIRPSTACK_TOKEN", "x")
    config = parse(f'{TEXT}\n[chirpstack]\nhost = "127.0.0.1"\nport = 1\n', tmp_path / "x.toml")
    store = Store(tmp_path / "data")
    gaps = Gaps(config, store, support.inventory, lambda _: None)

    async def work() -> None:
        channel = gaps.chirpstack()
        assert channel is not None
        assert gaps.chirpstack() is channel
        await gaps.close()
        await gaps.close()

    asyncio.run(work())
    store.close()
