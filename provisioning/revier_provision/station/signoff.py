# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From what an installer found at the pole to what the books say. Pure but for `sign_off`, which
writes: network server first (tags), inventory, ledger last. Each step may be repeated, so a
sign-off that was cut is sent again and ends the same; the ledger holds its id once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from revier_inventory import (
    ASSET_NAME,
    Asset,
    Inventory,
    begin_period,
    end_period,
    move_begin,
    put_asset,
)
from revier_inventory.model import DISTANCE_MM_MAX, EUI
from revier_provision import inventory_files
from revier_provision.ledger.files import LedgerFolder
from revier_provision.ledger.records import Entry, Installed, Record
from revier_provision.links import Device
from revier_provision.station import photos
from revier_provision.station.coverage import Verdict
from revier_provision.station.refused import RefusedError
from revier_provision.station.trials import Trial

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
ACCURACY_MAX_M = 50.0
OFF_SHARE_MAX = 0.05  # of the empty distance that was entered
NOTE_CHARS_MIN, NOTE_CHARS_MAX = 5, 300
EARTH_M = 6_371_008.8  # mean radius, IUGG


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Degrees WGS 84 and the radius in metres within which the phone is with 68 %."""

    lon: float
    lat: float
    accuracy_m: float


class NewAsset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    asset: str
    name: str


class SignOff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the phone sends. `asset` names one of the inventory; `new` makes one.

    `empty_mm`, `full_mm`: the container's geometry as the installer wants it recorded. `replace`:
    the node takes the asset over from another. `note`: why a red place is signed off.
    """

    id: str
    dev_eui: str
    place: Place
    photo: str
    asset: str = ""
    new: NewAsset | None = None
    empty_mm: int | None = None
    full_mm: int | None = None
    replace: bool = False
    note: str = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the books. `again`: it did already."""

    id: str
    asset: str
    dev_eui: str
    at: datetime
    by: str
    again: bool


class Registry(Protocol):
    """Of links.NetworkServer: what a sign-off needs."""

    def device(self, dev_eui: str) -> Device | None: ...

    def put_device(self, device: Device) -> None: ...


def sign_off(
    wanted: SignOff,
    trial: Trial | None,
    folder: Path,
    photo_folder: Path,
    ledger: LedgerFolder,
    registry: Registry,
) -> Signed:
    """Check, and enter in network server, inventory and ledger. Raises ProvisionError and
    InventoryError; nothing is changed then, or the same sign-off completes it."""
    records = ledger.records()
    done = _done(wanted, records)
    if done is not None:
        return done
    _check_form(wanted)
    inventory = inventory_files.read(folder)
    asset = target(wanted, inventory)
    verdict, trial = _proven(wanted, trial, asset)
    if photos.load(photo_folder, wanted.photo) is None:
        raise RefusedError("photo_missing")
    since = trial.begun_at.replace(microsecond=0)
    before = _since_before(inventory, wanted.dev_eui, asset.asset, records)
    _recorded(inventory, wanted, asset, since, before)  # what will be refused, is refused now
    _tag(registry, wanted.dev_eui, asset)
    inventory_files.change(folder, lambda now: _recorded(now, wanted, asset, since, before))
    found = _installed(wanted, trial, verdict)

    def entry(union: tuple[Record, ...]) -> Entry:
        if _done(wanted, union) is not None:
            raise RefusedError("id_used")
        return Entry(
            at=ledger.now(),
            by=ledger.by,
            event="installed",
            dev_eui=wanted.dev_eui,
            asset=asset.asset,
            ags=asset.ags,
            note=wanted.note.strip(),
            installed=found,
        )

    record = ledger.append(entry)
    return _signed(record, again=False)


def target(wanted: SignOff, inventory: Inventory) -> Asset:
    """The asset as it will stand in the inventory. Raises RefusedError."""
    own = serves(inventory, wanted.dev_eui)
    if own is None:
        raise RefusedError("unknown_node", dev_eui=wanted.dev_eui)
    if wanted.new is not None:
        chosen = _created(wanted.new, own, inventory)
    else:
        found = inventory.asset(wanted.asset)
        if found is None:
            raise RefusedError("unknown_asset", asset=wanted.asset)
        chosen = found
    if chosen.kind != own.kind:
        raise RefusedError("other_kind")
    if chosen.ags != own.ags:
        raise RefusedError("other_owner")
    place = {"lon": round(wanted.place.lon, 7), "lat": round(wanted.place.lat, 7)}
    geometry = {}
    if chosen.kind == "waste" and wanted.empty_mm is not None:
        geometry = {"empty_mm": wanted.empty_mm, "full_mm": wanted.full_mm}
    return msgspec.structs.replace(chosen, **place, **geometry)


def serves(inventory: Inventory, dev_eui: str) -> Asset | None:
    """The asset that the device serves now, on the workshop's table or elsewhere."""
    for period in inventory.periods_of_device(dev_eui):
        if period.until is None:
            return inventory.asset(period.asset)
    return None


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Between two (lon, lat) on a sphere (haversine)."""
    lon_1, lat_1, lon_2, lat_2 = map(math.radians, (*one, *other))
    half = math.sin((lat_2 - lat_1) / 2) ** 2
    half += math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def _check_form(wanted: SignOff) -> None:
    place = wanted.place
    if not ID.match(wanted.id) or not EUI.match(wanted.dev_eui):
        raise RefusedError("not_readable")
    if not (-180 <= place.lon <= 180 and -90 <= place.lat <= 90):
        raise RefusedError("form", field="lon, lat")
    if not 0 < place.accuracy_m <= ACCURACY_MAX_M:
        raise RefusedError("accuracy", metres=f"{place.accuracy_m:.0f}")
    if bool(wanted.asset) == (wanted.new is not None):
        raise RefusedError("no_asset")
    if (wanted.empty_mm is None) != (wanted.full_mm is None):
        raise RefusedError("form", field="empty_mm, full_mm")
    for value in (wanted.empty_mm, wanted.full_mm):
        if value is not None and not 0 <= value <= DISTANCE_MM_MAX:
            raise RefusedError("form", field=f"{value} mm")
    if len(wanted.note) > NOTE_CHARS_MAX or not wanted.note.isprintable():
        raise RefusedError("form", field="note")


def _proven(wanted: SignOff, trial: Trial | None, asset: Asset) -> tuple[Verdict, Trial]:
    """The verdict, once everything was found that this kind needs."""
    if trial is None or trial.kind != asset.kind:
        raise RefusedError("no_trial")
    verdict = trial.verdict()
    if verdict.colour is None:
        raise RefusedError("too_few", count=verdict.uplinks)
    if verdict.colour == "red" and len(wanted.note.strip()) < NOTE_CHARS_MIN:
        raise RefusedError("red")
    if asset.kind == "parking" and trial.baseline() != "learnt":
        raise RefusedError("not_learnt")
    if asset.kind == "waste" and (asset.empty_mm is None or trial.distance_mm() is None):
        raise RefusedError("not_measured")
    return verdict, trial


def _created(new: NewAsset, own: Asset, inventory: Inventory) -> Asset:
    """A new asset of the node's kind and owner; the one that a repeated sign-off made before."""
    if not ASSET_NAME.match(new.asset):
        raise RefusedError("asset_form", asset=new.asset[:60])
    known = inventory.asset(new.asset)
    if known is not None and (known.name, known.kind, known.ags) != (new.name, own.kind, own.ags):
        raise RefusedError("asset_there", asset=new.asset)
    return known or Asset(
        asset=new.asset, kind=own.kind, ags=own.ags, name=new.name, lon=0.0, lat=0.0
    )


