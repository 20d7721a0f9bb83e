# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Changes: each takes an inventory and returns the next one, checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from revier_inventory.errors import Finding, InventoryError
from revier_inventory.inventory import Inventory
from revier_inventory.message import _
from revier_inventory.model import DEVICES, Asset, DevicePeriod, Owner, RadioGateway, Site


def put_owner(inventory: Inventory, owner: Owner) -> Inventory:
    """Add the owner, or replace the one with the same ags."""
    others = tuple(other for other in inventory.owners if other.ags != owner.ags)
    return replace(inventory, owners=(*others, owner))


def put_site(inventory: Inventory, site: Site) -> Inventory:
    """Add the site, or replace the one of the same name."""
    others = tuple(other for other in inventory.sites if other.site != site.site)
    return replace(inventory, sites=(*others, site))


def put_asset(inventory: Inventory, asset: Asset) -> Inventory:
    """Add the asset, or replace the one of the same name."""
    others = tuple(other for other in inventory.assets if other.asset != asset.asset)
    return replace(inventory, assets=(*others, asset))


def put_radio_gateway(inventory: Inventory, gateway: RadioGateway) -> Inventory:
    """Add the radio gateway, or replace the one with the same id."""
    others = tuple(gw for gw in inventory.radio_gateways if gw.gateway_id != gateway.gateway_id)
    return replace(inventory, radio_gateways=(*others, gateway))


def begin_period(inventory: Inventory, dev_eui: str, asset: str, since: datetime) -> Inventory:
    """The device serves the asset from `since` on.

    The device's own open period at another asset ends then (the device was moved). An open
    period of another device at this asset is refused: ending it is the technician's decision.
    Nothing changes when the device serves the asset already.
    """
    own_open = [p for p in inventory.periods if p.dev_eui == dev_eui and p.until is None]
    if any(period.asset == asset for period in own_open):
        return inventory
    if own_open:
        inventory = end_period(inventory, dev_eui, since)
    period = DevicePeriod(dev_eui=dev_eui, asset=asset, since=since)
    return replace(inventory, periods=(*inventory.periods, period))


def move_begin(inventory: Inventory, dev_eui: str, since: datetime) -> Inventory:
    """The device's open period begins at `since` instead: it came to its asset only then.

    Earlier than it began is refused by the checks if it overlaps; nothing else changes.
    """
    periods = tuple(
        msgspec.structs.replace(period, since=since)
        if period.dev_eui == dev_eui and period.until is None
        else period
        for period in inventory.periods
    )
    return replace(inventory, periods=periods)


def end_period(inventory: Inventory, dev_eui: str, until: datetime) -> Inventory:
    """The device serves its asset no longer from `until` on."""
    periods = list(inventory.periods)
    for index, period in enumerate(periods):
        if period.dev_eui == dev_eui and period.until is None:
            periods[index] = msgspec.structs.replace(period, until=until)
            return replace(inventory, periods=tuple(periods))
    cure = _("List its periods with: revier-provision status")
    raise InventoryError([Finding(DEVICES, f'device "{dev_eui}"', _("serves no asset now"), cure)])
