# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The checked inventory and its lookups.

An `Inventory` that exists is consistent: building one runs every check and raises InventoryError
with all faults. Records are kept sorted, so that equal inventories compare equal and dump to equal
text. Lookups are dictionary look-ups or one bisection; the gateway does several for every frame.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from revier_inventory.checks import findings_of
from revier_inventory.errors import InventoryError
from revier_inventory.model import Asset, DevicePeriod, Owner, RadioGateway, Site

_Served = tuple[list[datetime], list[tuple[datetime | None, Asset]]]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Owners, sites, assets, device-asset periods and radio gateways, checked and indexed."""

    owners: tuple[Owner, ...] = ()
    sites: tuple[Site, ...] = ()
    assets: tuple[Asset, ...] = ()
    periods: tuple[DevicePeriod, ...] = ()
    radio_gateways: tuple[RadioGateway, ...] = ()
    _owner: dict[str, Owner] = field(init=False, repr=False, compare=False)
    _site: dict[str, Site] = field(init=False, repr=False, compare=False)
    _asset: dict[str, Asset] = field(init=False, repr=False, compare=False)
    _radio_gateway: dict[str, RadioGateway] = field(init=False, repr=False, compare=False)
    _served: dict[str, _Served] = field(init=False, repr=False, compare=False)
    _writers: frozenset[tuple[str, str, str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        findings = findings_of(
            self.owners, self.sites, self.assets, self.periods, self.radio_gateways
        )
        if findings:
            raise InventoryError(findings)
        self._sort()
        self._index()

    def _sort(self) -> None:
        put = object.__setattr__
        put(self, "owners", tuple(sorted(self.owners, key=lambda r: r.ags)))
        put(self, "sites", tuple(sorted(self.sites, key=lambda r: (r.ags, r.site))))
        put(self, "assets", tuple(sorted(self.assets, key=lambda r: (r.ags, r.asset))))
        put(self, "periods", tuple(sorted(self.periods, key=lambda r: (r.dev_eui, r.since))))
        gateways = tuple(sorted(self.radio_gateways, key=lambda r: r.gateway_id))
        put(self, "radio_gateways", gateways)

    def _index(self) -> None:
        put = object.__setattr__
        asset_by_name = {asset.asset: asset for asset in self.assets}
        served: dict[str, _Served] = {}
        for period in self.periods:  # sorted by since
            starts, rest = served.setdefault(period.dev_eui, ([], []))
            starts.append(period.since)
            rest.append((period.until, asset_by_name[period.asset]))
        put(self, "_owner", {owner.ags: owner for owner in self.owners})
        put(self, "_site", {site.site: site for site in self.sites})
        put(self, "_asset", asset_by_name)
        put(self, "_radio_gateway", {gw.gateway_id: gw for gw in self.radio_gateways})
        put(self, "_served", served)
        writers = (
            (tenant_id, application_id, owner.ags)
            for owner in self.owners
            for tenant_id in owner.tenant_ids
            for application_id in owner.application_ids
        )
        put(self, "_writers", frozenset(writers))

    def asset_of(self, dev_eui: str, at: datetime) -> Asset | None:
        """The asset that the device served at `at` (timezone-aware), or None.

        Ask with the time of measurement, not of reception: a late reading belongs to the asset
        that its device served when it measured.
        """
        span = self.span_of(dev_eui, at)
        return None if span is None else span[2]

    def span_of(self, dev_eui: str, at: datetime) -> tuple[datetime, datetime | None, Asset] | None:
        """Since when and until when the device served the asset that it served at this time."""
        served = self._served.get(dev_eui)
        if served is None:
            return None
        index = bisect_right(served[0], at) - 1
        if index < 0:
            return None
        until, asset = served[1][index]
        return (served[0][index], until, asset) if until is None or at < until else None

    def knows_device(self, dev_eui: str) -> bool:
        """Whether the device ever served an asset."""
        return dev_eui in self._served

    def asset(self, name: str) -> Asset | None:
        return self._asset.get(name)

    def site(self, name: str) -> Site | None:
        return self._site.get(name)

    def owner_of(self, ags: str) -> Owner | None:
        return self._owner.get(ags)

    def radio_gateway(self, gateway_id: str) -> RadioGateway | None:
        return self._radio_gateway.get(gateway_id)

    def may_write(self, tenant_id: str, application_id: str, ags: str) -> bool:
        """Whether this ChirpStack tenant's application may write for the municipality `ags`."""
        return (tenant_id, application_id, ags) in self._writers

    def periods_of_device(self, dev_eui: str) -> tuple[DevicePeriod, ...]:
        """Oldest first."""
        return tuple(period for period in self.periods if period.dev_eui == dev_eui)

    def periods_of_asset(self, asset: str) -> tuple[DevicePeriod, ...]:
        """Oldest first."""
        own = (period for period in self.periods if period.asset == asset)
        return tuple(sorted(own, key=lambda period: period.since))
