# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack asked over its API: has it the inventory's devices, and does it keep a history?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from revier_gateway.chirpstack_errors import ChirpStackError
from revier_gateway.config import Config, ConfigError
from revier_gateway.doctor.files import HISTORY_MIN
from revier_gateway.doctor.findings import Checked, ok, skipped, wrong
from revier_inventory import Asset, Inventory

if TYPE_CHECKING:
    from revier_gateway.chirpstack import ChirpStack, Registered

NAMED_MAX = 10  # of one kind of fault; the rest is counted
LOGS_MAX = 10  # event logs read: those of the devices heard last
# ChirpStack's default is 10. A log of fewer events may be that of a device that was silent so long
# that ChirpStack forgot it (31 days), and then it proves nothing.
HISTORY_DEFAULT = 10
FAR_MS = 1 << 62

HOW = "Write [chirpstack] host, port and token_env: docs/operator.md"
API_CURE = "[chirpstack] host, port, token_env; the API key must be of the owners' tenant"
OWNER_CURE = "Write its application_ids into the inventory's owners file"
ABSENT_CURE = "Provision it (revier-provision), or end its period in the inventory"
UNKNOWN_CURE = "Enter what it serves into the inventory, or delete it in ChirpStack"
TAGS_CURE = (
    "Set the device's tags in ChirpStack, or provision it again; wrong ones go to quarantine"
)
CODEC_CURE = "Provision one of its devices again (revier-provision), which brings Revier's codec"
HISTORY_CURE = (
    "Set per_device_event_log_max_history = 300 in [monitoring] of chirpstack.toml "
    "(gateway/deploy/chirpstack/) and restart ChirpStack; raised lately, it fills with time"
)


class Kept(NamedTuple):
    """What ChirpStack's event log of a device has."""

    dev_eui: str
    events: int
    from_join: bool  # its oldest event is a join: nothing of the session has been dropped


async def look(config: Config, inventory: Inventory, now: datetime | None = None) -> list[Checked]:
    """Both checks, over gRPC."""
    if config.chirpstack is None:
        what = "chirpstack: the inventory against its devices, its history"
        return [skipped("chirpstack", what, HOW)]
    from revier_gateway.chirpstack import ChirpStack

    try:
        chirpstack = ChirpStack(config.chirpstack)
    except (ConfigError, OSError) as error:
        return [wrong("chirpstack", f"chirpstack: {error}", API_CURE)]
    try:
        registered = {
            name: await chirpstack.registered(name)
            for name in sorted({n for owner in inventory.owners for n in owner.application_ids})
        }
        heard = _heard_last(registered)
        kept = [await _kept(chirpstack, one.dev_eui) for one in heard]
    except ChirpStackError as error:
        return [wrong("chirpstack", f"chirpstack: {error}", API_CURE)]
    finally:
        await chirpstack.close()
    return [*compare(inventory, registered, now or datetime.now(UTC)), history(kept)]


def compare(
    inventory: Inventory, registered: Mapping[str, Sequence[Registered]], now: datetime
) -> list[Checked]:
    """registered: by application id."""
    serving = {
        period.dev_eui: asset
        for period in inventory.periods
        if period.since <= now and (period.until is None or now < period.until)
        if (asset := inventory.asset(period.asset)) is not None
    }
    known = [one for devices in registered.values() for one in devices]
    owners = {asset.ags for asset in serving.values()}
    return [
        *_judged("chirpstack-owner", _ownerless(inventory, owners), OWNER_CURE, ""),
        *_judged(
            "chirpstack-devices",
            _absent(inventory, serving, registered),
            ABSENT_CURE,
            f"chirpstack: it has all {len(serving)} devices that serve an asset",
        ),
        *_judged(
            "chirpstack-unknown",
            [
                f"chirpstack: {one.dev_eui} serves nothing in the inventory"
                for one in known
                if one.dev_eui not in serving
            ],
            UNKNOWN_CURE,
            "chirpstack: it has no device that the inventory does not know",
        ),
        *_judged(
            "chirpstack-tags", list(_tags(serving, known)), TAGS_CURE, "chirpstack: the tags fit"
        ),
        *_judged(
            "chirpstack-codec",
            _codecs([one for one in known if one.dev_eui in serving]),
            CODEC_CURE,
            "chirpstack: the profiles have this version's codec",
        ),
    ]


