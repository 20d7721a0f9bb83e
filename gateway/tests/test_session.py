# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What any implementation of mqtt.link.Link must do, on a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import mqtt5
import pytest
from gateway.tests import support
from gateway.tests.implementations import cut as cut_off
from gateway.tests.implementations import every
from iotcore import Broker

from revier_bench.broker import free_port
from revier_gateway.mqtt.keep import BACKOFF_MAX_S, Backoff, keep
from revier_gateway.mqtt.link import Connect, Link, LinkLost, LinkSettings, Message, Outgoing

QOS1 = mqtt5.QoS.AT_LEAST_ONCE


def settings(port: int, client_id: str = "ours", **changes: Any) -> LinkSettings:
    return replace(LinkSettings("127.0.0.1", port, client_id), **changes)


async def receive(link: Link, count: int) -> list[Message]:
    messages: list[Message] = []
    async with asyncio.timeout(10):
        while len(messages) < count:
            messages += await link.receive()
    return messages


def go(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


@every
def test_publish_is_answered_and_arrives(broker: Broker, connect: Connect) -> None:
    async def work() -> None:
        listener = await connect(settings(broker.port, "listener", clean_start=True))
        await listener.subscribe(["a/+"])
        link = await connect(settings(broker.port, clean_start=True))
        ids = link.publish([Outgoing(f"a/{n}", b"%d" % n) for n in range(100)])
        answers = []
        while len(answers) < 100:
            answers += await link.acks()
        assert [ack.packet_id for ack in answers] == ids
        assert all(ack.reason_code < 0x80 for ack in answers)
        messages = await receive(listener, 100)
        assert [message.payload for message in messages] == [b"%d" % n for n in range(100)]
        await link.close()
        await listener.close()

    go(work())


@every
def test_what_is_not_acknowledged_comes_again(broker: Broker, connect: Connect) -> None:
    """A kill between receiving and committing: the connection is cut, nothing was acknowledged."""

    async def work() -> None:
        durable = settings(broker.port, "durable", session_expiry_s=3600)
        link = await connect(durable)
        await link.subscribe(["a/#"])
        await asyncio.to_thread(
            support.publish, broker.port, [("a/x", b"%d" % n) for n in range(9)]
        )
        messages = await receive(link, 9)
        link.acknowledge(messages[:4])
        await asyncio.sleep(0.2)
        cut_off(link)
        with pytest.raises(LinkLost):
            await link.receive()
        again = await connect(durable)
        assert again.session_present
        await again.subscribe(["a/#"])
        messages = await receive(again, 5)
        assert sorted(message.payload for message in messages) == [b"4", b"5", b"6", b"7", b"8"]
        again.acknowledge(messages)
        await again.close()

    go(work())


@every
def test_messages_while_away_wait(broker: Broker, connect: Connect) -> None:
    support.persistent_session(broker.port, "durable", "a/#")
    support.publish(broker.port, [("a/x", b"x" * 2000)] * 500)

    async def work() -> None:
        link = await connect(settings(broker.port, "durable", session_expiry_s=3600))
        count = 0
        while count < 500:
            messages = await receive(link, 1)
            count += len(messages)
            link.acknowledge(messages)
        assert count == 500
        await link.close()

    go(work())


@every
def test_retained_state_is_marked(broker: Broker, connect: Connect) -> None:
    async def work() -> None:
        link = await connect(settings(broker.port, clean_start=True))
        link.publish([Outgoing("a/state", b"1", retain=True)])
        await link.acks()
        await link.subscribe(["a/#"])
        (message,) = await receive(link, 1)
        assert (message.payload, message.retain) == (b"1", True)
        await link.close()

    go(work())


@every
def test_the_last_will_speaks_when_we_cannot(broker: Broker, connect: Connect) -> None:
    will = Outgoing("gw/status", b"offline", retain=True)

    async def work() -> None:
        listener = await connect(settings(broker.port, "listener", clean_start=True))
        await listener.subscribe(["gw/status"])
        for cut, expected in ((False, 0), (True, 1)):
            link = await connect(settings(broker.port, "mortal", clean_start=True, will=will))
            if cut:
                cut_off(link)
            else:
                await link.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0 if expected else 0.4):
                    messages = await listener.receive()
                    assert expected == 1
                    assert messages[0].payload == b"offline"
                    continue
            assert expected == 0
        await listener.close()

    go(work())


@every
def test_nobody_answers(connect: Connect) -> None:
    with pytest.raises(LinkLost):
        go(connect(settings(free_port())))  # type: ignore[arg-type]


@every
def test_keep_comes_back_and_subscribes_again(tmp_path: Any, connect: Connect) -> None:
    port = free_port()
    heard: list[bytes] = []
    states: list[bool] = []

    async def use(link: Link, ready: Callable[[], None]) -> None:
        await link.subscribe(["a/#"])
        ready()
        while True:
            batch = await link.receive()
            heard.extend(message.payload for message in batch)
            link.acknowledge(batch)

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def work() -> None:
        durable = settings(port, "durable", session_expiry_s=3600, connect_timeout_s=2)
        task = asyncio.create_task(keep("test", lambda: durable, use, connect, states.append))
        for text in (b"one", b"two"):
            with support.broker(tmp_path, port):
                await until(lambda: bool(states) and states[-1])
                await asyncio.sleep(0.2)
                await asyncio.to_thread(support.publish, port, [("a/b", text)])
                await until(lambda text=text: text in heard)  # type: ignore[misc]
            await until(lambda: not states[-1])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    go(work())
    assert heard == [b"one", b"two"]


def test_back_off_doubles_with_jitter_up_to_a_limit() -> None:
    backoff = Backoff(random.Random(1))
    waits = [backoff.next_s() for _ in range(40)]
    assert waits[0] <= 0.2
    assert max(waits) <= BACKOFF_MAX_S
    assert min(waits[-5:]) >= BACKOFF_MAX_S / 2
    assert len(set(waits[-5:])) == 5
    backoff.reset()
    assert backoff.next_s() <= 0.2
