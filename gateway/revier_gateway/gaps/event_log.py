# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What ChirpStack's event log of a device has and we have not: it takes the pipeline's one way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from revier_gateway import events, uplink
from revier_gateway.events import Event, JoinEvent, UplinkEvent
from revier_gateway.gaps import frames
from revier_gateway.gaps.ledger import Ledger
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import Ignored, Refused
from revier_gateway.values import unix_ms

BATCH_MESSAGES = 200

Take = Callable[[Sequence[Message]], Awaitable[None]]
Wanted = Callable[[Event], bool]


class LogItem(msgspec.Struct, frozen=True):
    at_ms: int
    event: str  # up, join, txack, ...
    body: bytes  # the event's JSON


class Log(Protocol):
    def event_log(self, dev_eui: str, until_ms: int) -> AsyncIterator[LogItem]: ...
    async def last_seen(self, application_id: str) -> dict[str, int]: ...


class Recovery:
    """wanted: whoever else misses events says so."""

    def __init__(
        self,
        log: Log,
        ledger: Ledger,
        take: Take,
        source_topic: str,
        wanted: Sequence[Wanted] = (),
    ) -> None:
        self._log = log
        self._source_topic = source_topic
        self._ledger = ledger
        self._take = take
        self._wanted = wanted

    async def read(self, dev_eui: str, until_ms: int) -> int | None:
        """Take what is new; returns since when the log keeps everything, None: it is empty.

        Raises ChirpStackError.
        """
        from_ms: int | None = None
        batch: list[Message] = []
        async for item in self._log.event_log(dev_eui, until_ms):
            from_ms = item.at_ms if from_ms is None else min(from_ms, item.at_ms)
            message = self._message(dev_eui, item)
            if message is not None:
                batch.append(message)
            if len(batch) >= BATCH_MESSAGES:
                await self._take(batch)
                batch = []
        if batch:
            await self._take(batch)
        return from_ms

    def _message(self, dev_eui: str, item: LogItem) -> Message | None:
        try:
            event = events.parse(item.event, item.body)
            is_new = self._is_new(dev_eui, event)
        except Ignored:
            return None
        except Refused:
            is_new = True  # the pipeline says why it is refused
        if not is_new:
            return None
        application_id = self._ledger.state(dev_eui).application_id or "unknown"
        topic = topic_of(self._source_topic, application_id, dev_eui, item.event)
        return Message(topic, item.body)

    def _is_new(self, dev_eui: str, event: Event) -> bool:
        state = self._ledger.state(dev_eui)
        if isinstance(event, UplinkEvent):
            up = uplink.uplink_of(event, unix_ms(datetime.now(UTC)))
            heard = frames.hear(state, up.dev_addr, up.f_cnt, up.counted_ms, 0)
            return heard.verdict != "copy"
        if isinstance(event, JoinEvent):
            return all(session.dev_addr != event.dev_addr for session in state.sessions)
        return any(wanted(event) for wanted in self._wanted)


def topic_of(template: str, application_id: str, dev_eui: str, event: str) -> str:
    """Where ChirpStack would have published it; template: [source] topic, or one of its filters."""
    if "{{" not in template:
        template = "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}"
    names = {"application_id": application_id, "dev_eui": dev_eui, "event": event}
    topic = re.sub(r"^\$share/[^/]+/", "", template)
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: names.get(match[1], ""), topic)
