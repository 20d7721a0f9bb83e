# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A command into ChirpStack's queue: by its gRPC API, else by its MQTT command topic."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Collection
from typing import Protocol

import msgspec

from revier_gateway.chirpstack_errors import ChirpStackError
from revier_gateway.commands.fate import Command
from revier_gateway.commands.making import item_id_of
from revier_gateway.mqtt.link import Link, LinkLost, Outgoing
from revier_gateway.values import instant_of_ms

PUBACK_S = 10.0
REFUSED = 0x80


class NotSent(Exception):  # noqa: N818 - it will be
    """Nothing is known to be wrong with the command: try again."""


class SendRefused(Exception):  # noqa: N818
    """ChirpStack, or its broker, does not take it. The text says why."""


class Sending(Protocol):
    async def send(self, command: Command, application_id: str) -> str:
        """The item's id. Raises NotSent or SendRefused."""
        ...

    async def waiting(self, dev_eui: str) -> Collection[str] | None:
        """Ids of the items in ChirpStack's queue; None: it does not tell. Raises NotSent."""
        ...


class Queue(Protocol):
    """Of chirpstack.ChirpStack."""

    async def enqueue(
        self, dev_eui: str, f_port: int, data: bytes, *, confirmed: bool, expires_ms: int
    ) -> str: ...
    async def items(self, dev_eui: str) -> dict[str, tuple[int, bytes]]: ...


class ByApi:
    """known: is this item another command's?"""

    def __init__(self, queue: Queue, known: Callable[[str, str], bool]) -> None:
        self._queue = queue
        self._known = known

    async def send(self, command: Command, application_id: str) -> str:
        """ChirpStack names the item, so one that a killed gateway had given it is looked for."""
        del application_id
        dev_eui = command.dev_eui
        try:
            for item_id, item in (await self._queue.items(dev_eui)).items():
                same = item == (command.f_port, command.data)
                if same and not self._known(dev_eui, item_id):
                    return item_id
            return await self._queue.enqueue(
                dev_eui,
                command.f_port,
                command.data,
                confirmed=command.confirmed,
                expires_ms=command.expires_ms,
            )
        except ChirpStackError as error:
            if error.is_refusal:
                raise SendRefused(str(error)) from None
            raise NotSent(str(error)) from None

    async def waiting(self, dev_eui: str) -> Collection[str] | None:
        try:
            return (await self._queue.items(dev_eui)).keys()
        except ChirpStackError as error:
            raise NotSent(str(error)) from None


class ByMqtt:
    """What ChirpStack does not take over MQTT it only writes to its own log."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.link: Link | None = None  # to the source's broker, while it is up

    async def send(self, command: Command, application_id: str) -> str:
        link = self.link
        if link is None or link.window == 0:
            raise NotSent("the source's broker is out of reach")
        if not application_id:
            raise NotSent("the device has not been heard: its application is not known")
        item_id = item_id_of(command)
        topic = self._topic.format(application_id=application_id, dev_eui=command.dev_eui)
        try:
            link.publish([Outgoing(topic, _body(command, item_id))])
            async with asyncio.timeout(PUBACK_S):
                acks = await link.acks()
        except (LinkLost, TimeoutError) as error:
            raise NotSent(str(error) or "no answer") from None
        code = max(ack.reason_code for ack in acks)
        if code >= REFUSED:
            raise SendRefused(f"the broker refused it (0x{code:02x}): look at its access list")
        return item_id

    async def waiting(self, dev_eui: str) -> Collection[str] | None:
        del dev_eui
        return None


def _body(command: Command, item_id: str) -> bytes:
    return msgspec.json.encode(
        {
            "id": item_id,
            "devEui": command.dev_eui,
            "confirmed": command.confirmed,
            "fPort": command.f_port,
            "data": base64.b64encode(command.data).decode(),
            "expiresAt": instant_of_ms(command.expires_ms),
        }
    )
