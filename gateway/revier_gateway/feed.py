# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The data platform's leg: the outbox's rows in order, each done only when the broker says so.

Order of one asset is kept, because all rows leave in order over one connection and unanswered ones
are sent again in order. A row that cannot be sent goes to quarantine and never blocks another. A
retained state is left out when a newer one is waiting or was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import structlog

from revier_gateway import __version__
from revier_gateway.config import Config, password_of
from revier_gateway.feed_messages import GatewayStatus, status_topic
from revier_gateway.mqtt.keep import Ready, together
from revier_gateway.mqtt.link import Ack, Link, LinkLost, LinkSettings, Outgoing
from revier_gateway.pipeline import now_utc
from revier_gateway.store import Store, StoreError
from revier_gateway.store_rows import OutboxRow
from revier_gateway.values import instant
from revier_gateway.work import QuarantineRow, Work

REFUSED = 0x80
NO_SUBSCRIBER = 0x10
TOPIC_BYTES_MAX = 65_535
PACKET_OVERHEAD_BYTES = 64  # fixed header, packet id and properties of a PUBLISH of ours
SETTLE_EVERY_S = 0.5
# A broker that closes the connection on a message (packet too large, topic not allowed) would do so
# for ever. After this many losses without one answer, rows go one at a time until one is convicted.
LOSSES_BEFORE_SINGLE = 2
LOSSES_TO_CONVICT = 2
NOT_THE_MESSAGE = ("session_taken_over", "server_shutting_down", "nothing heard", "closed by us")

log = structlog.get_logger("revier.gateway.feed")


def link_settings(config: Config) -> LinkSettings:
    feed = config.feed
    return LinkSettings(
        host=feed.host,
        port=feed.port,
        client_id=feed.client_id or f"revier-gateway-{config.gateway.id}-feed",
        username=feed.username,
        password=password_of(feed),
        tls=feed.tls.context() if feed.tls else None,
        clean_start=True,
        keep_alive_s=feed.keep_alive_s,
        window_max=feed.window_max,
        will=status_message(config, "offline", reason="connection lost"),
    )


def status_message(
    config: Config,
    status: Literal["online", "offline"],
    source: Literal["", "online", "offline"] = "",
    since: str = "",
    reason: str = "",
) -> Outgoing:
    message = GatewayStatus(
        status=status,
        gateway=config.gateway.id,
        gwsw=__version__,
        source=source,
        since=since,
        reason=reason,
    )
    return Outgoing(
        status_topic(config.feed.root, config.gateway.id), msgspec.json.encode(message), retain=True
    )


