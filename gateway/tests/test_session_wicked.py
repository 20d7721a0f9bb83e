# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What any implementation of mqtt.link.Link must bear: a peer that does what no broker should."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import mqtt5
import pytest
from gateway.tests.implementations import every, ours, words

from revier_gateway.mqtt import inflow
from revier_gateway.mqtt.inflow import OVERSENT_FACTOR_MAX
from revier_gateway.mqtt.link import (
    Connect,
    Link,
    LinkLost,
    LinkRefused,
    LinkSettings,
    Message,
    Outgoing,
)
from revier_gateway.mqtt.session import Session

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


# -- a broker that does what a good one does not


class Wicked:
    """A scripted peer: each packet from us is handed to `react`, which returns bytes to send."""

    def __init__(self, react: Callable[[mqtt5.Packet], bytes]) -> None:
        self.react = react
        self.packets: list[mqtt5.Packet] = []
        self.port = 0
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        rest = b""
        while data := await reader.read(65536):
            rest += data
            while rest:
                try:
                    packet, length = mqtt5.read(memoryview(rest))
                except IndexError:
                    break
                rest = rest[length:]
                self.packets.append(packet)
                writer.write(self.react(packet))
        writer.close()


@contextlib.asynccontextmanager
async def wicked(react: Callable[[mqtt5.Packet], bytes]) -> AsyncIterator[Wicked]:
    peer = Wicked(react)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()


def polite(packet: mqtt5.Packet) -> bytes:
    if isinstance(packet, mqtt5.ConnectPacket):
        return mqtt5.ConnAckPacket().write()
    if isinstance(packet, mqtt5.SubscribePacket):
        codes = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * len(packet.topic_filters)
        return mqtt5.SubAckPacket(packet.packet_id, codes).write()
    if isinstance(packet, mqtt5.PingReqPacket):
        return mqtt5.PingRespPacket().write()
    return b""


@every
def test_a_refused_connection_says_why(connect: Connect) -> None:
    async def work() -> None:
        code = mqtt5.ConnAckReasonCode.NOT_AUTHORIZED
        async with wicked(lambda _: mqtt5.ConnAckPacket(reason_code=code).write()) as peer:
            with pytest.raises(LinkRefused, match="not_authorized"):
                await connect(settings(peer.port))

    go(work())


@every
def test_no_greeting_in_time(connect: Connect) -> None:
    async def work() -> None:
        async with wicked(lambda _: b"") as peer:
            with pytest.raises(LinkLost, match="no answer"):
                await connect(settings(peer.port, connect_timeout_s=0.2))

    go(work())


def subscribing(code: mqtt5.SubAckReasonCode) -> Callable[[mqtt5.Packet], bytes]:
    def react(packet: mqtt5.Packet) -> bytes:
        if isinstance(packet, mqtt5.SubscribePacket):
            return mqtt5.SubAckPacket(packet.packet_id, [code]).write()
        return polite(packet)

    return react


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        (mqtt5.SubAckReasonCode.UNSPECIFIED_ERROR, "broker's log"),
        (mqtt5.SubAckReasonCode.NOT_AUTHORIZED, "access list"),
        (mqtt5.SubAckReasonCode.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED, r"take \$share out"),
    ],
)
@every
def test_connected_but_not_subscribed_is_an_error(
    code: mqtt5.SubAckReasonCode, cure: str, connect: Connect
) -> None:
    async def work() -> None:
        async with wicked(subscribing(code)) as peer:
            link = await connect(settings(peer.port))
            with pytest.raises(LinkRefused, match=rf"a/#.*{code.name.lower()}.*{cure}"):
                await link.subscribe(["a/#"])

    go(work())


@every
def test_a_lesser_grant_is_told(connect: Connect) -> None:
    async def work() -> None:
        async with wicked(subscribing(mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE)) as peer:
            link = await connect(settings(peer.port))
            assert await link.subscribe(["a/#"]) == [0]

    go(work())


@every
def test_a_refused_publish_carries_its_reason_code(connect: Connect) -> None:
    def react(packet: mqtt5.Packet) -> bytes:
        if isinstance(packet, mqtt5.PublishPacket):
            assert packet.packet_id is not None
            code = mqtt5.PubAckReasonCode.NOT_AUTHORIZED
            return mqtt5.PubAckPacket(packet.packet_id, reason_code=code).write()
        return polite(packet)

    async def work() -> None:
        async with wicked(react) as peer:
            link = await connect(settings(peer.port))
            link.publish([Outgoing("a", b"")])
            (ack,) = await link.acks()
            assert ack.reason_code == 0x87

    go(work())


