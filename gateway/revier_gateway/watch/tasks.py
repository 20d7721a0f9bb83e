# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The watch's tasks. What its settings ask for begins, ends and begins anew as they change."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from revier_gateway.config import Config
from revier_gateway.mqtt.keep import keep
from revier_gateway.mqtt.link import Connect
from revier_gateway.watch import canary_reader, deadman
from revier_gateway.watch.keeper import Keeper

Work = Coroutine[Any, Any, None]


class WatchTasks:
    def __init__(self, config: Config, keeper: Keeper, connect: Connect) -> None:
        self._config = config
        self._keeper = keeper
        self._connect = connect
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._start("watch", self._keeper.run())
        self._start("alerts", self._keeper.tell())
        self._start("certificates", self._keeper.look_at_certificates())
        for name in ("canary", "deadman"):
            self._start(name, self._asked_for(name))

    def renew(self, config: Config) -> None:
        """The configuration from now on."""
        before, after = self._config.watch, config.watch
        self._config = config
        if self._group is None:
            return
        if (before.canary_every_s > 0) != (after.canary_every_s > 0):
            self._again("canary")
            self._keeper.set_link("canary", False)
        deadman_keys = ("deadman_url", "deadman_every_s")
        if any(getattr(before, key) != getattr(after, key) for key in deadman_keys):
            self._again("deadman")

    def cancel(self) -> None:
        self._group = None
        for task in self._tasks.values():
            task.cancel()

    def _again(self, name: str) -> None:
        if task := self._tasks.pop(name, None):
            task.cancel()
        self._start(name, self._asked_for(name))

    def _start(self, name: str, work: Work | None) -> None:
        if work is None:
            return
        assert self._group is not None
        self._tasks[name] = self._group.create_task(work, name=f"revier.gateway.{name}")

    def _asked_for(self, name: str) -> Work | None:
        watch = self._config.watch
        if name == "canary":
            return self._read_canaries() if watch.canary_every_s else None
        if not watch.deadman_url:
            return None
        healthy = self._keeper.is_healthy
        return deadman.ping_while_healthy(watch.deadman_url, watch.deadman_every_s, healthy)

    def _read_canaries(self) -> Work:
        reader = canary_reader.CanaryReader(self._config, self._keeper.canary_came_back)
        return keep(
            "canary",
            lambda: canary_reader.link_settings(self._config),
            reader.use,
            self._connect,
            lambda online: self._keeper.set_link("canary", online),
        )
