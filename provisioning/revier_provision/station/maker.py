# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The workshop's page at work: boards of the site's table, made by workshop.make_node."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from revier_inventory.message import Message, joined
from revier_provision.workshop.assets import AssetDesk
from revier_provision.workshop.make_node import Bench, NodeMade, Wanted, make_node
from revier_provision.workshop.opened import open_books
from revier_provision.workshop.step_events import OnStep


class WorkshopMaker:
    """desk.Maker over a bench. Assets are handed out by one AssetDesk while any board is made, so
    two boards never get the same; afterwards it is forgotten, for a board may be replaced."""

    def __init__(self, bench: Bench, *, local_mac_ok: bool = False) -> None:
        self._bench = bench
        self._local_mac_ok = local_mac_ok
        self._lock = threading.Lock()
        self._desk = AssetDesk()
        self._running = 0

    def ports(self) -> dict[str, str]:
        return dict.fromkeys(self._bench.table.ports(), "")

    def make(
        self, port: str, asset: str | None, *, replace: bool, by: str, tell: OnStep
    ) -> Message:
        """Blocks. Raises ProvisionError, InventoryError."""
        wanted = Wanted(port=port, asset=asset, replace=replace, local_mac_ok=self._local_mac_ok)
        with self._assets() as desk:
            books = open_books(self._bench.site, by)
            bench = msgspec.structs.replace(self._bench, books=books, desk=desk)
            return _sentence(make_node(bench, wanted, tell))

    @contextmanager
    def _assets(self) -> Iterator[AssetDesk]:
        with self._lock:
            if self._running == 0:
                self._desk = AssetDesk()
            self._running += 1
            desk = self._desk
        try:
            yield desk
        finally:
            with self._lock:
                self._running -= 1


def _sentence(made: NodeMade) -> Message:
    said = [made.record.asset, made.record.dev_eui.upper()]
    return joined(" · ", [*said, made.proof.sentence()] if made.proof else said)