def _since_before(
    inventory: Inventory, dev_eui: str, asset: str, records: Iterable[Record]
) -> datetime | None:
    """When the period began that this installation moves: the device's at this asset, unless it
    was installed there before."""
    open_since = next(
        (
            p.since
            for p in inventory.periods_of_device(dev_eui)
            if p.until is None and p.asset == asset
        ),
        None,
    )
    if open_since is None:
        return None
    for record in records:
        same = (record.dev_eui, record.asset) == (dev_eui, asset)
        if record.event == "installed" and same and record.at >= open_since:
            return None
    return open_since


def _recorded(
    inventory: Inventory, wanted: SignOff, asset: Asset, since: datetime, before: datetime | None
) -> Inventory:
    """The inventory with the node at its place; it may have changed since it was looked at."""
    inventory = put_asset(inventory, asset)
    for period in inventory.periods_of_asset(asset.asset):
        if period.until is None and period.dev_eui != wanted.dev_eui:
            if not wanted.replace:
                raise RefusedError("served", asset=asset.asset, dev_eui=period.dev_eui)
            inventory = end_period(inventory, period.dev_eui, since)
    inventory = begin_period(inventory, wanted.dev_eui, asset.asset, since)
    if before is not None and before < since:
        inventory = move_begin(inventory, wanted.dev_eui, since)
    return inventory


def _tag(registry: Registry, dev_eui: str, asset: Asset) -> None:
    """Name and tags in the network server follow the asset."""
    device = registry.device(dev_eui)
    if device is None:
        raise RefusedError("not_registered", dev_eui=dev_eui)
    tags = {"asset": asset.asset, "ags": asset.ags}
    if (device.name, device.tags) != (asset.asset, tags):
        registry.put_device(msgspec.structs.replace(device, name=asset.asset, tags=tags))


def _installed(wanted: SignOff, trial: Trial, verdict: Verdict) -> Installed:
    assert verdict.colour is not None
    assert verdict.reserve_db is not None
    assert verdict.spreading_factor is not None
    return Installed(
        id=wanted.id,
        begun_at=trial.begun_at.astimezone(UTC),
        lon=wanted.place.lon,
        lat=wanted.place.lat,
        accuracy_m=wanted.place.accuracy_m,
        photo_sha256=wanted.photo,
        verdict=verdict.colour,
        uplinks=verdict.uplinks,
        lost=verdict.lost,
        reserve_db=verdict.reserve_db,
        spreading_factor=verdict.spreading_factor,
        gateways=verdict.gateways,
        baseline=trial.baseline() if trial.kind == "parking" else "",
        distance_mm=trial.distance_mm(),
    )


def _done(wanted: SignOff, records: Iterable[Record]) -> Signed | None:
    for record in records:
        found = record.installed
        if isinstance(found, Installed) and found.id == wanted.id:
            if record.dev_eui != wanted.dev_eui:
                raise RefusedError("id_used")
            return _signed(record, again=True)
    return None


def _signed(record: Record, *, again: bool) -> Signed:
    assert isinstance(record.installed, Installed)
    return Signed(
        id=record.installed.id,
        asset=record.asset,
        dev_eui=record.dev_eui,
        at=record.at,
        by=record.by,
        again=again,
    )
