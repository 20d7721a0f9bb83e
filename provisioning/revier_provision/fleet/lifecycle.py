# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's later life: another board takes its asset, it gets a new key, it goes.

Whoever replaces a board leaves the old device registered, without its tag `asset`: ChirpStack
drops what a disabled or deleted device sends, and a device that is tagged with an asset which
another one serves now is refused by the gateway. Untagged, what it measured before the change and
sends late goes to the asset that it served then. `retire` ends that, when the old board is in hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from revier_inventory import DevicePeriod, Inventory, end_period
from revier_inventory.message import _
from revier_provision import identity, inventory_files
from revier_provision.books import (
    Books,
    FirmwareBoard,
    allotted_to,
    provision_entered,
)
from revier_provision.errors import BoardError, OrderError
from revier_provision.flow import Entropy, Progress, order_from
from revier_provision.ledger.records import StepResult
from revier_provision.links import (
    BOARD_DEFAULT,
    JOIN_EUI_NONE,
    BoardLink,
    NetworkServer,
    NodeOrder,
    NodeRecord,
)

SHORTEST = timedelta(seconds=1)  # that a device can have served
KEY_ON_BOARD = "the key is still on the board: wipe it when it is in hand"


class FleetServer(NetworkServer, Protocol):
    """A network server from which devices can go. Every call may raise NetworkServerError."""

    def release(self, dev_eui: str, name: str) -> bool:
        """Take the tag `asset` off and name it so; False: nothing had to be done."""

    def delete_device(self, dev_eui: str) -> bool:
        """With its keys; False: it was not there."""


class FleetBoard(FirmwareBoard, Protocol):
    def wipe(self) -> None:
        """Identity, key, session and /node.json go; the counters stay."""


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """`old_dev_eui` None: nothing served the asset. `old_kept`: it stays for late readings."""

    record: NodeRecord
    old_dev_eui: str | None
    old_kept: bool


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """What this run did; `asset` is the one that the device served last."""

    dev_eui: str
    asset: str
    was_registered: bool
    period_ended: bool
    wiped: bool


def dev_eui_of_board(board: BoardLink, books: Books, *, local_mac_ok: bool = False) -> str:
    """The DevEUI that this chip has or would get."""
    mac = board.factory_mac()
    return identity.dev_eui_of(mac, allotted_to(books.ledger.records(), mac), local_ok=local_mac_ok)


def replacement_order(
    inventory: Inventory,
    asset_name: str,
    since: datetime,
    *,
    board: str = BOARD_DEFAULT,
    interval_s: int | None = None,
    join_eui: str = JOIN_EUI_NONE,
    local_mac_ok: bool = False,
) -> NodeOrder:
    """The order by which another board takes the asset."""
    asset = inventory.asset(asset_name)
    if asset is None:
        cure = "Correct the name; see all with: revier-provision status"
        raise OrderError("The inventory has no asset {asset_name!r}", cure, asset_name=asset_name)
    return NodeOrder(
        kind=asset.kind,
        asset=asset.asset,
        ags=asset.ags,
        since=since,
        board=board,
        interval_s=interval_s,
        join_eui=join_eui,
        replace=True,
        local_mac_ok=local_mac_ok,
    )


def replace(
    order: NodeOrder,
    board: FleetBoard,
    server: FleetServer | None,
    inventory_dir: Path,
    entropy: Entropy,
    books: Books,
    progress: Progress = lambda _step: None,
) -> Replacement:
    """The board takes the asset; the old device's period ends when the new one's begins.

    Run again after a failure, it does what is still missing.
    """
    before = inventory_files.read(inventory_dir)
    since = since_after(before.periods_of_asset(order.asset), order.since)
    order = msgspec.structs.replace(order, since=since)
    new = order.dev_eui or dev_eui_of_board(board, books, local_mac_ok=order.local_mac_ok)
    record = provision_entered(
        lambda _: order, board, server, inventory_dir, entropy, books, progress, event="replaced"
    )
    old = predecessor(before, order.asset, new)
    kept = server is not None and release_old(before, order.asset, old, server, progress)
    return Replacement(record=record, old_dev_eui=old, old_kept=kept)


def predecessor(inventory: Inventory, asset: str, dev_eui: str) -> str | None:
    """The device that served the asset before this one."""
    others = [p for p in inventory.periods_of_asset(asset) if p.dev_eui != dev_eui]
    return others[-1].dev_eui if others else None


def release_old(
    inventory: Inventory,
    asset: str,
    old: str | None,
    server: FleetServer,
    progress: Progress = lambda _step: None,
) -> bool:
    """The old device stays in the server without the asset. False: it is not there, or serves
    another one."""
    elsewhere = any(
        p.until is None and p.asset != asset for p in inventory.periods_of_device(old or "")
    )
    if not old or elsewhere or server.device(old) is None:
        return False
    progress(_("take the asset off the old device"))
    server.release(old, f"{asset} (replaced)")
    return True


