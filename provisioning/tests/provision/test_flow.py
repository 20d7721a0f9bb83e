# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Plans, and their execution on a board and a network server in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_inventory import Asset, Inventory, Owner, RadioGateway, begin_period
from revier_provision import (
    Application,
    BoardError,
    BoardState,
    Device,
    NetworkServerError,
    NodeOrder,
    NodeRecord,
    OrderError,
    inventory_files,
    provision_node,
    register_radio_gateway,
)
from revier_provision.flow import order_from
from revier_provision.plan import ServerState, Step, device_tags, make_plan

DEV_EUI = "240ac4fffe112233"
SINCE = datetime(2026, 5, 1, 8, tzinfo=UTC)


def run(workshop: Any, *, with_server: bool = True, **changes: Any) -> NodeRecord:
    return provision_node(
        msgspec.structs.replace(workshop.order, **changes),
        workshop.board,
        workshop.network_server if with_server else None,
        workshop.folder,
        workshop.entropy,
    )


def assert_whole(workshop: Any) -> None:
    """Board, network server and inventory agree about the node."""
    board, server, inventory = workshop.board, workshop.network_server, workshop.inventory
    assert board.identity == (DEV_EUI, "0" * 16)
    assert board.key is not None
    assert server.keys[DEV_EUI] == board.key
    assert board.node_json == {"kind": "air", "board": "heltec_v3", "interval_s": 900}
    assert server.devices[DEV_EUI].tags == {"asset": "herten-air-01", "ags": "05562020"}
    asset = inventory.asset_of(DEV_EUI, workshop.order.since)
    assert asset is not None
    assert asset.asset == "herten-air-01"
    application = server.applications["05562020"]
    assert inventory.may_write(application.tenant_id, application.application_id, "05562020")
    assert len(board.keys_seen) == len(set(board.keys_seen)), "a key was used twice"


def test_a_bare_board_becomes_a_recorded_node(workshop: Any) -> None:
    record = run(workshop)
    assert_whole(workshop)
    assert record.dev_eui == DEV_EUI
    assert record.registered
    assert record.rekeyed
    assert record.steps == tuple(Step)
    assert workshop.network_server.flushed == [DEV_EUI]


def test_a_second_run_changes_nothing(workshop: Any) -> None:
    run(workshop)
    key, inventory = workshop.board.key, workshop.inventory
    record = run(workshop, since=workshop.order.since + timedelta(days=3))
    assert record.steps == ()
    assert not record.rekeyed
    assert workshop.board.key == key
    assert workshop.inventory == inventory
    assert workshop.network_server.flushed == [DEV_EUI]


def test_a_cable_pulled_anywhere_is_healed_by_running_again(
    make_workshop: Callable[[], Any],
) -> None:
    untouched = make_workshop()
    run(untouched)
    calls = untouched.cable.calls
    assert calls > 12
    for cut in range(calls):
        for after in (False, True):
            workshop = make_workshop()
            workshop.cable.cut, workshop.cable.after = cut, after
            with pytest.raises(BoardError, match="pulled"):
                run(workshop)
            run(workshop)
            assert_whole(workshop)


def test_without_a_network_server_the_node_waits_for_register(workshop: Any) -> None:
    record = run(workshop, with_server=False)
    assert not record.registered
    assert record.application_id is None
    first_key = workshop.board.key
    assert run(workshop, with_server=False).steps == ()
    assert workshop.board.key == first_key
    workshop.order = order_from(workshop.board, workshop.folder)
    assert run(workshop).registered
    assert workshop.board.key != first_key
    assert_whole(workshop)


def test_register_needs_a_board_that_serves_an_asset(workshop: Any) -> None:
    with pytest.raises(OrderError, match="revier-provision node"):
        order_from(workshop.board, workshop.folder)


def test_a_lost_key_is_replaced_at_both_ends(workshop: Any) -> None:
    run(workshop)
    workshop.network_server.keys[DEV_EUI] = bytes(16)
    record = run(workshop)
    assert record.rekeyed
    assert record.steps == (Step.WRITE_IDENTITY, Step.SET_APP_KEY, Step.FLUSH_DEV_NONCES)
    assert_whole(workshop)


def test_a_key_that_does_not_read_back_is_not_registered(workshop: Any) -> None:
    workshop.board.app_key_digest = lambda challenge: bytes(32)
    with pytest.raises(BoardError, match="read back"):
        run(workshop)
    assert workshop.network_server.keys == {}
    assert workshop.inventory.periods == ()


def test_settings_stay_on_a_board_that_stays_at_its_place(workshop: Any) -> None:
    run(workshop)
    own = {"settings": [[1, 600]], "before": [], "reverted": 7}
    workshop.board.node_json |= own
    assert run(workshop).steps == ()
    assert run(workshop, interval_s=1800).steps == (Step.WRITE_NODE_JSON,)
    assert workshop.board.node_json == {
        "kind": "air", "board": "heltec_v3", "interval_s": 1800
    } | own  # fmt: skip


