# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From what is asked for and what is there to what is to be done. Pure.

The key goes to the board first and to the network server after it. A run that is cut anywhere
leaves either the same key at both ends, and the next run keeps it, or not, and the next run makes a
new one: no run needs to know what an earlier one did. Only a key that the vault gives back here,
and that the board proves to hold, is kept though the network server does not have it.
"""

from __future__ import annotations

import re

import msgspec

from revier_inventory import Inventory, Owner
from revier_inventory.message import Spoken
from revier_inventory.model import EUI
from revier_payload.downlinks import BY_NAME
from revier_provision.errors import OrderError
from revier_provision.links import Application, BoardState, Device, NodeOrder

BOARD_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,31}\Z")
INTERVAL = BY_NAME["interval"]
KEPT = ("settings", "before", "reverted")  # of /node.json: the node's own, by downlink or by cable


class Step(Spoken):
    """In the order in which they are done."""

    CREATE_APPLICATION = "create application"
    WRITE_IDENTITY = "write identity and key to the board"
    WRITE_NODE_JSON = "write /node.json"
    PUT_DEVICE = "register the device"
    SET_APP_KEY = "set the key in the network server"
    FLUSH_DEV_NONCES = "flush the DevNonces"
    WRITE_INVENTORY = "record in the inventory"


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """What the network server holds for this node.

    `application` is the owner's, `device_application_name` that of the device. `same_key`: the
    board proved that it holds the key that the server has. `key_known`: it proved that it holds
    one that is known here (from the vault), so the server can be given that.
    """

    application: Application | None = None
    device: Device | None = None
    device_application_name: str = ""
    same_key: bool = False
    key_known: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done; `rekey`: the board gets a new key. `node_json`: of /node.json then."""

    dev_eui: str
    steps: tuple[Step, ...]
    rekey: bool
    node_json: dict[str, object]


def check_order(order: NodeOrder, inventory: Inventory) -> Owner:
    """The owner of the ordered node. Raises OrderError when order and inventory disagree."""
    _check_values(order)
    asset = inventory.asset(order.asset)
    if asset is None:
        cure = "Correct the name, or give --name, --lon and --lat to create the asset"
        raise OrderError("The inventory has no asset {asset!r}", cure, asset=order.asset)
    if asset.kind != order.kind:
        problem = "The asset {asset!r} is of kind {kind}, the order says {order_kind}"
        raise OrderError(
            problem,
            "Order a node of kind {kind}, or choose another asset",
            asset=order.asset,
            kind=asset.kind,
            order_kind=order.kind,
        )
    if asset.ags != order.ags:
        problem = "The asset {asset!r} belongs to {ags}, the order says {order_ags}"
        raise OrderError(
            problem,
            "Order with --ags {ags}, or choose another asset",
            asset=order.asset,
            ags=asset.ags,
            order_ags=order.ags,
        )
    if order.since.tzinfo is None:
        raise OrderError("The time of installation has no time zone", "Write it as ...T08:00:00Z")
    owner = inventory.owner_of(order.ags)
    assert owner is not None, "the inventory checks that every asset has an owner"
    return owner


def _check_values(order: NodeOrder) -> None:
    if not EUI.match(order.join_eui):
        cure = "Write 16 hex digits, or leave it out"
        raise OrderError(
            "The JoinEUI {join_eui!r} is not of the right form", cure, join_eui=order.join_eui
        )
    if not BOARD_NAME.match(order.board):
        cure = "Give the board's name as in docs/hardware, for example heltec_v3"
        raise OrderError(
            "The board name {board!r} is not of the right form", cure, board=order.board
        )
    if not INTERVAL.low <= order.interval <= INTERVAL.high:
        cure = "Choose {low} to {high} s"
        raise OrderError(
            "An interval of {interval} s is not possible",
            cure,
            interval=order.interval,
            low=INTERVAL.low,
            high=INTERVAL.high,
        )


