# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Reading to measurement: which asset, where, who may say so, and what the value means there."""

from __future__ import annotations

from datetime import datetime

import msgspec

from revier_gateway.decode import Reading
from revier_gateway.identity import Identity
from revier_gateway.outcomes import Refused
from revier_gateway.uplink import Uplink
from revier_gateway.values import FAIL, MISSING, PASS, SUSPECT, Quality, Value
from revier_inventory import ASSET_NAME, Asset, Inventory

ALARM = "alarm"  # a kind of reading that every kind of asset may have
ECHO_QUALITY_MIN = 2  # of 5; below, the sensor saw something, but hardly the waste
FILL_TOLERANCE = 0.1  # of the height: beyond it the echo cannot be of this container


class Measurement(msgspec.Struct, frozen=True, gc=False):
    reading: Reading
    identity: Identity
    asset: Asset
    measured_at: datetime
    values: dict[str, Value]


def measure(reading: Reading, identity: Identity, inventory: Inventory) -> Measurement:
    """Raises Refused where device, asset, kind or owner do not fit together."""
    uplink = reading.uplink
    measured_at = reading.measured_at or uplink.heard_at
    asset = _asset(uplink, measured_at, inventory)
    _check_owner(uplink, asset, inventory)
    if reading.kind not in (asset.kind, ALARM):
        raise Refused("wrong_kind", f"{reading.kind} reading for {asset.kind} {asset.asset}")
    values = _MEANINGS[reading.kind](reading, asset)
    return Measurement(reading, identity, asset, measured_at, values)


def _asset(uplink: Uplink, measured_at: datetime, inventory: Inventory) -> Asset:
    tagged = uplink.tags.get("asset")
    if tagged is not None and not ASSET_NAME.match(tagged):
        raise Refused("invalid_asset", f"{uplink.dev_eui} is tagged {tagged!r}")
    if tagged is not None:
        _check_served_once(uplink, tagged, inventory)
    asset = inventory.asset_of(uplink.dev_eui, measured_at)
    if asset is None:
        known = "served nothing then" if inventory.knows_device(uplink.dev_eui) else "is not known"
        raise Refused("unknown_device", f"{uplink.dev_eui} {known}")
    return asset


def _check_served_once(uplink: Uplink, tagged: str, inventory: Inventory) -> None:
    """The inventory decides which asset is meant; a tag that names one which another device serves
    says that two devices, or two hands, are at work there."""
    at = uplink.heard_at
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
    tagged = uplink.tags.get("ags", asset.ags)
    for ags in (asset.ags,) if tagged == asset.ags else (tagged, asset.ags):
        if inventory.owner_of(ags) is None:
            raise Refused("unknown_ags", f"{uplink.dev_eui} claims {ags!r}")
        if not inventory.may_write(uplink.tenant_id, uplink.application_id, ags):
            whom = f"tenant {uplink.tenant_id}, application {uplink.application_id}"
            raise Refused("foreign_ags", f"{whom} for {ags}")
    if tagged != asset.ags:
        raise Refused("ags_mismatch", f"tag {tagged}, inventory {asset.ags} ({asset.asset})")


_AIR_NAMES = {"temperature": "temp", "humidity": "rh"}


def _air(reading: Reading, _: Asset) -> dict[str, Value]:
    values = {_AIR_NAMES.get(name, name): value for name, value in reading.values.items()}
    if "sensor_fault" in reading.flags or "fan_or_laser_fault" in reading.flags:
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
    names = {"temperature": "temp", "quality": "echo"}
    values = {names.get(name, name): value for name, value in reading.values.items()}
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
        "temp": reading.values["temperature"],
        "tilt_angle": reading.values["tilt_angle"],
        "battery": reading.values["battery"],
    }


_MEANINGS = {"air": _air, "parking": _parking, "waste": _waste, ALARM: _alarm}
