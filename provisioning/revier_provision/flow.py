# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The way of one node: look, plan, do, record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from revier_inventory import (
    Inventory,
    Owner,
    RadioGateway,
    begin_period,
    end_period,
    put_owner,
    put_radio_gateway,
)
from revier_provision import identity, inventory_files
from revier_provision.errors import BoardError, OrderError
from revier_provision.links import (
    BOARD_DEFAULT,
    JOIN_EUI_NONE,
    Application,
    BoardLink,
    Device,
    KeyStore,
    NetworkServer,
    NodeOrder,
    NodeRecord,
)
from revier_provision.plan import (
    Plan,
    ServerState,
    Step,
    check_order,
    check_place,
    device_tags,
    make_plan,
)

Entropy = Callable[[int], bytes]
Progress = Callable[[str], None]


def provision_node(
    order: NodeOrder,
    board: BoardLink,
    network_server: NetworkServer | None,
    inventory_dir: Path,
    entropy: Entropy,
    progress: Progress = lambda _step: None,
    keys: KeyStore | None = None,
) -> NodeRecord:
    """Make the board behind `board` the node that `order` asks for.

    What is already right is left alone, so a run that failed is simply run again. Without a network
    server the node is not registered; run again with one. `progress` hears each step in words.

    The AppKey is made here from `entropy`, reserved in `keys`, goes to the board and to the network
    server and is written nowhere else. A key that both hold already is handed to `keys`, too.

    Raises ProvisionError (problem and cure) and revier_inventory.InventoryError.
    """
    inventory = inventory_files.read(inventory_dir)
    owner = check_order(order, inventory)
    progress("read the chip")
    dev_eui = identity.dev_eui_of(board.factory_mac(), order.dev_eui, local_ok=order.local_mac_ok)
    server = None
    if network_server is not None:
        progress("look at the network server")
        server = _look(owner, dev_eui, board, network_server, entropy, keys)
    plan = make_plan(order, dev_eui, inventory, board.state(), server)
    _recorded(inventory, order, plan, None)  # an inventory that will refuse, refuses now
    app_key = _write_board(order, plan, board, entropy, progress, keys)
    registration = None
    if network_server is not None and server is not None:
        registration = _register(order, owner, plan, app_key, network_server, server, progress)
    if Step.WRITE_INVENTORY in plan.steps:
        progress(Step.WRITE_INVENTORY)
        application = registration.application if registration else None
        inventory_files.change(inventory_dir, lambda now: _recorded(now, order, plan, application))
    return _record(order, plan, registration)


def order_from(
    board: BoardLink,
    inventory_dir: Path,
    *,
    local_mac_ok: bool = False,
    allotted: str | None = None,
) -> NodeOrder:
    """The order that repeats what board and inventory already say, to catch up what is missing.

    `allotted`: the DevEUI that the ledger says this chip got from the owner's block.
    """
    inventory = inventory_files.read(inventory_dir)
    dev_eui = identity.dev_eui_of(board.factory_mac(), allotted, local_ok=local_mac_ok)
    period = next((p for p in inventory.periods_of_device(dev_eui) if p.until is None), None)
    if period is None:
        cure = "Provision it first with: revier-provision node"
        raise OrderError(f"The inventory has no asset that device {dev_eui} serves now", cure)
    asset = inventory.asset(period.asset)
    assert asset is not None
    state = board.state()
    node_json = state.node_json or {}
    interval_s = node_json.get("interval_s")
    return NodeOrder(
        kind=asset.kind,
        asset=asset.asset,
        ags=asset.ags,
        since=period.since,
        board=str(node_json.get("board", BOARD_DEFAULT)),
        interval_s=interval_s if isinstance(interval_s, int) else None,
        join_eui=state.join_eui or JOIN_EUI_NONE,
        local_mac_ok=local_mac_ok,
        dev_eui=allotted,
    )


def register_radio_gateway(
    gateway: RadioGateway, ags: str, network_server: NetworkServer | None, inventory_dir: Path
) -> None:
    """Record the radio gateway and register it in the tenant of the owner `ags`."""
    owner = inventory_files.read(inventory_dir).owner_of(ags)
    if owner is None:
        raise OrderError(f"The inventory has no owner {ags!r}", "Add it to owners.toml")
    if network_server is not None:
        application = network_server.find_application(owner)
        application = application or network_server.create_application(owner)
        network_server.put_radio_gateway(application.tenant_id, gateway)
    owned = msgspec.structs.replace(gateway, ags=ags)
    inventory_files.change(inventory_dir, lambda inventory: put_radio_gateway(inventory, owned))


class _Registration(msgspec.Struct, frozen=True):
    application: Application
    device_profile_id: str


