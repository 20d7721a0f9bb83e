# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's leg: batch in, pipeline, one transaction, then the acknowledgements."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence

import structlog

from revier_gateway import event_topic
from revier_gateway.config import Config, ConfigError, password_of
from revier_gateway.mqtt.keep import Ready, together
from revier_gateway.mqtt.link import Link, LinkRefused, LinkSettings, Message
from revier_gateway.outcomes import DETAIL_CHARS_MAX, Outcome
from revier_gateway.pipeline import Pipeline, now_utc
from revier_gateway.store import Store, StoreError
from revier_gateway.values import instant
from revier_gateway.work import QuarantineRow, Work

STORE_RETRY_S = 2.0
# One flush of the disk for each batch: where a read from the socket brings this many messages there
# is a backlog, and waiting for the next reads costs nobody anything.
BACKLOG_MESSAGES = 50
BATCH_MESSAGES = 1000
PAUSE_S = 0.001

log = structlog.get_logger("revier.gateway.source")

Handle = Callable[[Sequence[Message], Work], list[Outcome]]
Committed = Callable[[Work, Sequence[Outcome]], None]
Trouble = Callable[[str], None]


def link_settings(config: Config) -> LinkSettings:
    """Raises LinkRefused where a password or a certificate is not there."""
    source = config.source
    try:
        password, tls = password_of(source), source.tls.context() if source.tls else None
    except ConfigError as error:
        raise LinkRefused(str(error)) from None
    return LinkSettings(
        host=source.host,
        port=source.port,
        client_id=source.client_id or f"revier-gateway-{config.gateway.id}-source",
        username=source.username,
        password=password,
        tls=tls,
        clean_start=False,
        session_expiry_s=source.session_expiry_s,
        keep_alive_s=source.keep_alive_s,
        receive_max=source.receive_max,
    )


class Intake:
    """Takes what a link brings and acknowledges what the store has on the disk."""

    def __init__(
        self,
        topic: str,
        qos: int,
        handle: Handle,
        store: Store,
        committed: Committed,
        trouble: Trouble = lambda _: None,
    ) -> None:
        """trouble is told why the store does not take a batch, and "" when it does again."""
        self._topic = topic
        self._qos = qos
        self._handle = handle
        self._store = store
        self._committed = committed
        self._trouble = trouble
        self._told_qos0 = False

    @classmethod
    def of(
        cls,
        config: Config,
        pipeline: Pipeline,
        store: Store,
        committed: Committed,
        trouble: Trouble,
    ) -> Intake:
        topic = event_topic.parse(config.source.topic).filter
        return cls(topic, config.source.qos, pipeline.handle_batch, store, committed, trouble)

    async def use(self, link: Link, ready: Ready = lambda: None) -> None:
        """For mqtt.keep: subscribe, verify, and take batch after batch until the link is lost.

        Side by side, because a broker that kept our session sends the backlog first, and rumqttd
        holds the answer to our subscription back until we acknowledge enough of it.
        """
        await together(source_subscribe=self._subscribe(link, ready), source_take=self._take(link))

    async def take(self, batch: Sequence[Message]) -> None:
        """Messages that came another way than the link's; returns when they are on the disk."""
        await self._make_durable(batch, by_link=False)

    async def _subscribe(self, link: Link, ready: Ready) -> None:
        (granted,) = await link.subscribe([self._topic], self._qos)
        if granted < self._qos:
            log.warning("the broker grants QoS 0 only: what comes while we are away is lost")
        log.info("subscribed", topic=self._topic, session_present=link.session_present)
        ready()

    async def _take(self, link: Link) -> None:
        while True:
            for some in _parts(await _gather(link)):
                await self._make_durable(some, by_link=True)
                link.acknowledge(some)
                await asyncio.sleep(0)  # a backlog must not starve the feed and the page

    async def _make_durable(self, batch: Sequence[Message], by_link: bool) -> None:
        """Returns when the batch is on the disk. While the disk does not take it nothing is
        acknowledged, and the broker keeps the rest."""
        complained = False
        while True:
            try:
                self._store.check_room()
                work, outcomes = self._commit(batch, by_link)
            except (StoreError, sqlite3.OperationalError) as error:
                if not complained:
                    log.error("the store does not take it: nothing is acknowledged", why=str(error))
                    self._trouble(str(error))
                complained = True
                await asyncio.sleep(STORE_RETRY_S)
                continue
            except Exception as error:
                log.exception("a defect: each message of the batch for itself", messages=len(batch))
                await self._one_by_one(batch, by_link, error)
                return
            if complained:
                log.info("the store takes it again")
                self._trouble("")
            self._committed(work, outcomes)
            return

    async def _one_by_one(self, batch: Sequence[Message], by_link: bool, error: Exception) -> None:
        """The message that our defect chokes on goes to quarantine; the others go on."""
        if len(batch) > 1:
            for message in batch:
                await self._make_durable([message], by_link)
            return
        (raw,) = batch
        work = Work(self._store)
        now, detail = instant(now_utc()), repr(error)[:DETAIL_CHARS_MAX]
        row = QuarantineRow(now, "source", "internal_error", detail, raw.topic, raw.payload)
        work.quarantine.append(row)
        work.counters["quarantined.internal_error"] += 1
        self._store.commit(work)
        self._committed(work, [])

    def _commit(self, batch: Sequence[Message], by_link: bool) -> tuple[Work, list[Outcome]]:
        work = Work(self._store)
        with self._store.reading():
            outcomes = self._handle(batch, work)
        if by_link and (qos0 := sum(message.packet_id is None for message in batch)):
            work.counters["source.qos0"] += qos0
            self._tell_qos0()
        self._store.commit(work)
        return work, outcomes

    def _tell_qos0(self) -> None:
        if self._qos and not self._told_qos0:
            self._told_qos0 = True
            cure = "Set qos = 1 in [integration.mqtt] of chirpstack.toml"
            log.warning("ChirpStack publishes with QoS 0: outages lose events", cure=cure)


def _parts(batch: list[Message]) -> Iterator[list[Message]]:
    """Equal ones of about BATCH_MESSAGES: brokers send more than we asked for, memory is bounded
    here, and a small rest would cost a flush of its own."""
    count = max(1, round(len(batch) / BATCH_MESSAGES))
    size = -(-len(batch) // count)
    for start in range(0, len(batch), size):
        yield batch[start : start + size]


async def _gather(link: Link) -> list[Message]:
    """Wait for the broker only when the socket has nothing more, and only while it goes on."""
    batch = await link.receive()
    before = 0
    while BACKLOG_MESSAGES <= len(batch) < BATCH_MESSAGES and len(batch) > before:
        before = len(batch)
        for pause_s in (0.0, 0.0, PAUSE_S):  # the loop reads after it was asked, not before
            await asyncio.sleep(pause_s)
            batch += link.receive_now()
            if len(batch) > before:
                break
    return batch
