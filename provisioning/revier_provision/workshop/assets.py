# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which asset a board is to serve: asked at most once, never the same for two boards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from revier_inventory import Asset, Inventory
from revier_provision.errors import OrderError
from revier_provision.ledger.records import Record

# (the proposal, every asset that is free) -> the name that was chosen
Ask = Callable[[Asset, Sequence[Asset]], str]


def planned(inventory: Inventory) -> tuple[Asset, ...]:
    """Assets that no device serves now, in the inventory's order."""
    served = {period.asset for period in inventory.periods if period.until is None}
    return tuple(asset for asset in inventory.assets if asset.asset not in served)


def take_proposal(proposal: Asset, _free: Sequence[Asset]) -> str:
    return proposal.asset


class AssetDesk:
    """Hands out assets to boards that are made side by side.

    `only` limits what may be proposed, and its order decides; empty: every planned asset.
    """

    def __init__(self, ask: Ask = take_proposal, only: Sequence[str] = ()) -> None:
        self._ask = ask
        self._only = tuple(only)
        self._lock = threading.Lock()
        self._taken: dict[str, str] = {}  # asset -> DevEUI

    def choose(
        self, dev_eui: str, wanted: str | None, inventory: Inventory, records: Iterable[Record]
    ) -> Asset:
        """The asset of this device, kept for it until this desk closes.

        What was asked for goes first, then what the device serves already, then what an earlier,
        broken run began; else the next planned asset is proposed. Raises OrderError.
        """
        with self._lock:
            name = wanted or self._known(dev_eui, inventory, records)
            if name is None:
                free = self._free(dev_eui, inventory)
                if not free:
                    cure = (
                        "Add some: revier-provision plan FILE --apply; or give --asset, --replace"
                    )
                    raise OrderError("The inventory has no planned asset left", cure)
                name = self._ask(free[0], free)
            asset = inventory.asset(name)
            if asset is None:
                cure = "Correct the name, or add it with: revier-provision plan FILE --apply"
                raise OrderError("The inventory has no asset {name!r}", cure, name=name)
            holder = self._taken.setdefault(name, dev_eui)
            if holder != dev_eui:
                problem = "The asset {name!r} was given to device {holder} a moment ago"
                raise OrderError(
                    problem, "Choose another asset for this board", name=name, holder=holder
                )
            return asset

    def _known(self, dev_eui: str, inventory: Inventory, records: Iterable[Record]) -> str | None:
        for period in inventory.periods_of_device(dev_eui):
            if period.until is None:
                return period.asset
        own = [r for r in records if r.dev_eui == dev_eui and r.asset]
        last = max(own, key=lambda record: (record.at, record.number), default=None)
        if last is None or last.event != "failed":
            return None
        free = {asset.asset for asset in self._free(dev_eui, inventory)}
        return last.asset if last.asset in free else None

    def _free(self, dev_eui: str, inventory: Inventory) -> list[Asset]:
        taken = {name for name, holder in self._taken.items() if holder != dev_eui}
        free = [asset for asset in planned(inventory) if asset.asset not in taken]
        if not self._only:
            return free
        by_name = {asset.asset: asset for asset in free}
        return [by_name[name] for name in self._only if name in by_name]
