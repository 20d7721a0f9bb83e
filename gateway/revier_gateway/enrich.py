# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Reading to measurement: which asset, where, who may say so, and what the value means there."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from revier_gateway.decode import Reading
from revier_gateway.identity import Identity
from revier_gateway.outcomes import Refused
from revier_gateway.uplink import Uplink
from revier_gateway.values import (
    FAIL,
    MISSING,
    PASS,
    SUSPECT,
    Quality,
    Value,
    datetime_of_ms,
    unix_ms,
)
from revier_inventory import ASSET_NAME, Asset, Inventory

ALARM = "alarm"  # a kind of reading that every kind of asset may have
ECHO_QUALITY_MIN = 2  # of 5; below, the sensor saw something, but hardly the waste
KNOWN_MAX = 50_000
FOREVER_MS = 1 << 62
FILL_TOLERANCE = 0.1  # of the height: beyond it the echo cannot be of this container


class Measurement(msgspec.Struct, frozen=True, gc=False):
    reading: Reading
    identity: Identity
    asset: Asset
    measured_ms: int
    values: Mapping[str, Value]


def measure(reading: Reading, identity: Identity, inventory: Inventory) -> Measurement:
    """Raises Refused where device, asset, kind or owner do not fit together."""
    uplink = reading.uplink
    measured_ms = uplink.heard_ms if reading.measured_ms is None else reading.measured_ms
    asset = _memory.asset_of(uplink, measured_ms, inventory)
    if asset is None:
        asset = _asset(uplink, measured_ms, inventory)
        _check_owner(uplink, asset, inventory)
        _memory.keep(uplink, measured_ms, asset)
    if reading.kind not in (asset.kind, ALARM):
        raise Refused("wrong_kind", f"{reading.kind} reading for {asset.kind} {asset.asset}")
    values = _MEANINGS[reading.kind](reading, asset)
    return Measurement(reading, identity, asset, measured_ms, values)


Claim = tuple[str, str, str | None, str | None]  # tenant, application, the tags asset and ags


class _Known(msgspec.Struct, frozen=True, gc=False):
    """Checked before: a device that claims this serves that asset in [since, until)."""

    claim: Claim
    asset: Asset
    since_ms: int
    until_ms: int


class _Memory:
    """What _asset and _check_owner found, as long as the inventory is the same."""

    def __init__(self) -> None:
        self._inventory: Inventory | None = None
        self._known: dict[str, _Known] = {}  # by dev_eui
        self._claims: dict[Claim, Claim] = {}  # each once: thousands of devices have the same

    def asset_of(self, uplink: Uplink, at_ms: int, inventory: Inventory) -> Asset | None:
        """None: ask them."""
        if self._inventory is not inventory:
            self._inventory = inventory
            self._forget()
        known = self._known.get(uplink.dev_eui)
        if known is None:
            return None
        since_ms, until_ms, heard_ms = known.since_ms, known.until_ms, uplink.heard_ms
        if not (since_ms <= at_ms < until_ms and since_ms <= heard_ms < until_ms):
            return None
        return known.asset if known.claim == _claim_of(uplink) else None

    def keep(self, uplink: Uplink, at_ms: int, asset: Asset) -> None:
        claim = _claim_of(uplink)
        if claim[2] is not None and claim[2] != asset.asset:
            return  # who serves the asset that the tag names is asked each time
        assert self._inventory is not None
        span = self._inventory.span_of(uplink.dev_eui, datetime_of_ms(at_ms))
        assert span is not None
        if len(self._known) >= KNOWN_MAX:
            self._forget()
        since_ms = unix_ms(span[0]) + 1
        until_ms = FOREVER_MS if span[1] is None else unix_ms(span[1])
        claim = self._claims.setdefault(claim, claim)
        self._known[uplink.dev_eui] = _Known(claim, asset, since_ms, until_ms)

    def _forget(self) -> None:
        self._known.clear()
        self._claims.clear()


_memory = _Memory()


def _claim_of(uplink: Uplink) -> Claim:
    device = uplink.device
    tags = device.tags
    return device.tenant_id, device.application_id, tags.get("asset"), tags.get("ags")


def _asset(uplink: Uplink, measured_ms: int, inventory: Inventory) -> Asset:
    tagged = uplink.device.tags.get("asset")
    if tagged is not None and not ASSET_NAME.match(tagged):
        raise Refused("invalid_asset", f"{uplink.dev_eui} is tagged {tagged!r}")
    if tagged is not None:
        _check_served_once(uplink, tagged, inventory)
    asset = inventory.asset_of(uplink.dev_eui, datetime_of_ms(measured_ms))
    if asset is None:
        known = "served nothing then" if inventory.knows_device(uplink.dev_eui) else "is not known"
        raise Refused("unknown_device", f"{uplink.dev_eui} {known}")
    return asset