ANSWERS: list[tuple[bytes, int | None]] = [  # remaining length and what follows the packet id
    (b"\x02", 0x00),
    (b"\x03\x00", 0x00),
    (b"\x03\x10", 0x10),
    (b"\x04\x10\x00", 0x10),
    (b"\x03\x87", 0x87),
    (b"\x04\x87\x00", 0x87),
    (b"\x0a\x10\x06\x1f\x00\x03why", 0x10),
    (b"\x03\x55", None),  # no reason code of MQTT 5
    (b"\x01", None),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=[tail.hex() for tail, _ in ANSWERS])
@pytest.mark.parametrize("at_once", [True, False])
def test_every_form_of_an_answer(answer: tuple[bytes, int | None], at_once: bool) -> None:
    """In one read with others or byte by byte, and one that answers nothing of ours before it."""
    tail, code = answer
    usual = b"\x40\x02"
    session = Session(settings(1))
    ids = [0x0102, 0x0203, 0x0304]
    session._in_flight.update(ids)
    stream = usual + b"\x7f\x7f"
    for packet_id in ids:
        form = tail if packet_id == ids[1] else usual[1:]
        stream += usual[:1] + form[:1] + packet_id.to_bytes(2, "big") + form[1:]

    async def work() -> None:
        pieces = [stream] if at_once else [bytes([byte]) for byte in stream]
        for piece in pieces:
            session.data_received(piece)

    go(work())
    if code is None:
        assert [ack.packet_id for ack in session._acks[:1]] == ids[:1]
        assert session._lost is not None
        assert "not MQTT 5" in session._lost
        return
    answers = [(ack.packet_id, ack.reason_code) for ack in session._acks]
    assert answers == [(ids[0], 0), (ids[1], code), (ids[2], 0)]
    assert not session._in_flight
    assert session._lost is None


@every
def test_the_window_is_the_smaller_of_ours_and_the_broker_s(connect: Connect) -> None:
    def react(packet: mqtt5.Packet) -> bytes:
        if isinstance(packet, mqtt5.ConnectPacket):
            return mqtt5.ConnAckPacket(receive_max=7).write()
        return b""

    async def work() -> None:
        async with wicked(react) as peer:
            link = await connect(settings(peer.port, window_max=100))
            assert link.window == 7
            link.publish([Outgoing("a", b"")] * 5)
            assert link.window == 2

    go(work())


@every
def test_packets_cut_at_every_byte(connect: Connect) -> None:
    publish = mqtt5.PublishPacket("a/b", b"hello", qos=QOS1, packet_id=3).write()

    async def work() -> None:
        async with wicked(polite) as peer:
            link = await connect(settings(peer.port))
            assert peer.writer is not None
            for byte in publish:
                peer.writer.write(bytes([byte]))
                await peer.writer.drain()
                await asyncio.sleep(0.002)
            (message,) = await receive(link, 1)
            assert (message.topic, message.payload, message.packet_id) == ("a/b", b"hello", 3)

    go(work())


@pytest.mark.parametrize(
    "junk", [b"\x00\x00", b"\xff\x01\x01", b"HTTP/1.1 400 Bad Request\r\n" * 9]
)
@every
def test_what_is_not_mqtt_ends_the_link(junk: bytes, connect: Connect) -> None:
    async def work() -> None:
        async with wicked(polite) as peer:
            link = await connect(settings(peer.port))
            assert peer.writer is not None
            peer.writer.write(junk)
            with pytest.raises(LinkLost, match=words(connect, "not MQTT 5")):
                await link.receive()

    go(work())


@ours  # paho has no limit of what it takes
def test_a_packet_beyond_the_limit_ends_the_link(connect: Connect) -> None:
    async def work() -> None:
        async with wicked(polite) as peer:
            link = await connect(settings(peer.port, packet_bytes_max=1000))
            assert peer.writer is not None
            packet = mqtt5.PublishPacket("a", b"x" * 5000, qos=QOS1, packet_id=1).write()
            peer.writer.write(packet[:4000])
            with pytest.raises(LinkLost, match="more than 1000 bytes"):
                await link.receive()

    go(work())