def check_place(order: NodeOrder, dev_eui: str, inventory: Inventory) -> None:
    """Refuse to take an asset from another device unless the order says replace."""
    for period in inventory.periods_of_asset(order.asset):
        if period.until is None and period.dev_eui != dev_eui and not order.replace:
            problem = "The asset {asset!r} is still served by device {dev_eui}"
            raise OrderError(
                problem,
                "Give --replace if this board takes its place",
                asset=order.asset,
                dev_eui=period.dev_eui,
            )


def make_plan(
    order: NodeOrder,
    dev_eui: str,
    inventory: Inventory,
    board: BoardState,
    server: ServerState | None,
) -> Plan:
    """The steps that are missing; `server` None: work without a network server."""
    check_place(order, dev_eui, inventory)
    if server is not None:
        _check_device(order, dev_eui, server)
    identity_whole = (
        board.dev_eui == dev_eui and board.join_eui == order.join_eui and board.has_app_key
    )
    node_json = _node_json(order, dev_eui, inventory, board)
    keep = server is None or server.same_key or server.key_known
    rekey = order.rekey or not identity_whole or not keep
    set_key = server is not None and (rekey or not server.same_key)
    wanted = {
        Step.CREATE_APPLICATION: server is not None and server.application is None,
        Step.WRITE_IDENTITY: rekey,
        Step.WRITE_NODE_JSON: board.node_json != node_json,
        Step.PUT_DEVICE: server is not None and not _registered(order, dev_eui, server),
        Step.SET_APP_KEY: set_key,
        Step.FLUSH_DEV_NONCES: set_key,
        Step.WRITE_INVENTORY: not _recorded(order, dev_eui, inventory, server),
    }
    steps = tuple(step for step in Step if wanted[step])
    return Plan(dev_eui=dev_eui, steps=steps, rekey=rekey, node_json=node_json)


def _node_json(
    order: NodeOrder, dev_eui: str, inventory: Inventory, board: BoardState
) -> dict[str, object]:
    """Settings stay on a board that serves the asset already: they are of its place."""
    held = board.node_json or {}
    stays = held.get("kind") == order.kind and _serves(order, dev_eui, inventory)
    return order.node_json() | {key: held[key] for key in KEPT if stays and key in held}


def device_tags(order: NodeOrder) -> dict[str, str]:
    """The data platform's contract: devices are tagged with `asset` and `ags` and nothing else."""
    return {"asset": order.asset, "ags": order.ags}


def _check_device(order: NodeOrder, dev_eui: str, server: ServerState) -> None:
    device, application = server.device, server.application
    if device is None:
        return
    if application is None or device.application_id != application.application_id:
        problem = (
            "The network server has device {dev_eui} in the application "
            "{device_application_name!r}, not in that of {ags}"
        )
        cure = "Delete it there if this board has changed its owner, then run this again"
        raise OrderError(
            problem,
            cure,
            dev_eui=dev_eui,
            device_application_name=server.device_application_name,
            ags=order.ags,
        )


def _registered(order: NodeOrder, dev_eui: str, server: ServerState) -> bool:
    device = server.device
    return (
        device is not None
        and device.dev_eui == dev_eui
        and device.join_eui == order.join_eui
        and device.name == order.asset
        and device.tags == device_tags(order)
    )


def _serves(order: NodeOrder, dev_eui: str, inventory: Inventory) -> bool:
    return any(
        period.until is None and period.asset == order.asset
        for period in inventory.periods_of_device(dev_eui)
    )


def _recorded(
    order: NodeOrder, dev_eui: str, inventory: Inventory, server: ServerState | None
) -> bool:
    serves = _serves(order, dev_eui, inventory)
    application = server.application if server is not None else None
    if server is None:
        return serves
    return (
        serves
        and application is not None
        and inventory.may_write(application.tenant_id, application.application_id, order.ags)
    )
