# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a network server holds of an inventory's fleet, read once."""

from __future__ import annotations

import msgspec

from revier_inventory import Inventory
from revier_provision.ledger.records import key_id
from revier_provision.links import Application
from revier_provision.lns.chirpstack import PROFILE_NAME
from revier_provision.lns.fleet import FleetChirpStack, ListedDevice


class ServerDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A registered device; `key_id` of the key that the server has, None without one."""

    listed: ListedDevice
    join_eui: str
    key_id: str | None
    is_disabled: bool


class ServerView(msgspec.Struct, frozen=True, kw_only=True):
    """`applications` by ags, `interval_s` by ags and kind, `devices` by DevEUI."""

    applications: dict[str, Application]
    interval_s: dict[tuple[str, str], int]
    devices: dict[str, ListedDevice]


def look(inventory: Inventory, server: FleetChirpStack) -> ServerView:
    """Every device of the owners' applications."""
    applications: dict[str, Application] = {}
    devices: dict[str, ListedDevice] = {}
    interval_s: dict[tuple[str, str], int] = {}
    for owner in inventory.owners:
        application = server.find_application(owner)
        if application is None:
            continue
        applications[owner.ags] = application
        for device in server.devices_of(application.application_id):
            devices[device.dev_eui] = device
        for kind in sorted({a.kind for a in inventory.assets if a.ags == owner.ags}):
            name = PROFILE_NAME.format(kind=kind)
            found_s = server.profile_interval_s(application.tenant_id, name)
            if found_s is not None:
                interval_s[owner.ags, kind] = found_s
    return ServerView(applications=applications, interval_s=interval_s, devices=devices)


def look_closer(
    view: ServerView, server: FleetChirpStack, only: str | None = None
) -> dict[str, ServerDevice]:
    """With JoinEUI and the id of the key; `only` this DevEUI. The keys are forgotten at once."""
    found = {}
    for dev_eui, listed in view.devices.items():
        more = server.join_eui_and_disabled(dev_eui) if only in (None, dev_eui) else None
        if more is None:
            continue
        app_key = server.app_key(dev_eui)
        found[dev_eui] = ServerDevice(
            listed=listed,
            join_eui=more[0],
            key_id=None if app_key is None else key_id(app_key),
            is_disabled=more[1],
        )
    return found
