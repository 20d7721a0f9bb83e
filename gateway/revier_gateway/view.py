# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The read model of the page: bounded, filled after each commit, rebuilt from the store at start.

Observations are read from the store when somebody looks: a catch-up of a million readings must not
pay for a page that nobody has open, nor 10,000 of them wait in memory for one.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from revier_gateway.outcomes import Outcome
from revier_gateway.store import Store
from revier_gateway.values import instant
from revier_gateway.watch.standing import Standing
from revier_gateway.work import RADIO_GATEWAY, Work, added
from revier_inventory import Inventory

RECENT_MAX = 50
LISTENER_QUEUE_MAX = 200
LISTENERS_MAX = 100

Json = dict[str, Any]
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class AssetView(msgspec.Struct, frozen=True):
    asset: str
    ags: str
    domain: str
    name: str
    lon: float
    lat: float
    latest: Json | None
    status: str  # online, late, offline, unknown
    cause: str  # why it is unknown
    last_seen: str | None


class RadioGatewayView(msgspec.Struct, frozen=True):
    id: str
    name: str
    lon: float | None
    lat: float | None
    last_seen: str | None
    frames: int


class View:
    def __init__(
        self,
        store: Store,
        inventory: Inventory,
        standing: Callable[[str], Standing],
        last_ms: Callable[[str], int | None],
    ) -> None:
        """As the watch sees an asset: its standing now, and when its device was heard last."""
        self._standing = standing
        self._last_ms = last_ms
        self._store = store
        self._radio_gateways = {
            one: at for (role, one), at in store.heard().items() if role == RADIO_GATEWAY
        }
        self._counters = store.counters()
        self._recent: deque[bytes] = deque(maxlen=RECENT_MAX)
        self._listeners: list[asyncio.Queue[Json]] = []
        self._links = {"source": "offline", "feed": "offline"}
        self.set_inventory(inventory)

    # -- filled by the service

    def set_inventory(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def set_link(self, name: str, online: bool) -> None:
        self._links[name] = "online" if online else "offline"

    def apply(self, work: Work, outcomes: Sequence[Outcome]) -> None:
        """A batch was committed."""
        for name, (last_ms, frames) in work.heard.radio_gateways.items():
            before = self._radio_gateways.get(name, (last_ms, 0))
            self._radio_gateways[name] = added(before, last_ms, frames)
        for name, value in work.counters.items():
            self._counters[name] = self._counters.get(name, 0) + value
        self._tell(outcomes)

    def count(self, name: str, value: int) -> None:
        """A figure of the moment, such as rows that wait."""
        self._counters[name] = value

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        if not self._listeners:  # only the last ones are ever asked for
            outcomes = _last_published(outcomes, RECENT_MAX)
        for outcome in outcomes:
            for message in outcome.messages:
                if message.kind == "obs":
                    self._recent.append(message.payload)
                    for queue in self._listeners:
                        if queue.full():
                            queue.get_nowait()
                        queue.put_nowait(_decode(message.payload))

    # -- read by the page

    def assets(self) -> list[AssetView]:
        return [self._asset_view(asset.asset) for asset in self._inventory.assets]

    def states(self) -> Iterable[tuple[str, str, str]]:
        """Municipality, domain and status of each asset: what costs no look into the store."""
        for asset in self._inventory.assets:
            yield asset.ags, asset.domain, self._standing(asset.asset).state

    def _asset_view(self, name: str) -> AssetView:
        asset = self._inventory.asset(name)
        assert asset is not None
        newest = self._store.newest_payload(name)
        last_ms = self._last_ms(name)
        standing = self._standing(name)
        return AssetView(
            asset=asset.asset,
            ags=asset.ags,
            domain=asset.domain,
            name=asset.name,
            lon=asset.lon,
            lat=asset.lat,
            latest=_decode(newest) if newest else None,
            status=standing.state,
            cause=standing.cause,
            last_seen=_instant(self._store.latest_ms(name) if last_ms is None else last_ms),
        )

    def radio_gateways(self) -> list[RadioGatewayView]:
        """Those of the inventory, and any other that was heard."""
        known = {gateway.gateway_id: gateway for gateway in self._inventory.radio_gateways}
        others = sorted(name for name in self._radio_gateways if name not in known)
        views = []
        for gateway_id in (*known, *others):
            gateway = known.get(gateway_id)
            last_ms, frames = self._radio_gateways.get(gateway_id, (None, 0))
            views.append(
                RadioGatewayView(
                    id=gateway_id,
                    name=gateway.name if gateway else gateway_id,
                    lon=gateway.lon if gateway else None,
                    lat=gateway.lat if gateway else None,
                    last_seen=_instant(last_ms),
                    frames=frames,
                )
            )
        return views

    def history(self, asset: str) -> list[tuple[str, Json]]:
        """(t, m) of the newest observations, oldest first."""
        messages = (_decode(payload) for _, payload in self._store.history(asset))
        return [(message["t"], message["m"]) for message in messages]

    def counters(self) -> dict[str, int]:
        return dict(sorted(self._counters.items()))

    def recent(self) -> list[Json]:
        """The last feed messages, oldest first."""
        return [_decode(payload) for payload in self._recent]

    def links(self) -> dict[str, str]:
        return dict(self._links)

    def listen(self) -> asyncio.Queue[Json]:
        """New feed messages; a slow listener loses the oldest. Raises OverflowError."""
        if len(self._listeners) >= LISTENERS_MAX:
            raise OverflowError(f"more than {LISTENERS_MAX} listeners")
        queue: asyncio.Queue[Json] = asyncio.Queue(LISTENER_QUEUE_MAX)
        self._listeners.append(queue)
        return queue

    def unlisten(self, queue: asyncio.Queue[Json]) -> None:
        if queue in self._listeners:
            self._listeners.remove(queue)


def _last_published(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """In order; each has an observation, except alarms, which are few."""
    published = (outcome for outcome in reversed(outcomes) if outcome.kind == "published")
    return list(itertools.islice(published, 2 * count))[::-1]


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else instant(datetime.fromtimestamp(at_ms / 1000, UTC))
