# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gaps' parts put together for the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from revier_gateway.config import Config
from revier_gateway.gaps.event_log import Recovery, Take, Wanted
from revier_gateway.gaps.keeper import Keeper
from revier_gateway.gaps.ledger import Ledger
from revier_gateway.gaps.outages import Outages
from revier_gateway.gaps.register import Register
from revier_gateway.pipeline import now_utc
from revier_gateway.store import Store
from revier_gateway.values import unix_ms
from revier_gateway.work import Work
from revier_inventory import Inventory

if TYPE_CHECKING:
    from revier_gateway.chirpstack import ChirpStack


class Gaps:
    """Raises ConfigError where ChirpStack's token is missing."""

    def __init__(
        self,
        config: Config,
        store: Store,
        inventory: Callable[[], Inventory],
        committed: Callable[[Work], None],
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._config = config
        self._chirpstack: ChirpStack | None = None
        if config.chirpstack is not None:
            _ = config.chirpstack.token
        outages = Outages(store, unix_ms(clock()))
        self.ledger = Ledger(store)
        self.register = Register(store, self.ledger, outages, inventory, config.feed.root)
        self.keeper = Keeper(
            store,
            self.ledger,
            self.register,
            outages,
            inventory,
            committed,
            clock,
            config.gaps.settle_s,
        )

    async def run(self, take: Take, wanted: Sequence[Wanted] = ()) -> None:
        """For ever. take: makes messages durable, as if the source had brought them."""
        settings = self._config.chirpstack
        if settings is None:
            await self.keeper.run(None, None, 1)
            return
        chirpstack = self.chirpstack()
        assert chirpstack is not None
        topic = self._config.source.topic
        try:
            recovery = Recovery(chirpstack, self.ledger, take, topic, wanted)
            await self.keeper.run(chirpstack, recovery, settings.streams_max)
        finally:
            await self.close()

    def chirpstack(self) -> ChirpStack | None:
        """The one channel to it, for commands too; None where it is not configured. Inside the
        event loop."""
        if self._chirpstack is None and self._config.chirpstack is not None:
            from revier_gateway.chirpstack import ChirpStack

            self._chirpstack = ChirpStack(self._config.chirpstack)
        return self._chirpstack

    async def close(self) -> None:
        chirpstack, self._chirpstack = self._chirpstack, None
        if chirpstack is not None:
            await chirpstack.close()
