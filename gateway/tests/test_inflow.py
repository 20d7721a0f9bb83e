# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A busy connection is read in larger pieces; a full one is not read; a quiet one at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from revier_gateway.mqtt.inflow import (
    FAST_S,
    LARGE_READ_BYTES,
    OVERSENT_FACTOR_MAX,
    PAUSE_S,
    Inflow,
)
from revier_gateway.mqtt.link import Message

RECEIVE_MAX = 10


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.reads = True
        self.changes = 0

    def pause_reading(self) -> None:
        self.reads = False
        self.changes += 1

    def resume_reading(self) -> None:
        self.reads = True
        self.changes += 1


Test = Callable[[Inflow, Transport], Coroutine[Any, Any, None]]


def run(test: Test) -> None:
    async def work() -> None:
        inflow, transport = Inflow(RECEIVE_MAX), Transport()
        inflow.begin(transport)
        await test(inflow, transport)

    asyncio.run(work())


def messages(count: int) -> list[Message]:
    return [Message("t", b"x", n) for n in range(1, count + 1)]


async def a_moment() -> None:
    await asyncio.sleep(5 * PAUSE_S)


def test_small_reads_that_follow_fast_are_put_together() -> None:
    async def test(inflow: Inflow, transport: Transport) -> None:
        inflow.read(FAST_S / 2, 2000)
        inflow.read(FAST_S / 2, 2000)
        assert (transport.reads, transport.changes) == (False, 1)
        await a_moment()
        assert (transport.reads, transport.changes) == (True, 2)

    run(test)


@pytest.mark.parametrize(("since_s", "size"), [(FAST_S, 2000), (0.0, LARGE_READ_BYTES)])
def test_a_quiet_connection_and_a_large_read_wait_for_nothing(since_s: float, size: int) -> None:
    async def test(inflow: Inflow, transport: Transport) -> None:
        inflow.read(since_s, size)
        assert transport.changes == 0

    run(test)


def test_the_end_of_a_pause_does_not_open_a_full_connection() -> None:
    many = messages(RECEIVE_MAX * OVERSENT_FACTOR_MAX + 1)

    async def test(inflow: Inflow, transport: Transport) -> None:
        inflow.read(0.0, 2000)
        inflow.hold(many)
        await a_moment()
        assert not transport.reads
        inflow.let_go(many[RECEIVE_MAX + 1 :])
        assert not transport.reads
        inflow.read(0.0, 2000)  # no pause where it is full
        inflow.let_go(many[: RECEIVE_MAX + 1])
        assert transport.reads

    run(test)


def test_room_during_a_pause_waits_for_its_end() -> None:
    many = messages(RECEIVE_MAX * OVERSENT_FACTOR_MAX + 1)

    async def test(inflow: Inflow, transport: Transport) -> None:
        inflow.read(0.0, 2000)
        inflow.hold(many)
        inflow.let_go(many)
        assert not transport.reads
        await a_moment()
        assert transport.reads

    run(test)


def test_a_lost_connection_is_left_alone() -> None:
    async def test(inflow: Inflow, transport: Transport) -> None:
        inflow.read(0.0, 2000)
        inflow.end()
        await a_moment()
        inflow.read(0.0, 2000)
        inflow.hold(messages(RECEIVE_MAX * OVERSENT_FACTOR_MAX + 1))
        assert transport.changes == 1

    run(test)
