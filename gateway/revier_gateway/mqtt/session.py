# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One MQTT 5 connection on the mqtt5 codec: batches in, one write out, acknowledged by hand.

M5 = OASIS MQTT 5.0. A read from the socket is decoded whole and handed on as one batch; nothing is
acknowledged before the caller says so; what the caller sends in one call leaves in one write.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import mqtt5

from revier_gateway.mqtt import wire
from revier_gateway.mqtt.inflow import Inflow
from revier_gateway.mqtt.link import (
    Ack,
    LinkLost,
    LinkRefused,
    LinkSettings,
    Message,
    Publication,
)

PACKET_IDS = 65535
REFUSED = 0x80
PUBACK = 0x40
PUBACK_TAKEN = (0x00, 0x10)  # success, no matching subscribers (M5 3.4.2.1)

# By reason code of CONNACK (M5 3.2.2.2) and SUBACK (M5 3.9.3).
CONNECT_CURES = {
    0x85: "Correct client_id",
    0x86: "Correct username and password_env, or the broker's password file",
    0x87: "Correct username and password_env, or the broker's access list",
    0x97: "Raise the broker's limit of connections",
}
SUBSCRIBE_CURES = {
    0x87: "Let this user read it in the broker's access list",
    0x8F: "Correct the topic",
    0x97: "Raise the broker's limit of subscriptions",
    0x9E: "This broker shares no subscriptions: take $share out of the topic",
    0xA2: "This broker takes no wildcards: use another",
}


def refusal(topic_filter: str, code: int) -> str:
    """What is wrong with a subscription that the broker refuses, and the cure."""
    try:
        name = mqtt5.SubAckReasonCode(code).name.lower()
    except ValueError:
        name = "refused"
    cure = SUBSCRIBE_CURES.get(code, "Look at the broker's log")
    return f"subscription to {topic_filter}: {name} (0x{code:02x}). {cure}."


async def connect(settings: LinkSettings) -> Session:
    """Open a connection. Raises LinkLost where nobody answers, LinkRefused where the broker does
    not want us."""
    loop = asyncio.get_running_loop()
    session = Session(settings)
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            await loop.create_connection(
                lambda: session, settings.host, settings.port, ssl=settings.tls
            )
            await session.greeted()
    except TimeoutError:
        session.drop("no answer")
        raise LinkLost(f"no answer within {settings.connect_timeout_s:g} s") from None
    except ssl.SSLError as error:
        session.drop("no TLS")
        raise LinkRefused(_tls_refusal(error)) from None
    except OSError as error:
        raise LinkLost(str(error)) from None
    except LinkLost:
        session.drop("not greeted")
        raise
    return session


