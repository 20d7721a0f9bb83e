# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How a node is, from what the network server last heard. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from revier_inventory.message import _
from revier_provision.links import INTERVAL_S_BY_KIND
from revier_provision.lns.fleet import ListedDevice

LATE_AFTER_INTERVALS = 3  # two lost in a row is a bad day on the air
BATTERY_LOW_PCT = 20.0

State = Literal["no device", "not registered", "never heard", "late", "battery low", "ok"]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`battery` in words: a share, mains, or nothing when the node has not told."""

    state: State
    last_seen: datetime | None = None
    battery: str | None = None
    margin_db: int | None = None


def health(
    dev_eui: str | None,
    device: ListedDevice | None,
    interval_s: int,
    now: datetime,
) -> Health:
    """`dev_eui`: the device that serves the asset; `device`: as the network server has it."""
    if dev_eui is None:
        return Health(state="no device")
    if device is None:
        return Health(state="not registered")
    return Health(
        state=_state(device, interval_s, now),
        last_seen=device.last_seen,
        battery=_battery(device),
        margin_db=device.margin_db,
    )


def expected_interval_s(kind: str, of_profile_s: int | None) -> int:
    """How often the node should be heard: what its profile says, else its kind's usual."""
    return of_profile_s or INTERVAL_S_BY_KIND[kind]


def _state(device: ListedDevice, interval_s: int, now: datetime) -> State:
    if device.last_seen is None:
        return "never heard"
    if now - device.last_seen > timedelta(seconds=LATE_AFTER_INTERVALS * interval_s):
        return "late"
    low = device.battery_pct is not None and device.battery_pct < BATTERY_LOW_PCT
    return "battery low" if low and not device.external_power else "ok"


def _battery(device: ListedDevice) -> str | None:
    if device.external_power:
        return _("mains")
    return None if device.battery_pct is None else f"{device.battery_pct:.0f} %"
