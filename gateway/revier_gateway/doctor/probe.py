# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Short MQTT sessions of the doctor's own, beside the running gateway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from revier_gateway.config import Feed, Source, password_of
from revier_gateway.mqtt.link import Link, LinkLost, LinkSettings, Message, Outgoing
from revier_gateway.mqtt.session import connect

REFUSED = 0x80


def settings(leg: Source | Feed, client_id: str, session_expiry_s: int = 0) -> LinkSettings:
    """With the leg's own login; a session that is kept where it expires later."""
    return LinkSettings(
        host=leg.host,
        port=leg.port,
        client_id=client_id,
        username=leg.username,
        password=password_of(leg),
        tls=leg.tls.context() if leg.tls else None,
        clean_start=session_expiry_s == 0,
        session_expiry_s=session_expiry_s,
        receive_max=65_535,
    )


@contextlib.asynccontextmanager
async def session(link_settings: LinkSettings) -> AsyncIterator[Link]:
    """Raises LinkLost."""
    link = await connect(link_settings)
    try:
        yield link
    finally:
        await link.close()


async def publish(link: Link, messages: Sequence[Outgoing]) -> list[int]:
    """Reason codes of all, in no order. Raises LinkLost."""
    codes: list[int] = []
    rest = list(messages)
    while len(codes) < len(messages):
        some, rest = rest[: link.window], rest[link.window :]
        if some:
            link.publish(some)
        codes += [ack.reason_code for ack in await link.acks()]
    return codes


async def takes(link_settings: LinkSettings, topic: str) -> bool:
    """Does the broker take one message there? MQTT 5 says so in its answer; Mosquitto 2.0.11 closes
    the connection after it, and others close it instead. Raises LinkLost where nobody comes in."""
    link = await connect(link_settings)
    try:
        (code,) = await publish(link, [Outgoing(topic, b"{}")])
    except LinkLost:
        return False
    finally:
        await link.close()
    return code < REFUSED


async def receive_for(link: Link, seconds: float, count: int | None = None) -> list[Message]:
    """What comes, acknowledged: until so many have come or nothing came for so long.

    Raises LinkLost.
    """
    got: list[Message] = []
    while count is None or len(got) < count:
        try:
            async with asyncio.timeout(seconds):
                batch = await link.receive()
        except TimeoutError:
            break
        link.acknowledge(batch)
        got += batch
    return got
