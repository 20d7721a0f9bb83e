# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The commands at work: requests in, downlinks out, answers and fates back."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from revier_gateway import operator_requests
from revier_gateway.commands import fate, table
from revier_gateway.commands.desk import ADMIN, Desk, Response, may_command
from revier_gateway.commands.fate import Command
from revier_gateway.commands.sending import ByApi, ByMqtt, NotSent, Sending, SendRefused
from revier_gateway.commands.tracker import Tracker
from revier_gateway.config import Config
from revier_gateway.feed_messages import (
    SCHEMA_VERSION,
    CommandFate,
    asset_urn,
    command_message,
    device_urn,
)
from revier_gateway.gaps.node_log import NodeLog
from revier_gateway.gaps.room import Gaps
from revier_gateway.logs import Trouble
from revier_gateway.mqtt.link import Link, LinkLost, LinkRefused, Message
from revier_gateway.operator_requests import COMMANDS
from revier_gateway.outcomes import FeedMessage
from revier_gateway.pipeline import now_utc
from revier_gateway.store import Store, StoreError
from revier_gateway.values import instant_of_ms, unix_ms
from revier_gateway.work import Work
from revier_inventory import Inventory

TURN_EVERY_S = 1.0
SLOW_EVERY_MS = 10_000
TIDY_EVERY_MS = 3_600_000
SEND_AGAIN_MS = 30_000
RECONCILE_EVERY_MS = 300_000  # an event about an item is not so long under way
SCHEMA = f"urn:revier:schema:command:{SCHEMA_VERSION}"

log = structlog.get_logger("revier.gateway.commands")


