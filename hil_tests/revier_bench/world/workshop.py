# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Before the world begins: every board gets its identity and its place, by revier-provision.

The order of all that makes ids is fixed, and each key has its own stream of the seed, so equal
seeds give equal fleets. The world's clock starts afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from revier_bench.world.boards import new_flash
from revier_bench.world.chance import stream
from revier_bench.world.flash_board import FlashBoard
from revier_bench.world.fleet import DISTRICT_AGS, Fleet, FleetNode
from revier_provision import ChirpStack, NodeOrder, provision_node, register_radio_gateway
from revier_provision.inventory_files import write as write_inventory
from revier_provision.links import BoardLink, BoardState

PARALLEL = 4  # boards at one time


class WorkshopError(RuntimeError):
    """A board could not be provisioned."""


@dataclass(frozen=True, slots=True)
class ReadyNode:
    """A provisioned node. Besides board and network server only the bench knows the key."""

    node: FleetNode
    dev_eui: str
    app_key: bytes
    flash_image: Path


class KeyKeeper:
    """A BoardLink that remembers the key which went through it: the truth log decrypts with it.

    `more`: settings beside those that provisioning writes.
    """

    def __init__(self, board: BoardLink, more: dict[str, object]) -> None:
        self._board = board
        self._more = more
        self.app_key = b""

    def factory_mac(self) -> bytes:
        return self._board.factory_mac()

    def state(self) -> BoardState:
        return self._board.state()

    def write_identity(self, dev_eui: str, join_eui: str, app_key: bytes) -> None:
        self.app_key = app_key
        self._board.write_identity(dev_eui, join_eui, app_key)

    def app_key_digest(self, challenge: bytes) -> bytes | None:
        return self._board.app_key_digest(challenge)

    def write_settings(self, settings: dict[str, object]) -> None:
        self._board.write_settings({**settings, **self._more})


@dataclass(slots=True)
class Workshop:
    """`firmware` is the flash image without identity; each board gets a copy in `work_dir`."""

    fleet: Fleet
    seed: str
    firmware: Path
    work_dir: Path
    build_dir: Path  # what is compiled once and kept
    inventory_dir: Path
    network_server: ChirpStack
    start_unix_us: int
    progress: Callable[[str], None] = lambda _text: None

    def provision(self) -> list[ReadyNode]:
        """Raises WorkshopError, ProvisionError."""
        self._prepare()
        with ThreadPoolExecutor(PARALLEL, "technician") as technicians:
            return list(technicians.map(self._one, self.fleet.nodes))

    def _prepare(self) -> None:
        """Inventory, tenants, applications and profiles, one after the other."""
        inventory = self.fleet.inventory()
        write_inventory(self.inventory_dir, inventory)
        for gateway in self.fleet.radio_gateways:
            register_radio_gateway(
                gateway.to_record(), DISTRICT_AGS, self.network_server, self.inventory_dir
            )
        for node in self.fleet.nodes:
            owner = inventory.owner_of(node.ags)
            assert owner is not None
            application = self.network_server.find_application(owner)
            if application is None:
                application = self.network_server.create_application(owner)
            self.network_server.ensure_device_profile(
                application.tenant_id, node.kind, node.reading_interval_s
            )

    def _one(self, node: FleetNode) -> ReadyNode:
        flash_image = new_flash(node, self.firmware, self.work_dir)
        more: dict[str, object] = {"report": node.report} if node.report else {}
        keeper = KeyKeeper(FlashBoard(node.mac, flash_image, self.build_dir), more)
        order = NodeOrder(
            kind=node.kind,
            asset=node.asset,
            ags=node.ags,
            since=datetime.fromtimestamp(self.start_unix_us / 1_000_000, UTC),
            board=node.board,
            interval_s=node.reading_interval_s,
            local_mac_ok=True,
        )
        entropy = stream(self.seed, f"entropy:{node.asset}").randbytes
        record = provision_node(order, keeper, self.network_server, self.inventory_dir, entropy)
        if not keeper.app_key:
            raise WorkshopError(f"{node.asset}: its flash had an identity already: use a new one")
        self.progress(f"provisioned {node.asset} as {record.dev_eui}")
        return ReadyNode(node, record.dev_eui, keeper.app_key, flash_image)