def _look(
    owner: Owner,
    dev_eui: str,
    board: BoardLink,
    network_server: NetworkServer,
    entropy: Entropy,
    keys: KeyStore | None,
) -> ServerState:
    application = network_server.find_application(owner)
    device = network_server.device(dev_eui)
    if device is None:
        return ServerState(application=application)
    if application is None or device.application_id != application.application_id:
        name = network_server.application_name(device.application_id)
        return ServerState(application=application, device=device, device_application_name=name)
    app_key = network_server.app_key(dev_eui)
    same_key = app_key is not None and _holds(board, app_key, entropy)
    if app_key is not None and same_key and keys is not None:
        keys.keep(dev_eui, app_key)
    return ServerState(application=application, device=device, same_key=same_key)


def _holds(board: BoardLink, app_key: bytes, entropy: Entropy) -> bool:
    challenge = entropy(identity.CHALLENGE_BYTES)
    return board.app_key_digest(challenge) == identity.app_key_digest(challenge, app_key)


def _write_board(
    order: NodeOrder,
    plan: Plan,
    board: BoardLink,
    entropy: Entropy,
    progress: Progress,
    keys: KeyStore | None,
) -> bytes | None:
    """Do the board's steps and read back; the new key if one was written."""
    app_key = None
    if Step.WRITE_IDENTITY in plan.steps:
        progress(Step.WRITE_IDENTITY)
        app_key = identity.new_app_key(entropy)
        if keys is not None:
            keys.reserve(plan.dev_eui, app_key)
        board.write_identity(plan.dev_eui, order.join_eui, app_key)
        if not _holds(board, app_key, entropy):
            cure = "Run again; if it repeats, the flash is worn or not formatted: use another board"
            raise BoardError("The key read back from the board is not the one written", cure)
    if Step.WRITE_NODE_JSON in plan.steps:
        progress(Step.WRITE_NODE_JSON)
        board.write_node_json(plan.node_json)
    state = board.state()
    same_identity = (state.dev_eui, state.join_eui) == (plan.dev_eui, order.join_eui)
    if not same_identity or state.node_json != plan.node_json:
        cure = "Run again; if it repeats, the flash is worn or full: use another board"
        raise BoardError("What was read back from the board is not what was written", cure)
    return app_key


def _register(
    order: NodeOrder,
    owner: Owner,
    plan: Plan,
    app_key: bytes | None,
    network_server: NetworkServer,
    server: ServerState,
    progress: Progress,
) -> _Registration:
    application = server.application
    if application is None:
        progress(Step.CREATE_APPLICATION)
        application = network_server.create_application(owner)
    profile_id = network_server.ensure_device_profile(
        application.tenant_id, order.kind, order.interval
    )
    profile_changed = server.device is not None and server.device.device_profile_id != profile_id
    if Step.PUT_DEVICE in plan.steps or profile_changed:
        progress(Step.PUT_DEVICE)
        network_server.put_device(_device(order, plan.dev_eui, application, profile_id))
    if app_key is not None:
        progress(Step.SET_APP_KEY)
        network_server.set_app_key(plan.dev_eui, app_key)
        progress(Step.FLUSH_DEV_NONCES)
        network_server.flush_dev_nonces(plan.dev_eui)
    return _Registration(application, profile_id)


def _device(order: NodeOrder, dev_eui: str, application: Application, profile_id: str) -> Device:
    return Device(
        dev_eui=dev_eui,
        join_eui=order.join_eui,
        name=order.asset,
        application_id=application.application_id,
        device_profile_id=profile_id,
        tags=device_tags(order),
    )


def _recorded(
    inventory: Inventory, order: NodeOrder, plan: Plan, application: Application | None
) -> Inventory:
    """The inventory with this node in it. It may have changed since the plan was made."""
    owner = check_order(order, inventory)
    check_place(order, plan.dev_eui, inventory)
    if application is not None:
        inventory = put_owner(inventory, with_application(owner, application))
    for period in inventory.periods_of_asset(order.asset):
        if period.until is None and period.dev_eui != plan.dev_eui:
            inventory = end_period(inventory, period.dev_eui, order.since)
    return begin_period(inventory, plan.dev_eui, order.asset, order.since)


def with_application(owner: Owner, application: Application) -> Owner:
    tenant_ids, application_ids = list(owner.tenant_ids), list(owner.application_ids)
    if application.tenant_id not in tenant_ids:
        tenant_ids.append(application.tenant_id)
    if application.application_id not in application_ids:
        application_ids.append(application.application_id)
    return msgspec.structs.replace(
        owner, tenant_ids=tuple(tenant_ids), application_ids=tuple(application_ids)
    )


def _record(order: NodeOrder, plan: Plan, registration: _Registration | None) -> NodeRecord:
    return NodeRecord(
        dev_eui=plan.dev_eui,
        join_eui=order.join_eui,
        kind=order.kind,
        asset=order.asset,
        ags=order.ags,
        board=order.board,
        registered=registration is not None,
        rekeyed=plan.rekey,
        tenant_id=registration.application.tenant_id if registration else None,
        application_id=registration.application.application_id if registration else None,
        device_profile_id=registration.device_profile_id if registration else None,
        steps=tuple(plan.steps),
    )