def history(kept: Sequence[Kept]) -> Checked:
    """A log that has lost its beginning is as long as it gets."""
    longest = max((one.events for one in kept), default=0)
    check, needed = "chirpstack-history", f"{HISTORY_MIN} and more are needed"
    if longest >= HISTORY_MIN:
        return ok(check, f"chirpstack: its event log keeps {longest} events of a device")
    empty = [one for one in kept if one.events == 0]
    cut = [one for one in kept if one.events >= HISTORY_DEFAULT and not one.from_join]
    if empty and longest == 0:
        return wrong(check, f"chirpstack: its event log keeps nothing; {needed}", HISTORY_CURE)
    if cut:
        one = max(cut, key=lambda log: log.events)
        what = f"chirpstack: its event log of {one.dev_eui} begins {one.events} events ago; "
        return wrong(check, what + needed, HISTORY_CURE)
    what = f"chirpstack: how many events of a device does it keep? So far {longest} and all there"
    return skipped(check, what, f"Look again when a device has sent more than {HISTORY_MIN}")


def _heard_last(registered: Mapping[str, Sequence[Registered]]) -> list[Registered]:
    heard = [one for devices in registered.values() for one in devices if one.last_seen_ms]
    return sorted(heard, key=lambda one: -(one.last_seen_ms or 0))[:LOGS_MAX]


async def _kept(chirpstack: ChirpStack, dev_eui: str) -> Kept:
    """Raises ChirpStackError."""
    names = [item.event async for item in chirpstack.event_log(dev_eui, FAR_MS)]
    return Kept(dev_eui, len(names), from_join=names[:1] == ["join"])


def _ownerless(inventory: Inventory, owners: set[str]) -> list[str]:
    return [
        f"inventory: {ags} has no ChirpStack application"
        for ags in sorted(owners)
        if (owner := inventory.owner_of(ags)) is None or not owner.application_ids
    ]


def _absent(
    inventory: Inventory,
    serving: Mapping[str, Asset],
    registered: Mapping[str, Sequence[Registered]],
) -> list[str]:
    where = {one.dev_eui: name for name, devices in registered.items() for one in devices}
    found = []
    for dev_eui, asset in sorted(serving.items()):
        owner = inventory.owner_of(asset.ags)
        applications = owner.application_ids if owner is not None else ()
        if dev_eui not in where:
            found.append(f"chirpstack: {dev_eui}, which serves {asset.asset}, is not there")
        elif where[dev_eui] not in applications:
            what = f"is in the application {where[dev_eui]}, which is not {asset.ags}'s"
            found.append(f"chirpstack: {dev_eui}, which serves {asset.asset}, {what}")
    return found


def _tags(serving: Mapping[str, Asset], known: Sequence[Registered]) -> Iterator[str]:
    for one in known:
        asset = serving.get(one.dev_eui)
        if asset is None:
            continue
        for name, value in (("asset", asset.asset), ("ags", asset.ags)):
            if (tag := one.tags.get(name)) != value:
                now = "is not set" if tag is None else f"is {tag}"
                yield f"chirpstack: {one.dev_eui}: the tag {name} {now}, not {value}"


def _codecs(known: Sequence[Registered]) -> list[str]:
    own = (resources.files("revier_payload") / "codec.js").read_text("utf-8")
    return sorted(
        {
            f"chirpstack: the device profile {one.profile} has "
            + ("another codec than this version's" if one.codec else "no codec")
            for one in known
            if one.codec.strip() != own.strip()
        }
    )


def _judged(check: str, faults: Sequence[str], cure: str, right: str) -> list[Checked]:
    if not faults:
        return [ok(check, right)] if right else []
    results = [wrong(check, what, cure) for what in faults[:NAMED_MAX]]
    if len(faults) > NAMED_MAX:
        results.append(wrong(check, f"and {len(faults) - NAMED_MAX} more like these", cure))
    return results
