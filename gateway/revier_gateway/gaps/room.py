# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gaps' parts put together for the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

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
        if config.chirpstack is not None:
            _ = config.chirpstack.token
        outages = Outages(store, unix_ms(clock()))
        self.ledger = Ledger(store.database)
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
        from revier_gateway.chirpstack import ChirpStack

        chirpstack = ChirpStack(settings)
        topic = self._config.source.topic
        try:
            recovery = Recovery(chirpstack, self.ledger, take, topic, wanted)
            await self.keeper.run(chirpstack, recovery, settings.streams_max)
        finally:
            await chirpstack.close()