def test_settings_of_another_place_are_taken_off_the_board(workshop: Any) -> None:
    workshop.board.node_json = {
        "kind": "air", "board": "heltec_v3", "interval_s": 900, "settings": [[1, 600]]
    }  # fmt: skip
    run(workshop)
    assert_whole(workshop)


def test_settings_that_do_not_read_back_are_refused(workshop: Any) -> None:
    workshop.board.write_node_json = lambda node_json: None
    with pytest.raises(BoardError, match="not what was written"):
        run(workshop)
    assert workshop.network_server.devices == {}


def test_wrong_tags_in_the_network_server_are_corrected(workshop: Any) -> None:
    run(workshop)
    devices = workshop.network_server.devices
    devices[DEV_EUI] = msgspec.structs.replace(devices[DEV_EUI], tags={"asset": "herten-air-02"})
    assert run(workshop).steps == (Step.PUT_DEVICE,)
    assert_whole(workshop)


def test_a_device_of_another_application_is_refused_by_name(workshop: Any) -> None:
    run(workshop)
    devices = workshop.network_server.devices
    devices[DEV_EUI] = msgspec.structs.replace(devices[DEV_EUI], application_id="other")
    key = workshop.board.key
    with pytest.raises(OrderError, match="'name of other'"):
        run(workshop)
    assert workshop.board.key == key


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"asset": "nowhere"}, "no asset 'nowhere'"),
        ({"kind": "waste"}, "is of kind air"),
        ({"ags": "05562024"}, "belongs to 05562020"),
        ({"join_eui": "'); import os #"}, "JoinEUI"),
        ({"join_eui": "7" * 17}, "JoinEUI"),
        ({"board": "../x"}, "board name"),
        ({"interval_s": 59}, "An interval of 59 s"),
        ({"interval_s": 43_201}, "is not possible"),
        ({"since": datetime(2026, 5, 1)}, "no time zone"),  # noqa: DTZ001
    ],
)
def test_an_order_against_the_inventory_touches_nothing(
    workshop: Any, change: dict[str, str], expected: str
) -> None:
    with pytest.raises(OrderError, match=expected):
        run(workshop, **change)
    assert workshop.cable.calls == 0


def test_an_asset_is_taken_over_only_when_told(workshop: Any) -> None:
    other = "70b3d57ed0001299"
    since = workshop.order.since
    inventory_files.change(
        workshop.folder,
        lambda inventory: begin_period(inventory, other, "herten-air-01", since),
    )
    later = since + timedelta(days=30)
    with pytest.raises(OrderError, match=f"served by device {other}"):
        run(workshop, since=later)
    assert workshop.board.key is None
    run(workshop, since=later, replace=True)
    periods = workshop.inventory.periods_of_asset("herten-air-01")
    assert [(p.dev_eui, p.since, p.until) for p in periods] == [
        (other, since, later),
        (DEV_EUI, later, None),
    ]


def test_an_inventory_that_will_refuse_refuses_before_the_board_is_touched(workshop: Any) -> None:
    run(workshop)
    key = workshop.board.key
    with pytest.raises(ValueError, match="is not after since"):
        run(workshop, asset="herten-air-02", since=workshop.order.since - timedelta(days=1))
    assert workshop.board.key == key


def test_a_moved_device_keeps_its_history(workshop: Any) -> None:
    run(workshop)
    later = workshop.order.since + timedelta(days=9)
    run(workshop, asset="herten-air-02", since=later)
    at_first = workshop.inventory.asset_of(DEV_EUI, workshop.order.since)
    assert at_first is not None
    assert at_first.asset == "herten-air-01"
    assert workshop.network_server.devices[DEV_EUI].tags["asset"] == "herten-air-02"


def test_a_radio_gateway_is_recorded_and_registered(workshop: Any) -> None:
    gateway = RadioGateway(gateway_id="0016c001f1500812", name="Dach", lon=7.1, lat=51.6)
    for _ in range(2):
        register_radio_gateway(gateway, "05562020", workshop.network_server, workshop.folder)
    tenant_id = workshop.network_server.applications["05562020"].tenant_id
    assert workshop.network_server.gateways == {gateway.gateway_id: (tenant_id, gateway)}
    assert workshop.inventory.radio_gateways == (gateway,)
    with pytest.raises(OrderError, match="no owner"):
        register_radio_gateway(gateway, "05562024", None, workshop.folder)


OWN = Application(tenant_id="t", application_id="a")
BOARDS = st.builds(
    BoardState,
    dev_eui=st.sampled_from([None, DEV_EUI, "70b3d57ed0001299"]),
    join_eui=st.sampled_from([None, "0" * 16, "1" * 16]),
    has_app_key=st.booleans(),
    node_json=st.sampled_from([None, {}, {"kind": "air", "board": "heltec_v3", "interval_s": 900}]),
)


