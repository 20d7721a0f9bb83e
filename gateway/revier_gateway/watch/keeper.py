# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The watch at work: looks every few seconds, writes what it saw, tells who is to be told."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from revier_gateway.alerts import book as books
from revier_gateway.alerts.book import Alert
from revier_gateway.alerts.facts import Facts
from revier_gateway.alerts.notify import Notifier
from revier_gateway.alerts.rules import RULES
from revier_gateway.config import Config
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store import Store
from revier_gateway.values import unix_ms
from revier_gateway.watch import certificates, rows
from revier_gateway.watch.assets import ASSETS_PER_STEP, AssetWatch
from revier_gateway.watch.canary import Canary
from revier_gateway.watch.days import Days
from revier_gateway.watch.journal import Journal
from revier_gateway.watch.messages import Canary as CanaryMessage
from revier_gateway.watch.messages import availability_of, canary_of
from revier_gateway.watch.standing import Standing
from revier_gateway.watch.surroundings import Surroundings
from revier_gateway.work import Work
from revier_inventory import Inventory

LOOK_EVERY_S = 10.0
ROWS_PER_WRITE = 200  # each write is a flush of the disk
CERTIFICATES_EVERY_S = 6 * 3600.0


class Keeper:
    """`wake` tells the feed that the outbox has new rows."""

    def __init__(
        self,
        config: Config,
        store: Store,
        inventory: Inventory,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._store = store
        self._inventory = inventory
        self._wake = wake
        self._clock = clock
        self._notifier = Notifier(config.alerts, config.gateway.id)
        now_ms = self._now_ms()
        memory = rows.read_memory(store.database)
        self.assets = AssetWatch(inventory, config.watch.profile_s, memory, now_ms)
        self.around = Surroundings(config, store)
        self.canary = Canary(config.watch.canary_every_s or LOOK_EVERY_S, now_ms)
        self._days = Days(rows.read_batteries(store.database))
        self._journal = Journal(store, self.assets, self._days, now_ms)
        self._run = secrets.token_hex(4)
        self._looked_ms = now_ms

    # -- what the service tells

    def committed(self, work: Work) -> None:
        now_ms = self._now_ms()
        self.assets.take(work.heard, now_ms)
        self._days.take(work.history)
        if work.behind_ms is not None:
            self.around.note_delay(work.behind_ms / 1000, now_ms)

    def set_config(self, config: Config) -> None:
        """[alerts] and [watch]. Raises ConfigError, and then nothing changed."""
        before, after = self._config.watch, config.watch
        if config.alerts != self._config.alerts:
            self._notifier = Notifier(config.alerts, config.gateway.id)
        if after.profile_s != before.profile_s:
            self.assets.set_profile(after.profile_s)
        if after.canary_every_s != before.canary_every_s:
            self.canary.set_every(after.canary_every_s or LOOK_EVERY_S, self._now_ms())
        self._config = self.around.config = config

    def set_inventory(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self.assets.set_inventory(inventory)
        self.around.inventory_fault = ""

    def set_link(self, name: str, online: bool) -> None:
        self.around.set_link(name, online)
        if name == "source":
            self.assets.source(online, self._now_ms())

    def canary_came_back(self, message: CanaryMessage) -> None:
        if (message.gateway, message.run) == (self._config.gateway.id, self._run):
            self.canary.came_back(message.n, self._now_ms())

    # -- what others ask

    def alerts(self) -> list[Alert]:
        """Those that are raised."""
        return [alert for alert in self._journal.book.values() if alert.state == "raised"]

    def standing(self, asset: str) -> Standing:
        return self.assets.standing(asset, self._now_ms())

    def ready(self) -> dict[str, bool]:
        """What must be true before anybody relies on this gateway."""
        return {
            "store_writable": not self._store_fault,
            "source_subscribed": self.around.is_online("source"),
            "feed_connected": self.around.is_online("feed"),
        }

    def is_healthy(self) -> bool:
        """Ready, and nothing critical is wrong with itself: a mast that is down is told of, and
        says nothing about who tells."""
        return all(self.ready().values()) and all(
            RULES[alert.rule].severity != "critical" for alert in self.alerts() if not alert.subject
        )

    # -- the tasks

    async def run(self) -> None:
        while True:
            for _ in self.steps():
                await asyncio.sleep(0)
            await asyncio.sleep(LOOK_EVERY_S)

    async def tell(self) -> None:
        """Deliver what is to be told; what is not taken is tried again after the next look."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.tell_now()

    async def tell_now(self) -> None:
        now_ms = self._now_ms()
        silences = rows.read_silences(self._store.database, now_ms)
        alerts = books.to_tell(self._journal.book, silences, now_ms)
        if alerts and await self._notifier.tell(alerts):
            self._journal.book = books.told(self._journal.book, alerts)
            self._journal.write(self._now_ms())

    async def look_at_certificates(self) -> None:
        while True:
            self.around.certificate_days = await certificates.look(self._config, self._clock())
            await asyncio.sleep(CERTIFICATES_EVERY_S)

    def look(self) -> None:
        """One look at everything."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[None]:
        """look, in steps of a few milliseconds: in one piece 1,000 assets held up every event for
        60 ms (measured), and 10,000 for ten times as long."""
        now_ms, inventory = self._now_ms(), self._inventory
        yield from self.assets.steps(now_ms)
        elapsed_s = max(0, now_ms - self._looked_ms) / 1000
        self._looked_ms = now_ms
        standings: dict[str, Standing] = {}
        for some in _slices([asset.asset for asset in inventory.assets], ASSETS_PER_STEP):
            part = {name: self.assets.standing(name, now_ms) for name in some}
            self._days.presence(part, now_ms, elapsed_s)
            standings |= part
            yield
        self.canary.online(self.around.feed_is_open, now_ms)
        self._judge(self._facts(standings, now_ms), now_ms)
        told = self._journal.standings
        changed = [name for name, one in standings.items() if told.get(name) != one]
        messages = self._canary(now_ms)
        for some in _slices(changed, ROWS_PER_WRITE) or [[]]:
            part = {name: standings[name] for name in some}
            messages += self._messages(part, inventory, now_ms)
            if not self._journal.write(now_ms, part, messages):
                return
            if messages:
                self._wake()
            messages = []
            yield
        while self._journal.has_more and self._journal.write(now_ms):
            yield

    def finish(self) -> None:
        """The end of the run: what was gathered is written."""
        now_ms = self._now_ms()
        written = self._journal.write(now_ms, last=True)
        while written and self._journal.has_more:
            written = self._journal.write(now_ms)

    # -- inside

    @property
    def _store_fault(self) -> str:
        return self._journal.fault or self.around.held_back

    def _judge(self, facts: Facts, now_ms: int) -> None:
        book = self._journal.book
        found = {
            rule.name: rule.find(facts, books.active(book, rule.name)) for rule in RULES.values()
        }
        self._journal.book, incidents = books.step(book, found, now_ms)
        self._journal.note(incidents)

    def _facts(self, standings: Mapping[str, Standing], now_ms: int) -> Facts:
        offline = [name for name, one in standings.items() if one.state == "offline"]
        with_canary = self._config.watch.canary_every_s > 0
        return self.around.facts(
            now_ms,
            store_fault=self._store_fault,
            source_silent_s=self.assets.source_silent_s(now_ms),
            canary_lost_s=self.canary.lost_s(now_ms) if with_canary else None,
            radio_gateways_offline=self.assets.silent_radio_gateways(now_ms),
            assets_offline={name: self.assets.silent_s(name, now_ms) for name in offline},
            battery_v={name: v for name, v in self._days.battery_v.items() if name in standings},
        )

    def _messages(
        self, changed: Mapping[str, Standing], inventory: Inventory, now_ms: int
    ) -> list[FeedMessage]:
        at, root = datetime.fromtimestamp(now_ms / 1000, UTC), self._config.feed.root
        messages = []
        for name, standing in changed.items():
            asset = inventory.asset(name)
            assert asset is not None
            last_ms = self.assets.last_ms(name)
            messages.append(availability_of(asset, standing, at, last_ms, root))
        return messages

    def _canary(self, now_ms: int) -> list[FeedMessage]:
        at = datetime.fromtimestamp(now_ms / 1000, UTC)
        root, gateway_id = self._config.feed.root, self._config.gateway.id
        if self._config.watch.canary_every_s and self.around.feed_is_open:
            number = self.canary.due(now_ms)
            if number is not None:
                return [canary_of(root, gateway_id, self._run, number, at)]
        return []

    def _now_ms(self) -> int:
        return unix_ms(self._clock())


def _slices(names: list[str], length: int) -> list[list[str]]:
    return [names[n : n + length] for n in range(0, len(names), length)]