def rekey(
    board: FleetBoard,
    server: FleetServer,
    inventory_dir: Path,
    entropy: Entropy,
    books: Books,
    progress: Progress = lambda _step: None,
    *,
    board_name: str | None = None,
    local_mac_ok: bool = False,
) -> NodeRecord:
    """A new key: reserved, on the board, in the server, its DevNonces flushed there.

    The board's next DevNonce stays what it is. A board that lost identity or /node.json gets them
    back; `board_name` is its description if /node.json is lost.
    """

    def order_for(link: BoardLink) -> NodeOrder:
        allotted = allotted_to(books.ledger.records(), link.factory_mac())
        order = order_from(link, inventory_dir, local_mac_ok=local_mac_ok, allotted=allotted)
        state = link.state()
        if state.node_json is None and board_name is None:
            cure = "Give --board with the name of its description"
            raise OrderError("The board has lost /node.json, and with it what board it is", cure)
        join_eui = state.join_eui
        if join_eui is None:
            device = server.device(dev_eui_of_board(link, books, local_mac_ok=local_mac_ok))
            join_eui = device.join_eui if device is not None else JOIN_EUI_NONE
        return msgspec.structs.replace(
            order, rekey=True, join_eui=join_eui, board=board_name or order.board
        )

    return provision_entered(
        order_for, board, server, inventory_dir, entropy, books, progress, event="rekeyed"
    )


def retire(
    dev_eui: str,
    board: FleetBoard | None,
    server: FleetServer,
    inventory_dir: Path,
    books: Books,
    at: datetime,
    progress: Progress = lambda _step: None,
    *,
    local_mac_ok: bool = False,
) -> Retirement:
    """Out of the server first, so that its key is worth nothing; then the period's end; the board.

    Run again, with the board, it does what is still missing.
    """
    if board is not None:
        _check_board(dev_eui, board, books, local_mac_ok=local_mac_ok)
    inventory = inventory_files.read(inventory_dir)
    periods = inventory.periods_of_device(dev_eui)
    _check_ours(dev_eui, server, inventory)
    if board is None and not periods:
        _check_known(dev_eui, server, books)
    steps: list[StepResult] = []
    progress(_("delete the device in the network server"))
    was_registered = server.delete_device(dev_eui)
    steps.append(StepResult("delete the device in the network server", "done"))
    is_open = bool(periods) and periods[-1].until is None
    if is_open:
        at = max(at, periods[-1].since + SHORTEST)
        progress(_("end its period in the inventory"))
        inventory_files.change(inventory_dir, lambda now: end_period(now, dev_eui, at))
        steps.append(StepResult("end its period in the inventory", "done"))
    if board is not None:
        progress(_("wipe the board"))
        _wipe(board)
        steps.append(StepResult("wipe the board", "done"))
    last = inventory.asset(periods[-1].asset) if periods else None
    books.enter(
        "retired",
        dev_eui=dev_eui,
        chip_mac=board.factory_mac().hex() if board is not None else "",
        asset=last.asset if last is not None else "",
        ags=last.ags if last is not None else "",
        steps=tuple(steps),
        note="" if board is not None else KEY_ON_BOARD,
    )
    return Retirement(
        dev_eui=dev_eui,
        asset=last.asset if last is not None else "",
        was_registered=was_registered,
        period_ended=is_open,
        wiped=board is not None,
    )


def _check_ours(dev_eui: str, server: FleetServer, inventory: Inventory) -> None:
    """Somebody else's device is not ours to delete, whatever the token permits."""
    device = server.device(dev_eui)
    ours = {each for owner in inventory.owners for each in owner.application_ids}
    if device is not None and device.application_id not in ours:
        name = server.application_name(device.application_id)
        problem = (
            "ChirpStack has device {dev_eui} in the application {name!r}, which is none of this "
            "inventory's owners"
        )
        cure = "If it shall go, delete it in ChirpStack's pages, then run this again"
        raise OrderError(problem, cure, dev_eui=dev_eui, name=name)


def _check_known(dev_eui: str, server: FleetServer, books: Books) -> None:
    """Refuse a DevEUI that is nobody's: it is mistyped, and the device that is meant stays."""
    if server.device(dev_eui) is None and all(
        record.dev_eui != dev_eui for record in books.ledger.records()
    ):
        cure = "Correct it, as on the label; see all with: revier-provision status"
        problem = "Neither inventory, ledger nor ChirpStack knows a device {dev_eui}"
        raise OrderError(problem, cure, dev_eui=dev_eui)


def since_after(periods: Sequence[DevicePeriod], since: datetime) -> datetime:
    """A device that took the asset a moment ago has served it for a second at least."""
    starts = [period.since + SHORTEST for period in periods if period.until is None]
    return max([since, *starts])


def _check_board(dev_eui: str, board: FleetBoard, books: Books, *, local_mac_ok: bool) -> None:
    held = board.state().dev_eui
    own = dev_eui_of_board(board, books, local_mac_ok=local_mac_ok)
    if dev_eui not in (held, own):
        cure = "Connect the board of {dev_eui}, or retire this one with its own DevEUI"
        raise OrderError(
            "The board is not {dev_eui}, but {found}", cure, dev_eui=dev_eui, found=held or own
        )


def _wipe(board: FleetBoard) -> None:
    board.wipe()
    state = board.state()
    left = state.dev_eui or state.join_eui or state.has_app_key or state.node_json is not None
    if left or board.app_key_digest(bytes(identity.CHALLENGE_BYTES)) is not None:
        cure = "Run again; if it repeats, erase it all: revier-provision flash --erase --image FILE"
        raise BoardError("What was wiped is still on the board", cure)
