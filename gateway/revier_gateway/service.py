# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway at work: one task group of named tasks, ended by SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

import structlog
from starlette.routing import Route

from revier_gateway import (
    __version__,
    event_topic,
    feed,
    inventory_dir,
    logs,
    retention,
    sd_notify,
    source,
)
from revier_gateway.commands.room import Commands
from revier_gateway.config import Config, ConfigError, check_legs, reloaded
from revier_gateway.feed import Publisher
from revier_gateway.gaps.room import Gaps
from revier_gateway.mqtt.keep import Ready, keep, together
from revier_gateway.mqtt.link import Connect, Link, LinkLost, Outgoing
from revier_gateway.mqtt.session import connect as connect_session
from revier_gateway.outcomes import Outcome
from revier_gateway.pipeline import Listener, Pipeline, now_utc
from revier_gateway.quarantine import Desk
from revier_gateway.source import Intake
from revier_gateway.store import Store, StoreError
from revier_gateway.values import instant
from revier_gateway.view import View
from revier_gateway.watch.keeper import Keeper
from revier_gateway.watch.tasks import WatchTasks
from revier_gateway.work import Work
from revier_inventory import Inventory, InventoryError

INVENTORY_LOOK_EVERY_S = 1.0
TIDY_EVERY_S = 3600.0
TIDY_PAUSE_S = 0.05
TIDY_PAUSE_FACTOR = 20.0  # of the time that the step before took
FIGURES_EVERY_S = 1.0
GOODBYE_S = 2.0

log = structlog.get_logger("revier.gateway")


# Batches of a backlog are thousands of short-lived objects without cycles; the collector's default
# threshold of 700 made it look at them again and again: a third of the relay's time.
COLLECT_AFTER_OBJECTS = 100_000