class Publisher:
    def __init__(
        self,
        store: Store,
        online: Callable[[], Outgoing] | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._store = store
        self._online = online
        self._clock = clock
        self._more = asyncio.Event()
        self._announce = False
        self._cursor = 0
        self._flight: dict[int, OutboxRow] = {}  # by packet id, in order of sending
        self._pending = Work(store)  # rejected rows and counters, not yet on the disk
        self._losses = 0  # of the connection, since the last answer
        self.delivered = 0  # rows that the broker has, since the start
        self._suspect: tuple[int, int] = (0, 0)  # row id, losses with it alone in flight

    def wake(self) -> None:
        """The outbox has new rows."""
        self._more.set()

    def announce(self) -> None:
        """The gateway's status has changed."""
        self._announce = True
        self._more.set()

    @property
    def in_flight(self) -> int:
        return len(self._flight)

    async def use(self, link: Link, ready: Ready = lambda: None) -> None:
        """For mqtt.keep: publish until the link is lost, then begin again at the oldest row."""
        self._cursor = 0
        self._flight.clear()
        self._settle()
        ready()
        try:
            self._announce = self._online is not None
            await together(
                feed_send=self._send(link),
                feed_collect=self._collect(link),
                feed_settle=self._settle_often(),
            )
        except LinkLost as lost:
            self._convict(str(lost))
            raise

    async def _send(self, link: Link) -> None:
        while True:
            self._more.clear()
            if self._announce and self._online is not None and link.window:
                self._announce = False
                link.publish([self._online()])
            room = self._room(link)
            rows = self._store.outbox_after(self._cursor, room) if room else []
            if rows:
                self._cursor = rows[-1].id
                self._publish(link, rows)
            if len(rows) < room or room == 0:
                await self._more.wait()
            else:
                await asyncio.sleep(0)

    def _room(self, link: Link) -> int:
        if self._losses >= LOSSES_BEFORE_SINGLE:
            return 0 if self._flight else 1
        return link.window

    def _publish(self, link: Link, rows: list[OutboxRow]) -> None:
        fit = []
        for row in rows:
            reason = _unfit(row, link.message_bytes_max)
            if reason:
                self._reject(row, reason, "")
            elif row.kind == "state" and row.t_ms < (self._store.latest_ms(row.asset) or row.t_ms):
                self._store.done([row.id])
            else:
                fit.append(row)
        if fit:
            ids = link.publish([Outgoing(row.topic, row.payload, bool(row.retain)) for row in fit])
            self._flight.update(zip(ids, fit, strict=True))

    async def _collect(self, link: Link) -> None:
        while True:
            done = self._answered(await link.acks())
            self._store.done(done)
            self.delivered += len(done)
            self._more.set()
            await asyncio.sleep(0)

    def _answered(self, acks: Sequence[Ack]) -> list[int]:
        """The rows that are done: neither what is not a row nor what was refused."""
        done, nobody = [], 0
        for ack in acks:
            row = self._flight.pop(ack.packet_id, None)
            if row is None:
                continue
            self._losses = 0
            code = ack.reason_code
            if code >= REFUSED:
                self._reject(row, "refused", f"reason code 0x{code:02x}")
                continue
            nobody += code == NO_SUBSCRIBER
            done.append(row.id)
        if nobody:
            self._pending.counters["feed.no_subscriber"] += nobody
        return done

    def _reject(self, row: OutboxRow, reason: str, detail: str) -> None:
        """Row to quarantine and out of the outbox, in one transaction."""
        log.warning("feed message to quarantine", topic=row.topic, reason=reason, detail=detail)
        self._pending.counters[f"quarantined.{reason}"] += 1
        self._pending.quarantine.append(
            QuarantineRow(instant(self._clock()), "feed", reason, detail, row.topic, row.payload)
        )
        self._pending.done.append(row.id)

    def _convict(self, reason: str) -> None:
        """The connection is lost: was it a message's fault?"""
        if any(innocent in reason for innocent in NOT_THE_MESSAGE):
            return
        self._losses += 1
        rows = list(self._flight.values())
        if self._losses <= LOSSES_BEFORE_SINGLE or len(rows) != 1:
            return
        row = rows[0]
        count = self._suspect[1] + 1 if self._suspect[0] == row.id else 1
        self._suspect = (row.id, count)
        if count >= LOSSES_TO_CONVICT:
            self._reject(row, "hangs_up", f"{count} connections lost with it alone in flight")
            self._settle()

    async def _settle_often(self) -> None:
        """While batches come, their transactions take the done rows along; otherwise do it here."""
        while True:
            await asyncio.sleep(SETTLE_EVERY_S)
            self._settle()

    def _settle(self) -> None:
        try:
            self._store.settle(self._pending)
        except StoreError as error:
            log.debug("the store does not take settled rows", why=str(error))
        else:
            self._pending = Work(self._store)


def _unfit(row: OutboxRow, message_bytes_max: int | None) -> str:
    """Why the broker would not take this row; empty where it may."""
    topic = row.topic
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        return "invalid_topic"
    topic_bytes = len(topic) if topic.isascii() else len(topic.encode("utf-8", "replace"))
    if topic_bytes > TOPIC_BYTES_MAX:
        return "invalid_topic"
    size = topic_bytes + len(row.payload) + PACKET_OVERHEAD_BYTES
    if message_bytes_max is not None and size > message_bytes_max:
        return "message_too_large"
    return ""