@every
def test_a_broker_that_sends_too_much_is_borne_and_bounded(connect: Connect) -> None:
    """Mosquitto 2.0.11 oversends: no hanging up, but no endless reading either."""
    receive_max = 10
    packets = [
        mqtt5.PublishPacket("a", b"x" * 1000, qos=QOS1, packet_id=1 + n).write()
        for n in range(5000)
    ]

    async def work() -> None:
        async with wicked(polite) as peer:
            link = await connect(settings(peer.port, receive_max=receive_max))
            assert peer.writer is not None
            peer.writer.write(b"".join(packets))
            messages = await receive(link, receive_max * OVERSENT_FACTOR_MAX + 1)
            await asyncio.sleep(0.3)
            messages += link.receive_now()
            assert len(messages) < 5000
            while len(messages) < 5000:
                link.acknowledge(messages)
                messages += await receive(link, 1)

    go(asyncio.wait_for(work(), 20))


@every
def test_large_messages_are_bounded_by_their_bytes(
    monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    """Fewer than the receive maximum, of any QoS, and yet too much to hold."""
    monkeypatch.setattr(inflow, "HELD_BYTES_MAX", 1_000_000)
    count = 200
    packets = [
        mqtt5.PublishPacket("a", b"x" * 100_000, qos=QOS1, packet_id=1 + n).write()
        if n % 2
        else mqtt5.PublishPacket("a", b"x" * 100_000, qos=mqtt5.QoS.AT_MOST_ONCE).write()
        for n in range(count)
    ]

    async def work() -> None:
        async with wicked(polite) as peer:
            link = await connect(settings(peer.port, receive_max=1000))
            assert peer.writer is not None
            peer.writer.write(b"".join(packets))
            await asyncio.sleep(0.5)
            messages = await receive(link, 1)
            assert 10 <= len(messages) < 30
            got = len(messages)
            while got < count:
                link.acknowledge(messages)
                messages = await receive(link, 1)
                got += len(messages)

    go(asyncio.wait_for(work(), 20))


@every
def test_silence_is_noticed_by_keep_alive(connect: Connect) -> None:
    def deaf(packet: mqtt5.Packet) -> bytes:
        return b"" if isinstance(packet, mqtt5.PingReqPacket) else polite(packet)

    async def work() -> None:
        async with wicked(deaf) as peer:
            link = await connect(settings(peer.port, keep_alive_s=1))
            with pytest.raises(LinkLost, match=words(connect, "nothing heard")):
                await link.receive()
            assert any(isinstance(packet, mqtt5.PingReqPacket) for packet in peer.packets)

    go(work())


@every
def test_a_ping_keeps_a_quiet_link(connect: Connect) -> None:
    async def work() -> None:
        async with wicked(polite) as peer:
            link = await connect(settings(peer.port, keep_alive_s=1))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(link.receive(), 2.5)
            assert link.window > 0

    go(work())


@every
def test_a_subscription_that_is_not_answered(connect: Connect) -> None:
    def react(packet: mqtt5.Packet) -> bytes:
        return b"" if isinstance(packet, mqtt5.SubscribePacket) else polite(packet)

    async def work() -> None:
        async with wicked(react) as peer:
            link = await connect(settings(peer.port, connect_timeout_s=1.5))
            with pytest.raises(LinkLost, match="does not answer our subscription"):
                await link.subscribe(["a/#"])

    go(work())


@every
def test_a_subscription_that_is_answered_after_the_backlog(connect: Connect) -> None:
    """As rumqttd does: the answer waits behind messages that we have not acknowledged."""
    asked: list[int] = []
    backlog = [mqtt5.PublishPacket("a", b"x", qos=QOS1, packet_id=1 + n).write() for n in range(8)]

    def react(packet: mqtt5.Packet) -> bytes:
        if isinstance(packet, mqtt5.SubscribePacket):
            asked.append(packet.packet_id)
            return backlog.pop()
        if isinstance(packet, mqtt5.PubAckPacket):
            if backlog:
                return backlog.pop()
            codes = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]
            return mqtt5.SubAckPacket(asked[0], codes).write()
        return polite(packet)

    async def work() -> None:
        async with wicked(react) as peer:
            link = await connect(settings(peer.port, connect_timeout_s=0.5))
            subscribed = asyncio.create_task(link.subscribe(["a"]))
            for _ in range(8):
                await asyncio.sleep(0.1)
                link.acknowledge(await link.receive())
            await subscribed

    go(work())
