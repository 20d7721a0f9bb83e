# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The inventory against ChirpStack, and how much of a device's past ChirpStack keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

import msgspec

from revier_gateway.chirpstack_errors import ChirpStackError
from revier_gateway.config import ChirpStack as Settings
from revier_gateway.config import ConfigError
from revier_gateway.doctor.files import HISTORY_MIN
from revier_gateway.doctor.findings import Checked, ok, skipped, wrong
from revier_gateway.gaps.event_log import Log
from revier_gateway.listed_device import Listed
from revier_inventory import Inventory

NAMES_MAX = 5  # in a sentence
SAMPLE = 5  # devices whose log is read
MISSING_CURE = "Register it: revier-provision register, or restore-server for many"
STRANGER_CURE = (
    "Its readings go to quarantine. Record it: revier-provision node; or delete it in ChirpStack"
)
TAGS_CURE = "Correct them in ChirpStack (Tags of the device), or run: revier-provision register"
HISTORY_CURE = (
    "Set per_device_event_log_max_history = 300 in [monitoring] of chirpstack.toml "
    "(gateway/deploy/chirpstack/) and restart ChirpStack"
)
API_CURE = "Host, port and API key: [chirpstack] in the configuration"
NO_API_CURE = "Configure [chirpstack]: what was missed is fetched there, too"


class Server(Log, Protocol):
    async def devices(self, application_id: str) -> list[Listed]: ...
    async def device_tags(self, dev_eui: str) -> dict[str, str]: ...
    async def close(self) -> None: ...


async def examine(
    settings: Settings | None, inventory: Inventory, now: datetime, server: Server | None = None
) -> list[Checked]:
    """`server`: else the one that is configured."""
    if settings is None:
        what = "ChirpStack: devices, history"
        return [skipped("chirpstack-devices", what, NO_API_CURE)]
    if server is None:
        from revier_gateway.chirpstack import ChirpStack

        try:
            server = ChirpStack(settings)
        except ConfigError as error:
            return [wrong("chirpstack-api", f"ChirpStack: {error}", API_CURE)]
    try:
        applications = {i for owner in inventory.owners for i in owner.application_ids}
        found = [one for i in sorted(applications) for one in await server.devices(i)]
        found = [await _with_all_tags(server, inventory, one) for one in found]
        return [*compare(inventory, found, now), await _history(server, found, now)]
    except ChirpStackError as error:
        return [wrong("chirpstack-api", f"ChirpStack: {error}", API_CURE)]
    finally:
        await server.close()


async def _with_all_tags(server: Server, inventory: Inventory, one: Listed) -> Listed:
    """Older ChirpStacks list devices without their tags."""
    if one.tags or not list(inventory.periods_of_device(one.dev_eui)):
        return one
    return msgspec.structs.replace(one, tags=await server.device_tags(one.dev_eui))


def compare(inventory: Inventory, found: Iterable[Listed], now: datetime) -> list[Checked]:
    """What serves an asset now, and what ChirpStack has."""
    listed = {one.dev_eui: one for one in found}
    serving = {p.dev_eui: p.asset for p in inventory.periods if _is_now(p.since, p.until, now)}
    missing = sorted(f"{asset} ({eui})" for eui, asset in serving.items() if eui not in listed)
    known = {period.dev_eui for period in inventory.periods}
    strangers = sorted(eui for eui in listed if eui not in known)
    other = sorted(
        f"{eui} says {dict(listed[eui].tags)}, not {wanted}"
        for eui, asset in serving.items()
        if eui in listed and listed[eui].tags != (wanted := _tags(inventory, asset))
    )
    elsewhere = sorted(
        f"{asset} ({eui})"
        for eui, asset in serving.items()
        if eui in listed and not _is_owners(inventory, asset, listed[eui])
    )
    results = [
        wrong("chirpstack-devices", f"ChirpStack does not know the device of {_named(missing)}",
              MISSING_CURE) if missing else None,
        wrong("chirpstack-owner", f"In another owner's application: {_named(elsewhere)}",
              "Move it in ChirpStack, or correct application_ids in owners.toml")
        if elsewhere else None,
        wrong("chirpstack-tags", f"Tags differ from the inventory: {_named(other)}", TAGS_CURE)
        if other else None,
        wrong("chirpstack-strangers", f"The inventory does not know {_named(strangers)}",
              STRANGER_CURE) if strangers else None,
    ]  # fmt: skip
    found_wrong = [one for one in results if one is not None]
    return found_wrong or [
        ok("chirpstack-devices", f"ChirpStack: all {len(serving)} devices that serve are there")
    ]


def _tags(inventory: Inventory, name: str) -> dict[str, str]:
    asset = inventory.asset(name)
    assert asset is not None, "the inventory checks that a period's asset is there"
    return {"asset": asset.asset, "ags": asset.ags}


def _is_owners(inventory: Inventory, name: str, listed: Listed) -> bool:
    asset = inventory.asset(name)
    owner = inventory.owner_of(asset.ags) if asset is not None else None
    return owner is not None and listed.application_id in owner.application_ids


def _is_now(since: datetime, until: datetime | None, now: datetime) -> bool:
    return since <= now and (until is None or now < until)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
    return ", ".join(names[:NAMES_MAX]) + more


async def _history(server: Server, found: list[Listed], now: datetime) -> Checked:
    """Of the devices that were heard last: they have the most to tell."""
    heard = sorted((one for one in found if one.seen_ms), key=lambda one: -(one.seen_ms or 0))
    logs = []
    for one in heard[:SAMPLE]:
        until_ms = round(now.timestamp() * 1000)
        logs.append(
            [(item.event, item.body) async for item in server.event_log(one.dev_eui, until_ms)]
        )
    return history(logs)


def history(logs: Iterable[list[tuple[str, bytes]]]) -> Checked:
    """logs: name and JSON of each device's events, oldest first.

    A log that begins after its session's first frame was cut: what it holds is what is kept.
    """
    cut = [len(log) for log in logs if _is_cut(log)]
    if not cut:
        what = "ChirpStack: how many events of a device it keeps; no device has sent enough yet"
        return skipped("chirpstack-history", what, "Name its file with --chirpstack-toml")
    if max(cut) < HISTORY_MIN:
        what = f"ChirpStack keeps only {max(cut)} events of a device"
        return wrong("chirpstack-history", what, HISTORY_CURE)
    return ok("chirpstack-history", f"ChirpStack keeps {max(cut)} events of a device")


def _is_cut(log: list[tuple[str, bytes]]) -> bool:
    for name, body in log:
        if name == "join":
            return False
        if name == "up":
            return _f_cnt(body) > 0
    return False


def _f_cnt(body: bytes) -> int:
    try:
        event: Any = json.loads(body)
        return int(event.get("fCnt", 0))
    except (ValueError, AttributeError, TypeError):
        return 0