class Session(asyncio.Protocol):
    """Implements mqtt.link.Link."""

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._lost: str | None = None
        self._refused = False  # lost by a refusal
        self._connack: mqtt5.ConnAckPacket | None = None
        self._suback: mqtt5.SubAckPacket | None = None
        self._inbox: list[Message] = []
        self._acks: list[Ack] = []
        self._news = _Bell()  # connack, suback
        self._mail = _Bell()  # inbox
        self._receipts = _Bell()  # acks
        self._inflow = Inflow(settings.receive_max)
        self._in_flight: set[int] = set()
        self._next_id = 1
        self._window_max = settings.window_max
        self._heard_s = 0.0
        self._spoke_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._keep_alive_s = settings.keep_alive_s

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._inflow.begin(transport)
        self._write(_connect_packet(self._settings).write())

    def data_received(self, data: bytes) -> None:
        before_s, self._heard_s = self._heard_s, self._now_s()
        self._inflow.read(self._heard_s - before_s, len(data))
        buffer = self._rest + data if self._rest else data
        view = memoryview(buffer)
        position = 0
        inbox: list[Message] = []
        try:
            while position < len(buffer):
                if buffer[position] == PUBACK:
                    end = self._take_pubacks(buffer, position)
                    if end > position:
                        position = end
                        continue
                packet, length = mqtt5.read(view[position:])
                position += length
                if isinstance(packet, mqtt5.PublishPacket):
                    inbox.append(
                        Message(packet.topic, packet.payload, packet.packet_id, packet.retain)
                    )
                else:
                    self._take(packet)
        except IndexError:  # the rest of the packet is still on its way
            if len(buffer) - position > self._settings.packet_bytes_max:
                self.drop(f"a packet of more than {self._settings.packet_bytes_max} bytes")
        except ValueError as error:
            self.drop(f"the broker sent what is not MQTT 5: {error}")
        self._rest = bytes(view[position:])
        self._ring(inbox)

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(
            exc, ssl.SSLError
        ):  # with TLS 1.3 only now: the broker rejects our certificate
            self._refused = True
            self._lose(_tls_refusal(exc))
        self._lose(str(exc) if exc else "the broker closed the connection")

    # -- mqtt.link.Link

    @property
    def session_present(self) -> bool:
        return self._connack is not None and self._connack.session_present

    @property
    def message_bytes_max(self) -> int | None:
        return self._connack.max_packet_size if self._connack else None

    @property
    def window(self) -> int:
        return max(0, self._window_max - len(self._in_flight))

    async def greeted(self) -> None:
        """Wait for CONNACK."""
        while self._connack is None:
            await self._wait(self._news)
        if int(self._connack.reason_code) >= REFUSED:
            reason = self._connack.reason_str or self._connack.reason_code.name.lower()
            cure = CONNECT_CURES.get(int(self._connack.reason_code), "Look at the broker's log")
            raise LinkRefused(f"refused: {reason}. {cure}.")
        self._window_max = min(self._settings.window_max, self._connack.receive_max)
        if self._connack.server_keep_alive is not None:
            self._keep_alive_s = self._connack.server_keep_alive
        self._tick()

    async def subscribe(self, topic_filters: Sequence[str], qos: int = 1) -> list[int]:
        filters = [mqtt5.TopicFilter(pattern, max_qos=mqtt5.QoS(qos)) for pattern in topic_filters]
        self._suback = None
        (packet_id,) = self._packet_ids(1)
        self._write(mqtt5.SubscribePacket(packet_id, filters).write())
        while self._suback is None or self._suback.packet_id != packet_id:
            try:
                async with asyncio.timeout(self._settings.connect_timeout_s):
                    await self._wait(self._news)
            except TimeoutError:  # fine while a backlog comes first
                if self._now_s() - self._heard_s >= self._settings.connect_timeout_s:
                    raise LinkLost("the broker does not answer our subscription") from None
        codes = [int(code) for code in self._suback.reason_codes]
        for pattern, code in zip(topic_filters, codes, strict=True):
            if code >= REFUSED:
                raise LinkRefused(refusal(pattern, code))
        return codes

    async def receive(self) -> list[Message]:
        while not self._inbox:
            await self._wait(self._mail)
        return self.receive_now()

    def receive_now(self) -> list[Message]:
        batch, self._inbox = self._inbox, []
        return batch

    def acknowledge(self, messages: Sequence[Message]) -> None:
        if self._lost is not None:
            return
        ids = [message.packet_id for message in messages if message.packet_id is not None]
        if ids:
            self._write(wire.pubacks(ids))
        self._inflow.let_go(messages)

    def publish(self, messages: Sequence[Publication]) -> list[int]:
        assert len(messages) <= self.window
        if self._lost is not None:
            raise LinkLost(self._lost)
        ids = self._packet_ids(len(messages))
        packets = [
            wire.publish(one.topic.encode(), one.payload, packet_id, one.retain)
            for one, packet_id in zip(messages, ids, strict=True)
        ]
        self._in_flight.update(ids)
        self._write(b"".join(packets))
        return ids

    async def acks(self) -> list[Ack]:
        while not self._acks:
            await self._wait(self._receipts)
        answers, self._acks = self._acks, []
        return answers

    async def close(self) -> None:
        if self._lost is None and self._transport is not None:
            self._write(mqtt5.DisconnectPacket().write())
        self.drop("closed by us")

    # -- inside

    def drop(self, reason: str) -> None:
        self._lose(reason)
        if self._transport is not None:
            self._transport.close()

    def _take_pubacks(self, buffer: bytes, position: int) -> int:
        """A run of the usual answers to our publishes, at a third of the codec's time; returns the
        position of the first packet that is for the codec."""
        in_flight, acks = self._in_flight, self._acks
        last = len(buffer) - 6
        while position <= last and buffer[position] == PUBACK:
            length = buffer[position + 1]
            packet_id = buffer[position + 2] << 8 | buffer[position + 3]
            code = 0 if length == 2 else buffer[position + 4]
            no_properties = length <= 3 or (length == 4 and buffer[position + 5] == 0)
            usual = length >= 2 and no_properties and code in PUBACK_TAKEN
            if not usual or packet_id not in in_flight:
                break
            in_flight.discard(packet_id)
            acks.append(Ack(packet_id, code))
            position += 2 + length
        return position

    def _take(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.PubAckPacket):
            if packet.packet_id in self._in_flight:
                self._in_flight.discard(packet.packet_id)
                self._acks.append(Ack(packet.packet_id, int(packet.reason_code)))
        elif isinstance(packet, mqtt5.ConnAckPacket):
            self._connack = packet
            self._news.ring()
        elif isinstance(packet, mqtt5.SubAckPacket):
            self._suback = packet
            self._news.ring()
        elif isinstance(packet, mqtt5.DisconnectPacket):
            reason = packet.reason_str or packet.reason_code.name.lower()
            self.drop(f"the broker said goodbye: {reason}")

    def _ring(self, arrived: list[Message]) -> None:
        """Once for each read, not for each packet."""
        if arrived:
            self._inbox += arrived
            self._inflow.hold(arrived)
            self._mail.ring()
        if self._acks:
            self._receipts.ring()

    async def _wait(self, bell: _Bell) -> None:
        if self._lost is not None:
            raise LinkRefused(self._lost) if self._refused else LinkLost(self._lost)
        await bell.wait()

    def _lose(self, reason: str) -> None:
        if self._lost is None:
            self._lost = reason
        self._inflow.end()
        if self._timer is not None:
            self._timer.cancel()
        for bell in (self._news, self._mail, self._receipts):
            bell.ring()

    def _packet_ids(self, count: int) -> list[int]:
        """Free ones, in order; who was given one lately comes next only after a round."""
        ids: list[int] = []
        packet_id, in_flight = self._next_id, self._in_flight
        while len(ids) < count:
            if packet_id not in in_flight:
                ids.append(packet_id)
            packet_id = packet_id % PACKET_IDS + 1
        self._next_id = packet_id
        return ids

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._spoke_s = self._now_s()

    def _tick(self) -> None:
        """Keep-alive: speak within the interval, and expect to hear within one and a half."""
        if self._lost is not None or self._keep_alive_s == 0:
            return
        now_s = self._now_s()
        if now_s - self._heard_s > 1.5 * self._keep_alive_s:
            self.drop(f"nothing heard for {now_s - self._heard_s:.0f} s")
            return
        if now_s - min(self._spoke_s, self._heard_s) >= self._keep_alive_s / 2:
            self._write(mqtt5.PingReqPacket().write())
        self._timer = asyncio.get_running_loop().call_later(self._keep_alive_s / 4, self._tick)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _tls_refusal(error: ssl.SSLError) -> str:
    ours = isinstance(error, ssl.SSLCertVerificationError)
    cure = "Look at tls ca_file" if ours else "Look at tls cert_file: does the broker know it still"
    return f"TLS: {error}. {cure}."


class _Bell:
    """Wakes the one task that waits; rung while nobody waits, it is remembered."""

    __slots__ = ("_rung", "_waiter")

    def __init__(self) -> None:
        self._rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        self._rung = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        if not self._rung:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._rung = False


def _connect_packet(settings: LinkSettings) -> mqtt5.ConnectPacket:
    will = None
    if settings.will is not None:
        will = mqtt5.Will(
            settings.will.topic,
            payload=settings.will.payload,
            qos=mqtt5.QoS.AT_LEAST_ONCE,
            retain=settings.will.retain,
        )
    return mqtt5.ConnectPacket(
        settings.client_id,
        username=settings.username,
        password=settings.password,
        clean_start=settings.clean_start,
        will=will,
        keep_alive=settings.keep_alive_s,
        session_expiry_interval=settings.session_expiry_s,
        receive_max=settings.receive_max,
        max_packet_size=settings.packet_bytes_max,
    )