def tune_memory() -> None:
    """For a process that is a gateway and nothing else."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 10, 10)


class Service:
    """Raises ConfigError, InventoryError or OSError where it cannot begin."""

    def __init__(
        self,
        config: Config,
        connect: Connect = connect_session,
        reread: Callable[[], Config] | None = None,
    ) -> None:
        """reread: the configuration as its file has it now."""
        self._config = config
        self._reread = reread
        self._connect = connect
        inventory = inventory_dir.read(config.inventory_dir)
        self._watch = inventory_dir.Watch(config.inventory_dir)
        check_legs(config)
        self._store = Store(config.data_dir, config.gateway.disk_reserve_mb * 1_000_000)
        rest = (self._inventory, self._written)
        self._gaps = Gaps(config, self._store, *rest)
        self._commands = Commands(config, self._store, self._gaps, *rest)
        listeners: list[Listener] = [self._gaps.ledger, self._commands.tracker]
        name_of = event_topic.parse(config.source.topic).name_of
        self._pipeline: Pipeline = Pipeline(
            inventory, config.feed.root, listeners=listeners, name_of=name_of
        )
        self._since = instant(now_utc())
        self._publisher = Publisher(
            self._store, self._online, root=config.feed.root, per_s=config.feed.catch_up_per_s
        )
        self.keeper = Keeper(config, self._store, inventory, self._publisher.wake, now_utc)
        self._watch_tasks = WatchTasks(config, self.keeper, connect)
        self.view = View(self._store, inventory, self.keeper.standing, self.keeper.assets.last_ms)
        self._problem = ""
        self._intake = Intake.of(
            config, self._pipeline, self._store, self._committed, self._in_trouble
        )
        self._desk = Desk(self._pipeline, self._store, self._committed)
        self._feed_link: Link | None = None
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    @property
    def waiting(self) -> int:
        """Rows of the outbox that the feed's broker has not acknowledged."""
        return self._store.waiting

    def reload(self) -> None:
        """SIGHUP: the configuration, as far as it may change at work, and the inventory."""
        if self._reread is not None:
            try:
                config, taken, rest = reloaded(self._config, self._reread())
                self._apply(config)
            except ConfigError as error:
                log.warning("the configuration is wrong: the one before stays", why=str(error))
            else:
                log.info("configuration read", taken=taken)
                if rest:
                    log.warning("these changes need a restart", keys=rest)
        self._reload_inventory()

    def _apply(self, config: Config) -> None:
        """What config.RELOADED names. Raises ConfigError, and then nothing changed."""
        self.keeper.set_config(config)
        self._watch_tasks.renew(config)
        if config.gateway.log_level != self._config.gateway.log_level:
            logs.set_level(config.gateway.log_level)
        self._config = config
        self._store.reserve_bytes = config.gateway.disk_reserve_mb * 1_000_000
        self._publisher.catch_up.per_s = config.feed.catch_up_per_s

    def _reload_inventory(self) -> None:
        """Where it is wrong, keep the one that was right."""
        try:
            inventory = inventory_dir.read(self._config.inventory_dir)
        except (InventoryError, OSError) as error:
            log.warning("the inventory is wrong: the one before stays", why=str(error))
            self.keeper.around.inventory_fault = str(error)
            return
        self._pipeline.inventory = inventory
        self.view.set_inventory(inventory)
        self.keeper.set_inventory(inventory)
        log.info("inventory read", assets=len(inventory.assets), periods=len(inventory.periods))

    async def run(self) -> None:
        """Until stop() or a signal."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        log.info("gateway begins", id=self._config.gateway.id, version=__version__)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work, name=f"revier.gateway.{name}")
                    for name, work in self._tasks().items()
                ]
                self._watch_tasks.begin(group)
                sd_notify.notify(sd_notify.READY)
                await self._stop.wait()
                sd_notify.notify(sd_notify.STOPPING)
                await self._say_goodbye()
                self._watch_tasks.cancel()
                for task in tasks:
                    task.cancel()
        finally:
            self.keeper.finish()
            self._store.close()
            log.info("gateway has ended", id=self._config.gateway.id)

    def _tasks(self) -> dict[str, Coroutine[Any, Any, None]]:
        config = self._config
        tasks: dict[str, Coroutine[Any, Any, None]] = {
            "source": keep(
                "source",
                lambda: source.link_settings(config),
                self._use_source,
                self._connect,
                self._source_state,
                on_loss=lambda reason: self.keeper.around.link_lost("source", reason),
            ),
            "feed": keep(
                "feed",
                lambda: feed.link_settings(config),
                self._use_feed,
                self._connect,
                self._feed_state,
                on_loss=lambda reason: self.keeper.around.link_lost("feed", reason),
            ),
            "gaps": self._gaps.run(self._intake.take, [self._commands.tracker.is_wanted]),
            "commands": self._commands.run(),
            "inventory": self._watch_inventory(),
            "figures": self._figures(),
            "tidy": self._tidy(),
            "operator": self._desk.serve(),
            "watchdog": sd_notify.keep_alive(),
        }
        if config.console.enabled:
            tasks["page"] = self._page()
        if config.metrics.port:
            tasks["metrics"] = self._metrics()
        return tasks

    # -- what the tasks do

    def _committed(self, work: Work, outcomes: Sequence[Outcome]) -> None:
        self._publisher.wake()
        self.keeper.committed(work)
        self.view.apply(work, outcomes)

    def _written(self, work: Work) -> None:
        self._committed(work, ())

    def _inventory(self) -> Inventory:
        return self._pipeline.inventory

    async def _use_source(self, link: Link, ready: Ready) -> None:
        self._commands.source(link)
        try:
            await self._intake.use(link, ready)
        finally:
            self._commands.source(None)

    def _in_trouble(self, why: str) -> None:
        self._problem = self.keeper.around.held_back = why
        self._publisher.announce()

    async def _use_feed(self, link: Link, ready: Ready) -> None:
        self._feed_link = link
        works = {"feed_publish": self._publisher.use(link, ready)}
        if self._config.commands.requests:
            works["feed_requests"] = self._commands.serve(link)
        try:
            await together(**works)
        finally:
            self._feed_link = None

    async def _watch_inventory(self) -> None:
        while True:
            await asyncio.sleep(INVENTORY_LOOK_EVERY_S)
            if self._watch.changed():
                self._reload_inventory()

    async def _figures(self) -> None:
        while True:
            self.view.count("outbox.waiting", self._store.waiting)
            (rows,) = self._store.database.execute("SELECT count(*) FROM quarantine").fetchone()
            self.view.count("quarantine.waiting", rows)
            self.view.count("source.held_back", bool(self._problem))
            self.view.count("feed.catch_up_s_left", round(self._publisher.catch_up.left_s or 0))
            await asyncio.sleep(FIGURES_EVERY_S)

    async def _tidy(self) -> None:
        """Never more than a small part of the loop's time, however long the tables are."""
        while True:
            try:
                now_ms = int(time.time() * 1000)
                began_s = time.perf_counter()
                passing = retention.steps(self._store, self._config.retention, now_ms)
                for _ in passing:
                    busy_s = time.perf_counter() - began_s
                    await asyncio.sleep(max(TIDY_PAUSE_S, TIDY_PAUSE_FACTOR * busy_s))
                    began_s = time.perf_counter()
            except StoreError as error:
                log.debug("nothing is forgotten while the disk does not take it", why=str(error))
            await asyncio.sleep(TIDY_EVERY_S)

    async def _page(self) -> None:
        """Serve the page in this loop, and what programs ask beside it."""
        from revier_gateway.console.app import build
        from revier_gateway.console.interfaces import ConsoleSettings, hosts_for
        from revier_gateway.console.server import serve

        console = self._config.console
        more = [] if self._config.metrics.port else self._health_routes()
        settings = ConsoleSettings(self._config.gateway.id, hosts_for(console.host, console.names))
        app = build(self.view, settings, more)
        log.info("page", url=f"http://{console.host}:{console.port}/")
        await serve(app, console.host, console.port)

    async def _metrics(self) -> None:
        """On a port of their own."""
        from revier_gateway import health
        from revier_gateway.console.server import serve

        metrics = self._config.metrics
        await serve(health.application(self._health_routes()), metrics.host, metrics.port)

    def _health_routes(self) -> list[Route]:
        from revier_gateway import health, metrics

        registry = metrics.registry(self.view, self.keeper)
        return health.routes(self._config.gateway.id, self.keeper.ready, registry)

    # -- presence

    def _online(self) -> Outgoing:
        source: Literal["online", "offline"] = "offline"
        if self.view.links()["source"] == "online":
            source = "online"
        waiting, caught_up_at = self._publisher.progress
        return feed.status_message(
            self._config,
            "online",
            source=source,
            since=self._since,
            problem=self._problem,
            waiting=waiting,
            caught_up_at=caught_up_at,
        )

    def _source_state(self, online: bool) -> None:
        changed = online != (self.view.links()["source"] == "online")
        self.view.set_link("source", online)
        self._gaps.keeper.source(online)
        self.keeper.set_link("source", online)
        if changed:
            self._publisher.announce()

    def _feed_state(self, online: bool) -> None:
        self.view.set_link("feed", online)
        self.keeper.set_link("feed", online)

    async def _say_goodbye(self) -> None:
        """Offline, said by ourselves: a clean end sends no last will."""
        link = self._feed_link
        if link is None:
            return
        goodbye = feed.status_message(self._config, "offline", reason="stopped")
        with contextlib.suppress(LinkLost, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                while link.window == 0:  # noqa: ASYNC110 - the end; polled for 2 s at most
                    await asyncio.sleep(0.01)
                link.publish([goodbye])
                while self._publisher.in_flight:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
