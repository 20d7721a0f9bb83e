# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gaps at work: settle, ask ChirpStack's event log, declare what is left, close what is filled.

At every start and reconnect of the source the logs of those devices are read that ChirpStack has
heard since we did; later that of a device whose counter leaves a hole.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import structlog

from revier_gateway.chirpstack_errors import ChirpStackError
from revier_gateway.gaps.event_log import Log, Recovery
from revier_gateway.gaps.ledger import Ledger
from revier_gateway.gaps.outages import Outages
from revier_gateway.gaps.register import Register
from revier_gateway.logs import Trouble
from revier_gateway.store import Store, StoreError
from revier_gateway.values import unix_ms
from revier_gateway.work import Work
from revier_inventory import Inventory

TURN_EVERY_S = 1.0
ALIVE_EVERY_MS = 10_000
TIDY_EVERY_MS = 3_600_000
RETRY_MS = 30_000
RETRY_REFUSED_MS = 3_600_000  # the key is not for this device
LOG_PATIENCE_MS = 15 * 60_000  # so long the log may be out of reach before a gap is declared
DUE_AT_ONCE_MAX = 500
SEEN_TOLERANCE_MS = 1000

log = structlog.get_logger("revier.gateway.gaps")


class _Owed(NamedTuple):
    """A device whose log could not be read: again at, and how long its holes wait for that."""

    again_ms: int
    patience_ms: int


class Keeper:
    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        register: Register,
        outages: Outages,
        inventory: Callable[[], Inventory],
        committed: Callable[[Work], None],
        clock: Callable[[], datetime],
        settle_s: float,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._register = register
        self._outages = outages
        self._inventory = inventory
        self._committed = committed
        self._clock = clock
        self._settle_ms = round(settle_s * 1000)
        self._online = False
        self._sweep_due = False
        self._alive_ms = 0
        self._tidy_ms = 0
        self._asking: set[str] = set()
        self._owed: dict[str, _Owed] = {}
        self._complained = False
        self._trouble = Trouble(log, "the store does not take gaps", "the store takes gaps again")

    def source(self, online: bool) -> None:
        """The link to ChirpStack's broker is subscribed, or lost."""
        if online == self._online:
            return
        self._online = online
        self._sweep_due = self._sweep_due or online
        try:
            self._outages.link(online, self._now_ms())
        except (StoreError, sqlite3.OperationalError) as error:
            log.warning("the store does not take an outage", why=str(error))

    async def run(self, chirpstack: Log | None, recovery: Recovery | None, streams: int) -> None:
        """For ever. Without chirpstack holes are declared when they have settled."""
        room = asyncio.Semaphore(streams)
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    if chirpstack is not None and recovery is not None:
                        await self._turn_with_log(chirpstack, recovery, room, group)
                    else:
                        self._turn_without_log()
                    self._keep()
                    self._trouble.over()
                except (StoreError, sqlite3.OperationalError) as error:
                    self._trouble.there(str(error))
                await asyncio.sleep(min(TURN_EVERY_S, self._settle_ms / 2000))

    def _now_ms(self) -> int:
        return unix_ms(self._clock())

    def _keep(self) -> None:
        now_ms = self._now_ms()
        self._commit(self._register.look(now_ms))
        if self._online and now_ms >= self._alive_ms + ALIVE_EVERY_MS:
            self._alive_ms = now_ms
            self._outages.alive(now_ms)
        if now_ms >= self._tidy_ms + TIDY_EVERY_MS:
            self._tidy_ms = now_ms
            self._commit(self._register.tidy(now_ms))

    def _commit(self, work: Work) -> None:
        if not work.is_empty:
            self._store.commit(work)
            self._committed(work)

    def _due(self) -> list[str]:
        settled_ms = self._now_ms() - self._settle_ms
        return self._ledger.noticed_before(settled_ms, DUE_AT_ONCE_MAX)

    def _declare(self, dev_eui: str, log_from_ms: int | None, settled_ms: int) -> None:
        self._commit(self._register.declare(dev_eui, log_from_ms, settled_ms, self._now_ms()))

    def _turn_without_log(self) -> None:
        for dev_eui in self._due():
            self._declare(dev_eui, None, self._now_ms() - self._settle_ms)

    # -- with ChirpStack's event log

    async def _turn_with_log(
        self, chirpstack: Log, recovery: Recovery, room: asyncio.Semaphore, group: asyncio.TaskGroup
    ) -> None:
        wanted = dict.fromkeys(self._due(), 0)
        if self._sweep_due and self._online:
            wanted.update(await self._seen_since(chirpstack))
        now_ms = self._now_ms()
        again = [dev_eui for dev_eui, owed in self._owed.items() if owed.again_ms <= now_ms]
        wanted.update(dict.fromkeys(again, 0))
        for dev_eui, until_ms in wanted.items():
            if dev_eui in self._asking:
                continue
            owed = self._owed.get(dev_eui)
            if owed is not None and owed.again_ms > now_ms:
                self._declare(dev_eui, None, now_ms - owed.patience_ms)
                continue
            self._asking.add(dev_eui)
            ask = self._ask(dev_eui, until_ms, recovery, room)
            group.create_task(ask, name=f"revier.gateway.event_log.{dev_eui}")

    async def _seen_since(self, chirpstack: Log) -> dict[str, int]:
        """Devices that ChirpStack heard later than we did, and when."""
        found: dict[str, int] = {}
        owners = self._inventory().owners
        for application_id in {one for owner in owners for one in owner.application_ids}:
            try:
                found.update(await chirpstack.last_seen(application_id))
            except ChirpStackError as error:
                self._complain(str(error))
                if not error.is_refusal:
                    return {}
        self._sweep_due = False
        later = {
            dev_eui: at_ms
            for dev_eui, at_ms in found.items()
            if at_ms > self._ledger.state(dev_eui).received_ms + SEEN_TOLERANCE_MS
        }
        log.info("event logs to read", devices=len(later), of=len(found))
        return later

    async def _ask(
        self, dev_eui: str, until_ms: int, recovery: Recovery, room: asyncio.Semaphore
    ) -> None:
        try:
            async with room:
                asked_ms = self._now_ms()
                until_ms = max(until_ms, self._ledger.state(dev_eui).received_ms)
                log_from_ms = await recovery.read(dev_eui, until_ms)
            self._owed.pop(dev_eui, None)
            self._complained = False
            self._declare(dev_eui, log_from_ms, asked_ms - self._settle_ms)
        except ChirpStackError as error:
            waits = RETRY_REFUSED_MS, self._settle_ms
            if not error.is_refusal:
                waits = RETRY_MS, LOG_PATIENCE_MS
            self._owed[dev_eui] = _Owed(self._now_ms() + waits[0], waits[1])
            self._complain(str(error))
        except (StoreError, sqlite3.OperationalError) as error:
            self._trouble.there(str(error))
        finally:
            self._asking.discard(dev_eui)

    def _complain(self, why: str) -> None:
        say = log.debug if self._complained else log.warning
        say("ChirpStack's event log is out of reach", why=why)
        self._complained = True
