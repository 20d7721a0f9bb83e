# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The way of one node: look, plan, do, record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
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
from revier_inventory.message import NOTHING, Message, _
from revier_provision import identity, inventory_files
from revier_provision.errors import BoardError, NetworkServerError, OrderError
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
Progress = Callable[[Message], None]


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
    making = Making(order, board, network_server, inventory_dir, entropy, keys, progress)
    making.look()
    making.write_board()
    making.register()
    return making.record()


class Making:
    """One node on its way, in the order look, write_board, register, record.

    `shared` is held while something is made that all nodes of an owner share (application, device
    profile): who makes nodes side by side gives one lock for all.
    """

    def __init__(
        self,
        order: NodeOrder,
        board: BoardLink,
        network_server: NetworkServer | None,
        inventory_dir: Path,
        entropy: Entropy,
        keys: KeyStore | None = None,
        progress: Progress = lambda _step: None,
        shared: AbstractContextManager[object] | None = None,
    ) -> None:
        self.order = order
        self._board = board
        self._network_server = network_server
        self._inventory_dir = inventory_dir
        self._entropy = entropy
        self._keys = keys
        self._progress = progress
        self._shared = shared or nullcontext()
        self._server: ServerState | None = None
        self._app_key: bytes | None = None  # to be set in the network server
        self._registration: _Registration | None = None
        self._plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        assert self._plan is not None, "look() first"
        return self._plan

    def look(self) -> Plan:
        """What is there and what is to be done. Writes nothing to board or network server."""
        inventory = inventory_files.read(self._inventory_dir)
        owner = check_order(self.order, inventory)
        self._progress(_("read the chip"))
        mac = self._board.factory_mac()
        dev_eui = identity.dev_eui_of(mac, self.order.dev_eui, local_ok=self.order.local_mac_ok)
        if self._network_server is not None:
            self._progress(_("look at the network server"))
            self._server = self._look(owner, dev_eui, self._network_server)
        self._plan = make_plan(self.order, dev_eui, inventory, self._board.state(), self._server)
        # an inventory that will refuse, refuses now
        _recorded(inventory, self.order, self._plan, None)
        return self._plan

    def write_board(self) -> None:
        """Identity, key and settings, and read back."""
        plan, board = self.plan, self._board
        if Step.WRITE_IDENTITY in plan.steps:
            self._progress(Step.WRITE_IDENTITY.words)
            self._app_key = app_key = identity.new_app_key(self._entropy)
            if self._keys is not None:
                self._keys.reserve(plan.dev_eui, app_key)
            board.write_identity(plan.dev_eui, self.order.join_eui, app_key)
            if not self._holds(app_key):
                cure = "Run again; if it repeats, the flash is worn: use another board"
                raise BoardError("The key read back from the board is not the one written", cure)
        if Step.WRITE_NODE_JSON in plan.steps:
            self._progress(Step.WRITE_NODE_JSON.words)
            board.write_node_json(plan.node_json)
        state = board.state()
        same_identity = (state.dev_eui, state.join_eui) == (plan.dev_eui, self.order.join_eui)
        if not same_identity or state.node_json != plan.node_json:
            cure = "Run again; if it repeats, the flash is worn or full: use another board"
            raise BoardError("What was read back from the board is not what was written", cure)

    def register(self) -> None:
        """Application, device profile, device and key in the network server, if there is one."""
        server, network_server = self._server, self._network_server
        if server is None or network_server is None:
            return
        order, plan = self.order, self.plan
        owner = check_order(order, inventory_files.read(self._inventory_dir))
        with self._shared:
            application = server.application or network_server.find_application(owner)
            if application is None:
                self._progress(Step.CREATE_APPLICATION.words)
                application = network_server.create_application(owner)
            profile_id = network_server.ensure_device_profile(
                application.tenant_id, order.kind, order.interval
            )
        changed = server.device is not None and server.device.device_profile_id != profile_id
        if Step.PUT_DEVICE in plan.steps or changed:
            self._progress(Step.PUT_DEVICE.words)
            network_server.put_device(_device(order, plan.dev_eui, application, profile_id))
        if Step.SET_APP_KEY in plan.steps:
            assert self._app_key is not None
            self._progress(Step.SET_APP_KEY.words)
            network_server.set_app_key(plan.dev_eui, self._app_key)
            self._progress(Step.FLUSH_DEV_NONCES.words)
            network_server.flush_dev_nonces(plan.dev_eui)
        if {Step.PUT_DEVICE, Step.SET_APP_KEY} & set(plan.steps) or changed:
            self._read_back(network_server, _device(order, plan.dev_eui, application, profile_id))
        self._registration = _Registration(application, profile_id)

    def _read_back(self, network_server: NetworkServer, wanted: Device) -> None:
        same_key = self._app_key in (None, network_server.app_key(wanted.dev_eui))
        if network_server.device(wanted.dev_eui) != wanted or not same_key:
            cure = "Run again; if it repeats, look who else changes this device in ChirpStack"
            raise NetworkServerError("What ChirpStack has is not what was written", cure)

    def registered_as(self) -> Message:
        """Where the device stands now, in words; empty before register()."""
        registration = self._registration
        if registration is None:
            return NOTHING
        return _(
            "device {dev_eui} in application {application_id}",
            dev_eui=self.plan.dev_eui,
            application_id=registration.application.application_id,
        )

    def record(self) -> NodeRecord:
        """In the inventory; what stands now."""
        order, plan = self.order, self.plan
        registration = self._registration
        if Step.WRITE_INVENTORY in plan.steps:
            self._progress(Step.WRITE_INVENTORY.words)
            application = registration.application if registration else None
            inventory_files.change(
                self._inventory_dir, lambda now: _recorded(now, order, plan, application)
            )
        return _record(order, plan, registration)

    def _look(self, owner: Owner, dev_eui: str, network_server: NetworkServer) -> ServerState:
        application = network_server.find_application(owner)
        device = network_server.device(dev_eui)
        if device is None:
            known = self._known_key(dev_eui)
            return ServerState(application=application, key_known=known)
        if application is None or device.application_id != application.application_id:
            name = network_server.application_name(device.application_id)
            return ServerState(application=application, device=device, device_application_name=name)
        app_key = network_server.app_key(dev_eui)
        same_key = app_key is not None and self._holds(app_key)
        if app_key is not None and same_key and self._keys is not None:
            self._keys.keep(dev_eui, app_key)
        known = not same_key and self._known_key(dev_eui)
        return ServerState(
            application=application, device=device, same_key=same_key, key_known=known
        )

    def _known_key(self, dev_eui: str) -> bool:
        """Whether the board holds a key that is known here; it is remembered."""
        for app_key in self._keys.known(dev_eui) if self._keys is not None else ():
            if self._holds(app_key):
                self._app_key = app_key
                return True
        return False

    def _holds(self, app_key: bytes) -> bool:
        challenge = self._entropy(identity.CHALLENGE_BYTES)
        proved = self._board.app_key_digest(challenge)
        return proved == identity.app_key_digest(challenge, app_key)


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
        raise OrderError(
            "The inventory has no asset that device {dev_eui} serves now", cure, dev_eui=dev_eui
        )
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
        raise OrderError("The inventory has no owner {ags!r}", "Add it to owners.toml", ags=ags)
    if network_server is not None:
        application = network_server.find_application(owner)
        application = application or network_server.create_application(owner)
        network_server.put_radio_gateway(application.tenant_id, gateway)
    owned = msgspec.structs.replace(gateway, ags=ags)
    inventory_files.change(inventory_dir, lambda inventory: put_radio_gateway(inventory, owned))


class _Registration(msgspec.Struct, frozen=True):
    application: Application
    device_profile_id: str


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
