# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The data platform's leg: the outbox's rows in order, each done only when the broker says so.

Order of one asset is kept, because all rows leave in order over one connection and unanswered ones
are sent again in order. A row that cannot be sent goes to quarantine and never blocks another. A
retained state is left out when a newer one is waiting or was sent. A long outbox is emptied at a
pace, alarms and the newest states first (catch_up.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import structlog

from revier_gateway import __version__
from revier_gateway.catch_up import Ahead, CatchUp
from revier_gateway.config import Config, ConfigError, password_of
from revier_gateway.feed_messages import GatewayStatus, status_topic
from revier_gateway.mqtt.keep import Ready, together
from revier_gateway.mqtt.link import Ack, Link, LinkLost, LinkRefused, LinkSettings, Outgoing
from revier_gateway.outcomes import FeedMessage
from revier_gateway.pipeline import now_utc
from revier_gateway.store import Store, StoreError
from revier_gateway.values import instant
from revier_gateway.work import QuarantineRow, Work

REFUSED = 0x80
NO_SUBSCRIBER = 0x10
TOPIC_BYTES_MAX = 65_535
TOPICS_KEPT_MAX = 50_000
PACKET_OVERHEAD_BYTES = 64  # fixed header, packet id and properties of a PUBLISH of ours
# A nearly full window is filled again when a part of it is free, in one write: the broker has
# enough to do meanwhile, and each write has a price.
WINDOW_PARTS = 4
SETTLE_EVERY_S = 0.5
UNSETTLED_MAX = 50_000  # rows that are done while the disk does not take it; then nothing more goes
LOOK_EVERY_S = 0.1
UNHEARD_S = 60.0  # so long nobody was subscribed to anything
TELL_EVERY_S = 30.0  # of a catch-up, in log and status
# A broker that closes the connection on a message (packet too large, topic not allowed) would do so
# for ever. After this many losses without one answer, rows go one at a time until one is convicted.
LOSSES_BEFORE_SINGLE = 2
LOSSES_TO_CONVICT = 2
NOT_THE_MESSAGE = ("session_taken_over", "server_shutting_down", "nothing heard", "closed by us")

log = structlog.get_logger("revier.gateway.feed")


def link_settings(config: Config) -> LinkSettings:
    """Raises LinkRefused where a password or a certificate is not there."""
    feed = config.feed
    try:
        password, tls = password_of(feed), feed.tls.context() if feed.tls else None
    except ConfigError as error:
        raise LinkRefused(str(error)) from None
    return LinkSettings(
        host=feed.host,
        port=feed.port,
        client_id=feed.client_id or f"revier-gateway-{config.gateway.id}-feed",
        username=feed.username,
        password=password,
        tls=tls,
        clean_start=True,
        keep_alive_s=feed.keep_alive_s,
        window_max=feed.window_max,
        will=status_message(config, "offline", reason="connection lost"),
    )


def status_message(config: Config, status: Literal["online", "offline"], **fields: Any) -> Outgoing:
    """fields: of GatewayStatus."""
    message = GatewayStatus(status=status, gateway=config.gateway.id, gwsw=__version__, **fields)
    return Outgoing(
        status_topic(config.feed.root, config.gateway.id), msgspec.json.encode(message), retain=True
    )


class Publisher:
    def __init__(
        self,
        store: Store,
        online: Callable[[], Outgoing] | None = None,
        clock: Callable[[], datetime] = now_utc,
        root: str = "",
        per_s: int = 0,
    ) -> None:
        """root: of the topics, for states that go first; per_s: the pace of a catch-up, 0: none."""
        self._store = store
        self._online = online
        self._clock = clock
        self._more = asyncio.Event()
        self._announce = False
        self._cursor = 0
        self._flight: dict[int, FeedMessage] = {}  # by packet id, in order of sending
        self._pending = Work(store)  # rejected rows and counters, not yet on the disk
        self._losses = 0  # of the connection, since the last answer
        self.delivered = 0  # rows that the broker has, since the start
        self._suspect: tuple[int, int] = (0, 0)  # row id, losses with it alone in flight
        self.catch_up = CatchUp(per_s)
        self._ahead = Ahead(store, root)
        self._looked_s = self._told_s = 0.0
        self._heard_s = -UNHEARD_S
        self._topics: set[str] = set()  # that can be published to
        self._unheard = False  # the broker says that nobody is subscribed

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

    @property
    def progress(self) -> tuple[int, str]:
        """Of a catch-up: rows that wait, and when it will be over as far as is known. Else 0."""
        left_s = self.catch_up.left_s
        done_at = "" if left_s is None else instant(self._clock() + timedelta(seconds=left_s))
        return (self.catch_up.waiting, done_at) if self.catch_up.behind else (0, "")

    async def use(self, link: Link, ready: Ready = lambda: None) -> None:
        """For mqtt.keep: publish until the link is lost, then begin again at the oldest row."""
        self._cursor = 0
        self._flight.clear()
        self._ahead.link_begins()
        self._looked_s = 0.0
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
            self._ahead.link_lost(list(self._flight.values()))
            self._convict(str(lost))
            raise

    async def _send(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._more.clear()
            self._look(loop.time())
            if self._announce and self._online is not None and link.window:
                self._announce = False
                link.publish([self._online()])
            room = self._room(link, loop.time())
            taken = self._publish_next(link, room) if room else 0
            if taken < room or room == 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.catch_up.wait_s):
                        await self._more.wait()
            else:
                await asyncio.sleep(0)

    def _look(self, now_s: float) -> None:
        """Do so many rows wait that this is a catch-up?"""
        if self._looked_s and now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        turn = self.catch_up.look(self._store.waiting, now_s)
        if self.catch_up.behind:
            self._ahead.fill(self._cursor, now_s)
            if turn == "began" or now_s - self._told_s >= TELL_EVERY_S:
                self._told_s = now_s
                self._announce = self._online is not None
                waiting, done_at = self.progress
                log.info("catching up", waiting=waiting, per_s=self.catch_up.per_s, done_at=done_at)
        elif turn == "ended":
            self._ahead.caught_up()
            self._announce = self._online is not None
            log.info("caught up", seconds=round(self.catch_up.elapsed_s, 1))

    @property
    def _single(self) -> bool:
        return self._losses >= LOSSES_BEFORE_SINGLE

    def _room(self, link: Link, now_s: float) -> int:
        if self._store.unsettled >= UNSETTLED_MAX:
            return 0
        window, in_flight = link.window, len(self._flight)
        if self._single:
            return 0 if in_flight else 1
        if window * WINDOW_PARTS < in_flight:
            return 0
        return self.catch_up.room(window, now_s)

    def _publish_next(self, link: Link, room: int) -> int:
        """Returns how many rows were taken, of at most room."""
        ahead = [] if self._single else self._ahead.take(room)
        in_turn = self._store.outbox_after(self._cursor, room - len(ahead))
        if in_turn:
            self._cursor = in_turn[-1].id
        if self._ahead.some_went:
            rows = ahead + [row for row in in_turn if not self._ahead.has_gone(row)]
        else:
            rows = ahead + in_turn
        self._publish(link, rows)
        return len(ahead) + len(in_turn)

    def _publish(self, link: Link, rows: list[FeedMessage]) -> None:
        fit = []
        bytes_max = link.message_bytes_max
        topics, overtaken = self._topics, self._ahead.is_overtaken
        for row in rows:
            mine = row.id > 0  # not an early copy of a state
            if row.topic in topics and bytes_max is None:
                reason = ""
            else:
                reason = _unfit(row, bytes_max)
                if not reason and len(topics) < TOPICS_KEPT_MAX:
                    topics.add(row.topic)
            if reason:
                if mine:
                    self._reject(row, reason, "")
            elif mine and row.kind == "state" and overtaken(row):
                self._store.done([row.id])
            else:
                fit.append(row)
        if fit:
            ids = link.publish(fit)
            self._flight.update(zip(ids, fit, strict=True))
            self.catch_up.sent(len(fit))

    async def _collect(self, link: Link) -> None:
        while True:
            done = self._answered(await link.acks())
            self._store.done(done)
            self.delivered += len(done)
            self._more.set()
            await asyncio.sleep(0)

    def _answered(self, acks: Sequence[Ack]) -> list[int]:
        """The rows that are done: neither what is not a row nor what was refused."""
        done, nobody, rows = [], 0, 0
        for ack in acks:
            row = self._flight.pop(ack.packet_id, None)
            if row is None:
                continue
            rows += 1
            self._losses = 0
            code = ack.reason_code
            nobody += code == NO_SUBSCRIBER
            if row.id < 0:
                if code < REFUSED:
                    self._ahead.done(row)
            elif code >= REFUSED:
                self._reject(row, "refused", f"reason code 0x{code:02x}")
            elif row.kind == "alarm":
                self._pending.done.append(row.id)  # it may be ahead of a million others
            else:
                done.append(row.id)
        if nobody:
            self._pending.counters["feed.no_subscriber"] += nobody
        if rows:
            self._tell_unheard(nobody < rows, asyncio.get_running_loop().time())
        return done

    def _tell_unheard(self, heard: bool, now_s: float) -> None:
        """The broker took all and passed none of it on: no loss of ours, yet a loss."""
        if heard:
            self._heard_s = now_s
            if self._unheard:
                log.info("somebody is subscribed to the feed")
            self._unheard = False
        elif not self._unheard and now_s - self._heard_s >= UNHEARD_S:
            log.warning("nobody is subscribed to the feed: what is not retained is lost there")
            self._unheard = True

    def _reject(self, row: FeedMessage, reason: str, detail: str) -> None:
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
            commits = self._store.commits
            await asyncio.sleep(SETTLE_EVERY_S)
            if self._store.commits == commits or not self._pending.is_empty:
                self._settle()

    def _settle(self) -> None:
        try:
            self._store.settle(self._pending)
        except StoreError as error:
            log.debug("the store does not take settled rows", why=str(error))
        else:
            self._pending = Work(self._store)
            self._more.set()  # it may have waited for the disk


def _unfit(row: FeedMessage, message_bytes_max: int | None) -> str:
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
