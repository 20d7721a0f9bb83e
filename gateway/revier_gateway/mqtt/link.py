# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The interface: one connection to a broker, as source and feed use it.

A Link is one connection's life: it is opened, used, and lost or closed; it never comes back.
mqtt/keep.py opens the next one. mqtt/session.py is the implementation; paho with manual
acknowledgement could be another.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec


class LinkLost(Exception):  # noqa: N818 - links end; that is no defect
    """The connection is gone: try again. The text says why."""


class LinkRefused(LinkLost):
    """The broker said no, with a reason: trying again helps only after a correction."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message from the broker. packet_id is None for QoS 0, which asks for no acknowledgement."""

    topic: str
    payload: bytes
    packet_id: int | None = None
    retain: bool = False


class Publication(Protocol):
    """What can be published, QoS 1: Outgoing, or whatever else has these."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def retain(self) -> bool | int: ...


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A message to the broker, QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Ack(msgspec.Struct, frozen=True, gc=False):
    """The broker's answer to a publish: done when below 0x80, refused otherwise."""

    packet_id: int
    reason_code: int


@dataclass(frozen=True, slots=True)
class LinkSettings:
    host: str
    port: int
    client_id: str
    username: str | None = None
    password: bytes | None = None
    tls: ssl.SSLContext | None = None
    clean_start: bool = False
    session_expiry_s: int = 0
    keep_alive_s: int = 30
    receive_max: int = 1000  # messages that may come without our acknowledgement
    packet_bytes_max: int = 1024 * 1024
    window_max: int = 500  # messages that may go without the broker's acknowledgement
    connect_timeout_s: float = 10.0  # without a word from the broker
    will: Outgoing | None = None


class Link(Protocol):
    @property
    def session_present(self) -> bool:
        """The broker kept our session: what was unacknowledged comes again."""
        ...

    @property
    def message_bytes_max(self) -> int | None:
        """The largest packet that the broker takes, None where it does not say."""
        ...

    @property
    def window(self) -> int:
        """How many messages may be published now."""
        ...

    async def subscribe(self, topic_filters: Sequence[str], qos: int = 1) -> list[int]:
        """The QoS that the broker grants for each filter; raises LinkRefused where it refuses one.

        The answer may come after a backlog: receive and acknowledge meanwhile.
        """
        ...

    async def receive(self) -> list[Message]:
        """The messages that have come, at least one. Raises LinkLost."""
        ...

    def receive_now(self) -> list[Message]:
        """The messages that have come, perhaps none."""
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """They are durable here: one write for all of them; those of QoS 0 are only let go of.
        Does nothing on a lost connection."""
        ...

    def publish(self, messages: Sequence[Publication]) -> list[int]:
        """Send up to `window` messages in one write; returns their packet ids. Raises LinkLost."""
        ...

    async def acks(self) -> list[Ack]:
        """The broker's answers that have come, at least one, in order. Raises LinkLost."""
        ...

    async def close(self) -> None:
        """Say goodbye: the broker does not send the will."""
        ...


Connect = Callable[[LinkSettings], Coroutine[Any, Any, Link]]