@st.composite
def servers(draw: st.DrawFn, order: NodeOrder) -> ServerState | None:
    if draw(st.booleans()):
        return None
    if draw(st.booleans()):
        return ServerState(application=draw(st.sampled_from([None, OWN])))
    device = Device(
        dev_eui=DEV_EUI,
        join_eui=draw(st.sampled_from([order.join_eui, "1" * 16])),
        name=order.asset,
        application_id="a",
        device_profile_id="p",
        tags=draw(st.sampled_from([{}, device_tags(order)])),
    )
    return ServerState(application=OWN, device=device, same_key=draw(st.booleans()))


@given(data=st.data(), board=BOARDS)
def test_every_plan_ends_whole(data: st.DataObject, board: BoardState) -> None:
    order = NodeOrder(kind="air", asset="herten-air-01", ags="05562020", since=SINCE)
    inventory = data.draw(st.sampled_from(INVENTORIES))
    server = data.draw(servers(order))
    plan = make_plan(order, DEV_EUI, inventory, board, server)
    steps = set(plan.steps)
    assert list(plan.steps) == [step for step in Step if step in steps]
    assert plan.rekey == (Step.WRITE_IDENTITY in steps)
    # A new key on the board is a new key in the server, never one without the other.
    if server is not None:
        assert (Step.WRITE_IDENTITY in steps) == (Step.SET_APP_KEY in steps)
        assert (Step.SET_APP_KEY in steps) == (Step.FLUSH_DEV_NONCES in steps)
        if server.device is None:
            assert {Step.PUT_DEVICE, Step.SET_APP_KEY} <= steps
        elif not server.same_key:
            assert Step.SET_APP_KEY in steps
    else:
        assert steps <= {Step.WRITE_IDENTITY, Step.WRITE_NODE_JSON, Step.WRITE_INVENTORY}
    if board.dev_eui != DEV_EUI or not board.has_app_key:
        assert Step.WRITE_IDENTITY in steps


def _inventories() -> list[Inventory]:
    owner = Owner(ags="05562020", name="Herten")
    asset = Asset(asset="herten-air-01", kind="air", ags="05562020", name="A", lon=7.1, lat=51.6)
    bare = Inventory(owners=(owner,), assets=(asset,))
    return [bare, begin_period(bare, DEV_EUI, "herten-air-01", SINCE)]


INVENTORIES = _inventories()


class Remembered:
    """A KeyStore that gives back what it was told, the newest first, unless it is `shut`."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.shut = False

    def reserve(self, dev_eui: str, app_key: bytes) -> None:
        self.keys.insert(0, app_key)

    def keep(self, dev_eui: str, app_key: bytes) -> bool:
        return False

    def known(self, dev_eui: str) -> list[bytes]:
        return [] if self.shut else self.keys


def made_with(workshop: Any, keys: Remembered, *, with_server: bool) -> NodeRecord:
    server = workshop.network_server if with_server else None
    return provision_node(
        workshop.order, workshop.board, server, workshop.folder, workshop.entropy, keys=keys
    )


def test_a_board_keeps_the_key_that_the_vault_gives_back(workshop: Any) -> None:
    keys = Remembered()
    made_with(workshop, keys, with_server=False)
    key = workshop.board.key
    keys.keys.insert(0, bytes(16))  # a newer one that never reached the board
    record = made_with(workshop, keys, with_server=True)
    assert not record.rekeyed
    assert workshop.board.key == key
    assert record.steps[-3:] == (Step.SET_APP_KEY, Step.FLUSH_DEV_NONCES, Step.WRITE_INVENTORY)
    assert_whole(workshop)


def test_a_vault_that_stays_shut_costs_a_new_key(workshop: Any) -> None:
    keys = Remembered()
    made_with(workshop, keys, with_server=False)
    key = workshop.board.key
    keys.shut = True
    assert made_with(workshop, keys, with_server=True).rekeyed
    assert workshop.board.key != key
    assert_whole(workshop)


def test_a_key_of_the_vault_that_the_board_does_not_hold_is_not_used(workshop: Any) -> None:
    keys = Remembered()
    made_with(workshop, keys, with_server=False)
    keys.keys = [bytes(range(16))]
    record = made_with(workshop, keys, with_server=True)
    assert record.rekeyed
    assert workshop.network_server.keys[DEV_EUI] == workshop.board.key != bytes(range(16))


def test_what_the_network_server_does_not_read_back_is_refused(workshop: Any) -> None:
    workshop.network_server.app_key = lambda dev_eui: bytes(16)
    with pytest.raises(NetworkServerError, match="not what was written"):
        run(workshop)
