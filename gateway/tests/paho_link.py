# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""paho with manual acknowledgement behind mqtt.link: that the interface fits more than our session.

Not for production: a thread, and a thirteenth of the throughput.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from revier_gateway.mqtt import inflow, session
from revier_gateway.mqtt.link import Ack, LinkLost, LinkRefused, LinkSettings, Message, Outgoing

REFUSED = 0x80


async def connect(settings: LinkSettings) -> PahoLink:
    """Raises LinkLost, LinkRefused."""
    link = PahoLink(settings)
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            await link.open()
    except TimeoutError:
        await link.close()
        raise LinkLost(f"no answer within {settings.connect_timeout_s:g} s") from None
    except OSError as error:
        raise LinkLost(str(error)) from None
    except LinkLost:
        await link.close()
        raise
    return link


class PahoLink:
    """Implements mqtt.link.Link. Callbacks come in paho's thread and go over to the loop."""

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Condition()
        self._lost: LinkLost | None = None
        self._connack: tuple[Any, Any, Any] | None = None
        self._subacks: dict[int, list[int]] = {}
        self._inbox: list[Message] = []
        self._acks: list[Ack] = []
        self._in_flight: set[int] = set()
        self._room = threading.Condition()
        self._held, self._held_bytes = 0, 0
        self._client = self._made()

    def _made(self) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            settings.client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        if settings.username is not None:
            password = settings.password.decode() if settings.password else None
            client.username_pw_set(settings.username, password)
        if settings.tls is not None:
            client.tls_set_context(settings.tls)
        if settings.will is not None:
            will = settings.will
            client.will_set(will.topic, will.payload, 1, will.retain)
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(settings.window_max)
        client.on_connect = self._on_connect
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self._tell(self._lose, str(reason))
        client.on_subscribe = lambda _c, _u, mid, codes, _p: self._tell(
            self._subacks.__setitem__, mid, [code.value for code in codes]
        )
        client.on_publish = lambda _c, _u, mid, code, _p: self._tell(self._answer, mid, code.value)
        client.on_message = self._on_message
        return client

    # -- in paho's thread

    def _tell(self, what: Callable[..., None], *arguments: Any) -> None:
        async def tell() -> None:
            async with self._news:
                what(*arguments)
                self._news.notify_all()

        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(tell(), self._loop)

    def _on_connect(self, _c: Any, _u: Any, flags: Any, code: Any, properties: Any) -> None:
        self._tell(setattr, self, "_connack", (flags, code, properties))

    def _on_message(self, _c: Any, _u: Any, raw: paho.MQTTMessage) -> None:
        """Does not return while too much is held: so nothing more is read."""
        packet_id = raw.mid if raw.qos else None
        message = Message(raw.topic, raw.payload, packet_id, raw.retain)
        many = self._settings.receive_max * inflow.OVERSENT_FACTOR_MAX
        with self._room:
            self._held += 1
            self._held_bytes += len(message.payload)
            self._tell(self._inbox.append, message)
            while self._held > many or self._held_bytes > inflow.HELD_BYTES_MAX:
                if not self._room.wait(0.2) and self._lost is not None:
                    return

    # -- in the loop

    def _lose(self, reason: str) -> None:
        self._lost = self._lost or LinkLost(reason)

    def _answer(self, packet_id: int, code: int) -> None:
        self._in_flight.discard(packet_id)
        self._acks.append(Ack(packet_id, code))

    async def _until(self, condition: Callable[[], object]) -> None:
        async with self._news:
            while not condition():
                if self._lost is not None:
                    raise self._lost
                await self._news.wait()

    async def open(self) -> None:
        settings = self._settings
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_expiry_s
        properties.ReceiveMaximum = settings.receive_max
        properties.MaximumPacketSize = settings.packet_bytes_max
        await asyncio.to_thread(
            self._client.connect,
            settings.host,
            settings.port,
            settings.keep_alive_s,
            clean_start=settings.clean_start,
            properties=properties,
        )
        self._client.loop_start()
        await self._until(lambda: self._connack)
        assert self._connack is not None
        _, code, properties = self._connack
        if code.value >= REFUSED:
            raise LinkRefused(f"refused: {code.getName().lower().replace(' ', '_')}")
        theirs = getattr(properties, "ReceiveMaximum", 65_535)
        self._window_max = min(settings.window_max, theirs)

    @property
    def session_present(self) -> bool:
        return self._connack is not None and bool(self._connack[0].session_present)

    @property
    def message_bytes_max(self) -> int | None:
        return getattr(self._connack[2], "MaximumPacketSize", None) if self._connack else None

    @property
    def window(self) -> int:
        return max(0, self._window_max - len(self._in_flight))

    async def subscribe(self, topic_filters: Sequence[str], qos: int = 1) -> list[int]:
        wanted = [(name, SubscribeOptions(qos=qos)) for name in topic_filters]
        _, mid = self._client.subscribe(wanted)  # type: ignore[arg-type]
        while True:
            heard = len(self._inbox) + self._held
            try:
                async with asyncio.timeout(self._settings.connect_timeout_s):
                    await self._until(lambda: mid in self._subacks)
                    break
            except TimeoutError:
                if heard == len(self._inbox) + self._held:
                    raise LinkLost("the broker does not answer our subscription") from None
        codes = self._subacks.pop(mid or 0)
        for name, code in zip(topic_filters, codes, strict=True):
            if code >= REFUSED:
                raise LinkRefused(session.refusal(name, code))
        return codes

    async def receive(self) -> list[Message]:
        await self._until(lambda: self._inbox)
        return self.receive_now()

    def receive_now(self) -> list[Message]:
        batch = list(self._inbox)
        self._inbox.clear()
        return batch

    def acknowledge(self, messages: Sequence[Message]) -> None:
        with self._room:
            self._held -= len(messages)
            self._held_bytes -= sum(len(message.payload) for message in messages)
            self._room.notify_all()
        for message in messages:
            if message.packet_id is not None and self._lost is None:
                self._client.ack(message.packet_id, 1)

    def publish(self, messages: Sequence[Outgoing]) -> list[int]:
        assert len(messages) <= self.window
        if self._lost is not None:
            raise self._lost
        ids = []
        for message in messages:
            info = self._client.publish(message.topic, message.payload, 1, message.retain)
            self._in_flight.add(info.mid)
            ids.append(info.mid)
        return ids

    async def acks(self) -> list[Ack]:
        await self._until(lambda: self._acks)
        answers, self._acks = self._acks, []
        return answers

    def cut(self) -> None:
        """As a SIGKILL would."""
        sock = self._client.socket()
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        self._client.disconnect()
        with self._room:
            self._lost = self._lost or LinkLost("closed by us")
            self._room.notify_all()
        await asyncio.to_thread(self._client.loop_stop)