class Commands:
    def __init__(
        self,
        config: Config,
        store: Store,
        gaps: Gaps,
        inventory: Callable[[], Inventory],
        committed: Callable[[Work], None],
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._root = config.feed.root
        self._config = config
        self._store = store
        self._gaps = gaps
        self._inventory = inventory
        self._committed = committed
        self._clock = clock
        self.tracker = Tracker(store.database, self._told)
        per_day = config.commands.node_backfills_per_day
        self._node_log = NodeLog(store, gaps.register, self.tracker, per_day)
        self._desk = Desk(store, gaps.ledger, self.tracker, inventory, clock)
        self._by_mqtt = ByMqtt(config.commands.topic)
        self._slow_ms = self._tidy_ms = self._reconciled_ms = 0
        self._trouble = Trouble(
            log, "the store does not take commands", "the store takes commands again"
        )
        self._absent: set[str] = set()  # items that were not in ChirpStack's queue at the last look

    def source(self, link: Link | None) -> None:
        """The link to ChirpStack's broker, while it is up."""
        self._by_mqtt.link = link

    # -- downlinks out

    async def run(self) -> None:
        """For ever."""
        chirpstack = self._gaps.chirpstack()
        sending = self._by_mqtt if chirpstack is None else ByApi(chirpstack, self._is_known)
        await self._run(sending)

    async def _run(self, sending: Sending) -> None:
        while True:
            try:
                self.take_requests()
                for command in self.due():
                    await self.send(command, sending)
                self._now_and_then()
                if self._now_ms() >= self._reconciled_ms + RECONCILE_EVERY_MS:
                    self._reconciled_ms = self._now_ms()
                    await self.reconcile(sending)
                self._trouble.over()
            except (StoreError, sqlite3.OperationalError) as error:
                self._trouble.there(str(error))
            await asyncio.sleep(TURN_EVERY_S)

    def due(self) -> list[Command]:
        """One of each device: the others wait behind it."""
        now_ms = self._now_ms()
        found: dict[str, Command] = {}
        for one in sorted(self.tracker.all_open(), key=lambda one: one.created_ms):
            if one.state == "waiting" and one.next_ms <= now_ms < one.expires_ms:
                found.setdefault(one.dev_eui, one)
        return list(found.values())

    async def send(self, command: Command, sending: Sending) -> None:
        application_id = self._gaps.ledger.state(command.dev_eui).application_id
        work = Work(self._store)
        event: fate.Event | None = None
        try:
            event = fate.Enqueued(await sending.send(command, application_id))
        except SendRefused as error:
            event = fate.Refused(str(error))
        except NotSent as error:
            next_ms = self._now_ms() + SEND_AGAIN_MS
            later = msgspec.structs.replace(command, next_ms=next_ms, reason=str(error)[:200])
            self.tracker.set(later, work)
        if event is not None:
            self.tracker.advance(command, event, self._now_ms(), work)
        self._commit(work)

    async def reconcile(self, sending: Sending) -> None:
        """An item that ChirpStack's queue twice had not, and of which nobody told the end, is
        gone."""
        queued = [one for one in self.tracker.all_open() if one.state == "queued"]
        absent: set[str] = set()
        for dev_eui in dict.fromkeys(one.dev_eui for one in queued):
            try:
                waiting = await sending.waiting(dev_eui)
            except NotSent:
                return
            if waiting is None:
                return
            mine = [one.item_id for one in queued if one.dev_eui == dev_eui]
            absent.update(item_id for item_id in mine if item_id not in waiting)
        gone, self._absent = absent & self._absent, absent
        work = Work(self._store)
        for one in self.tracker.all_open():
            if one.item_id in gone:
                self.tracker.advance(one, fate.Vanished(), self._now_ms(), work)
        self._commit(work)

    def elapse(self) -> None:
        """End what nobody has said anything about for too long."""
        work = Work(self._store)
        for command in self.tracker.all_open():
            self.tracker.advance(command, fate.Elapsed(), self._now_ms(), work)
        self._commit(work)

    def _now_and_then(self) -> None:
        now_ms = self._now_ms()
        if now_ms >= self._slow_ms + SLOW_EVERY_MS:
            self._slow_ms = now_ms
            self.elapse()
            for work in self._node_log.ask(now_ms):
                self._commit(work)
        if now_ms >= self._tidy_ms + TIDY_EVERY_MS:
            self._tidy_ms = now_ms
            work = Work(self._store)
            work.changes.append(lambda db: table.tidy(db, now_ms))
            self._commit(work)

    # -- requests in

    def take_requests(self) -> None:
        """Those that `revier-gateway command` has left in the database. Raises StoreError."""
        work = Work(self._store)
        for number, _by, content in operator_requests.waiting(self._store.database, COMMANDS):
            response = self._answer_operator(content, work)
            work.changes.append(operator_requests.answered(number, response))
        self._commit(work)

    def _answer_operator(self, content: bytes, work: Work) -> bytes:
        try:
            name, body = msgspec.json.decode(content, type=tuple[str, msgspec.Raw])
        except msgspec.MsgspecError as error:
            why = f"the gateway does not know this request: {error}"
            return msgspec.json.encode(Response("", "error", error=why[:300]))
        return self._desk.answer(ADMIN, name, bytes(body), work)

    async def serve(self, link: Link) -> None:
        """Requests over the feed's broker while the link lives; its loss is others' to see."""
        gateway_id = self._config.gateway.id
        topics = [f"{self._root}/+/_request/+", f"{self._root}/_gateway/{gateway_id}/request/+"]
        try:
            await link.subscribe(topics, 1)
            while True:
                batch = await link.receive()
                self.answer(batch)
                link.acknowledge(batch)
        except LinkRefused as error:
            log.warning("the feed's broker grants no requests", why=str(error))
        except LinkLost:
            return

    def answer(self, batch: Sequence[Message]) -> None:
        """Durable when it returns. A request that cannot be kept is not answered: who asked asks
        again, under the same transaction."""
        work = Work(self._store)
        for message in batch:
            place = place_of(self._root, message.topic)
            if place is None or message.retain:
                work.counters["requests.ignored"] += 1
                continue
            origin, name, topic = place
            response = self._desk.answer(origin, name, message.payload, work)
            work.outbox.append(FeedMessage(topic, response, "response", "", self._now_ms()))
        try:
            self._commit(work)
        except (StoreError, sqlite3.OperationalError) as error:
            self._trouble.there(str(error))

    # -- what became of them

    def _told(self, command: Command, work: Work) -> None:
        self._node_log.answered(command, work)
        now = self._clock()
        asset = self._inventory().asset_of(command.dev_eui, now)
        if asset is None:
            return
        if not may_command(self._inventory(), self._gaps.ledger, asset.ags, command.dev_eui, asset):
            return
        change = CommandFate(
            schema=SCHEMA,
            id=command.id,
            asset=asset_urn(asset.ags, asset.domain, asset.asset),
            device=device_urn(command.dev_eui),
            command=command.kind,
            state=command.state,
            t=instant_of_ms(unix_ms(now)),
            attempts=command.attempts,
            reason=command.reason,
        )
        where = (self._root, asset.ags, asset.domain, asset.asset)
        work.outbox.append(command_message(*where, change, unix_ms(now.astimezone(UTC))))

    def _is_known(self, dev_eui: str, item_id: str) -> bool:
        where = "WHERE dev_eui = ? AND item_id = ?"
        return bool(table.commands(self._store.database, where, (dev_eui, item_id)))

    def _commit(self, work: Work) -> None:
        if not work.is_empty:
            self._store.commit(work)
            self._committed(work)

    def _now_ms(self) -> int:
        return unix_ms(self._clock())


def place_of(root: str, topic: str) -> tuple[str, str, str] | None:
    """Who asks, what, and where the answer goes; None: not a request's topic."""
    rest = topic.removeprefix(f"{root}/")
    if match := re.fullmatch(r"([0-9]{8})/_request/([a-z]{1,20})", rest):
        return match[1], match[2], f"{root}/{match[1]}/_response/{match[2]}"
    if match := re.fullmatch(r"_gateway/([a-z0-9-]{1,48})/request/([a-z]{1,20})", rest):
        return ADMIN, match[2], f"{root}/_gateway/{match[1]}/response/{match[2]}"
    return None
