# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who served what when, and who may write."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revier_inventory import (
    Asset,
    DevicePeriod,
    Inventory,
    InventoryError,
    Owner,
    RadioGateway,
    Site,
    begin_period,
    end_period,
    move_begin,
    put_asset,
    put_owner,
    put_radio_gateway,
    put_site,
)

T0 = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DEVICE, OTHER = "70b3d57ed0001234", "70b3d57ed0001299"
FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@FIXTURE
@given(data=st.data())
def test_asset_of_agrees_with_a_search_through_all_periods(
    any_inventory: st.SearchStrategy[Inventory], data: st.DataObject
) -> None:
    inventory = data.draw(any_inventory)
    edges = [p.since for p in inventory.periods] + [p.until for p in inventory.periods if p.until]
    at = data.draw(st.sampled_from([*edges, T0]))
    at += timedelta(microseconds=data.draw(st.integers(-1, 1)))
    for dev_eui in {period.dev_eui for period in inventory.periods} | {DEVICE}:
        expected = [
            period.asset
            for period in inventory.periods
            if period.dev_eui == dev_eui
            and period.since <= at
            and (period.until is None or at < period.until)
        ]
        found = inventory.asset_of(dev_eui, at)
        assert ([found.asset] if found else []) == expected


def test_a_late_reading_belongs_to_the_asset_served_when_measured(herten: Inventory) -> None:
    inventory = begin_period(herten, DEVICE, "herten-air-01", T0)
    inventory = begin_period(inventory, DEVICE, "herten-air-02", T0 + DAY)
    names = [
        asset.asset if (asset := inventory.asset_of(DEVICE, at)) else None
        for at in (T0 - DAY, T0, T0 + DAY / 2, T0 + DAY, T0 + 9 * DAY)
    ]
    assert names == [None, "herten-air-01", "herten-air-01", "herten-air-02", "herten-air-02"]


def test_a_device_of_yesterday_serves_nothing_after_its_end(herten: Inventory) -> None:
    inventory = end_period(begin_period(herten, DEVICE, "herten-air-01", T0), DEVICE, T0 + DAY)
    assert inventory.asset_of(DEVICE, T0 + DAY) is None
    assert inventory.knows_device(DEVICE)
    assert not inventory.knows_device(OTHER)
    with pytest.raises(InventoryError, match="serves no asset now"):
        end_period(inventory, DEVICE, T0 + 2 * DAY)


def test_beginning_again_changes_nothing(herten: Inventory) -> None:
    inventory = begin_period(herten, DEVICE, "herten-air-01", T0)
    assert begin_period(inventory, DEVICE, "herten-air-01", T0 + DAY) is inventory


def test_an_asset_is_served_by_one_device_at_a_time(herten: Inventory) -> None:
    inventory = begin_period(herten, DEVICE, "herten-air-01", T0)
    with pytest.raises(InventoryError, match=f"begins while '{DEVICE}' is still there"):
        begin_period(inventory, OTHER, "herten-air-01", T0 + DAY)
    inventory = begin_period(
        end_period(inventory, DEVICE, T0 + DAY), OTHER, "herten-air-01", T0 + DAY
    )
    served_by = [period.dev_eui for period in inventory.periods_of_asset("herten-air-01")]
    assert served_by == [DEVICE, OTHER]


def test_periods_of_one_device_do_not_overlap(herten: Inventory) -> None:
    periods = tuple(
        DevicePeriod(dev_eui=DEVICE, asset=asset, since=since, until=since + 2 * DAY)
        for asset, since in (("herten-air-01", T0), ("herten-air-02", T0 + DAY))
    )
    with pytest.raises(InventoryError, match="End that period first"):
        Inventory(owners=herten.owners, assets=herten.assets, periods=periods)


def test_only_the_owners_tenant_and_application_may_write(herten: Inventory) -> None:
    owner = herten.owners[0]
    tenant, application = owner.tenant_ids[0], owner.application_ids[0]
    marl = Owner(ags="05562024", name="Marl", tenant_ids=(tenant,))
    inventory = put_owner(herten, marl)
    assert inventory.may_write(tenant, application, "05562020")
    assert not inventory.may_write(tenant, application, "05562024")  # no application stands there
    assert not inventory.may_write(application, tenant, "05562020")
    assert not inventory.may_write(tenant, tenant, "05562020")
    assert not inventory.may_write(tenant, application, "99999999")
    assert inventory.owner_of("05562024") == marl
    assert inventory.owner_of("99999999") is None


def test_put_replaces_what_has_the_same_name(herten: Inventory) -> None:
    site = Site(site="rathaus", ags="05562020", name="Rathaus", lon=7.1, lat=51.6)
    gateway = RadioGateway(gateway_id="0016c001f1500812", name="Dach", lon=7.1, lat=51.6)
    asset = Asset(
        asset="herten-bay-07", kind="parking", ags="05562020", name="Neu", lon=7.1, lat=51.6
    )
    inventory = put_radio_gateway(put_asset(put_site(herten, site), asset), gateway)
    again = put_radio_gateway(put_asset(put_site(inventory, site), asset), gateway)
    assert again == inventory
    assert len(inventory.assets) == len(herten.assets)
    assert inventory.asset("herten-bay-07") == asset
    assert inventory.site("rathaus") == site
    assert inventory.asset("herten-air-01").domain == "airquality"  # type: ignore[union-attr]


def test_order_of_records_does_not_matter(herten: Inventory) -> None:
    assert Inventory(owners=herten.owners, assets=herten.assets[::-1]) == herten


def test_lookups_do_not_grow_with_the_inventory() -> None:
    """40,000 frames a second leave 25 us for each; the lookups may take a tenth of it."""
    count = 20_000
    position = {"ags": "05562020", "lon": 7.1, "lat": 51.6}
    inventory = Inventory(
        owners=(Owner(ags="05562020", name="Herten"),),
        assets=tuple(Asset(asset=f"a{i}", kind="air", name="A", **position) for i in range(count)),
        periods=tuple(
            DevicePeriod(dev_eui=f"{i:016x}", asset=f"a{i}", since=T0) for i in range(count)
        ),
    )
    euis = [f"{i:016x}" for i in range(count)]
    began = time.perf_counter()
    for dev_eui in euis:
        inventory.asset_of(dev_eui, T0)
        inventory.owner_of("05562020")
        inventory.may_write("t", "a", "05562020")
    each_us = (time.perf_counter() - began) / count * 1e6
    assert each_us < 10, f"{each_us:.2f} us; the limit leaves room for a busy machine"


def test_a_period_begins_when_the_node_came_to_its_place(herten: Inventory) -> None:
    workshop, pole = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)
    made = begin_period(herten, "0" * 16, "herten-air-01", workshop)
    moved = move_begin(made, "0" * 16, pole)
    assert moved.asset_of("0" * 16, workshop) is None
    assert moved.asset_of("0" * 16, pole) == herten.asset("herten-air-01")
    assert move_begin(moved, "f" * 16, workshop) == moved, "another device's stays"
    ended = end_period(moved, "0" * 16, datetime(2026, 6, 1, tzinfo=UTC))
    assert move_begin(ended, "0" * 16, workshop) == ended, "history stays"