def _check_served_once(uplink: Uplink, tagged: str, inventory: Inventory) -> None:
    """The inventory decides which asset is meant; a tag that names one which another device serves
    says that two devices, or two hands, are at work there."""
    at = datetime_of_ms(uplink.heard_ms)
    mine = inventory.asset_of(uplink.dev_eui, at)
    if mine is not None and mine.asset == tagged:
        return
    for period in inventory.periods:
        if period.asset != tagged or period.dev_eui == uplink.dev_eui or period.since > at:
            continue
        if period.until is None or at < period.until:
            raise Refused("asset_taken", f"{uplink.dev_eui}: {period.dev_eui} serves {tagged}")


def _check_owner(uplink: Uplink, asset: Asset, inventory: Inventory) -> None:
    """A town can edit the tags of its own devices: a tag alone proves nothing."""
    tenant_id, application_id, _, tagged = _claim_of(uplink)
    tagged = asset.ags if tagged is None else tagged
    for ags in (asset.ags,) if tagged == asset.ags else (tagged, asset.ags):
        if inventory.owner_of(ags) is None:
            raise Refused("unknown_ags", f"{uplink.dev_eui} claims {ags!r}")
        if not inventory.may_write(tenant_id, application_id, ags):
            whom = f"tenant {tenant_id}, application {application_id}"
            raise Refused("foreign_ags", f"{whom} for {ags}")
    if tagged != asset.ags:
        raise Refused("ags_mismatch", f"tag {tagged}, inventory {asset.ags} ({asset.asset})")


def _air(reading: Reading, _: Asset) -> Mapping[str, Value]:
    flags = reading.flags
    if not flags or ("sensor_fault" not in flags and "fan_or_laser_fault" not in flags):
        return reading.values
    values = dict(reading.values)
    for name in {"pm1", "pm25", "pm4", "pm10"} & set(values):
        values[name] = _with_quality(values[name], SUSPECT)
    return values


def _parking(reading: Reading, _: Asset) -> dict[str, Value]:
    state = reading.values["state"]
    quality: Quality = PASS if state.v is not None else state.q
    if quality == PASS and {"sensor_fault", "uncalibrated"} & set(reading.flags):
        quality = SUSPECT
    occupied = None if state.v is None else state.v == "occupied"
    rest = {name: value for name, value in reading.values.items() if name != "state"}
    return {"occupied": Value(occupied, quality), **rest}


def _waste(reading: Reading, asset: Asset) -> dict[str, Value]:
    values = dict(reading.values)
    distance, echo = values["distance"], values["echo"]
    doubtful = "sensor_fault" in reading.flags or (
        isinstance(echo.v, int) and echo.v < ECHO_QUALITY_MIN
    )
    if doubtful and distance.q == PASS:
        distance = _with_quality(distance, SUSPECT)
    emptied_from = values.pop("emptied_from", None)
    if emptied_from is not None:  # a message of its own: this reading is the first since
        values["emptied"] = Value(True, PASS)
        values["fill_before"] = _fill(emptied_from, asset)
    return {"fill": _fill(distance, asset), **values, "distance": distance}


def _fill(distance: Value, asset: Asset) -> Value:
    """Share of the container that is full, from the distance to the waste below the lid."""
    if distance.v is None:
        return Value(None, distance.q, "1")
    if asset.empty_mm is None or asset.full_mm is None or asset.empty_mm <= asset.full_mm:
        return Value(None, MISSING, "1", distance.v, "mm")
    assert isinstance(distance.v, int | float)
    fill = (asset.empty_mm - distance.v) / (asset.empty_mm - asset.full_mm)
    quality = distance.q
    if not -FILL_TOLERANCE <= fill <= 1 + FILL_TOLERANCE:
        quality = SUSPECT
    return Value(round(min(max(fill, 0.0), 1.0), 3), quality, "1", distance.v, "mm")


def _with_quality(value: Value, quality: Quality) -> Value:
    if value.q in (FAIL, MISSING):
        return value
    return Value(value.v, quality, value.u, value.raw, value.raw_u)


def _alarm(reading: Reading, _: Asset) -> dict[str, Value]:
    """Each alarm is true or false; with none true it is over."""
    raised = {name: Value(name in reading.flags, PASS) for name in ("fire", "tilt", "tamper")}
    return {
        **raised,
        "temp": reading.values["temp"],
        "tilt_angle": reading.values["tilt_angle"],
        "battery": reading.values["battery"],
    }


_MEANINGS = {"air": _air, "parking": _parking, "waste": _waste, ALARM: _alarm}
