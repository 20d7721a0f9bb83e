# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What must hold in and between the records. Every check yields findings; none raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from revier_inventory import model
from revier_inventory.errors import Finding
from revier_inventory.message import Message, _
from revier_inventory.model import (
    ASSETS,
    DEVICES,
    OWNERS,
    RADIO_GATEWAYS,
    SITES,
    Asset,
    DevicePeriod,
    Owner,
    RadioGateway,
    Record,
    Site,
)

R = TypeVar("R", bound=Record)
_ASSET_CURE = _("Use 1 to 48 of a-z, 0-9 and '-', beginning with a letter or digit")
_AGS_CURE = _('Write the 8 digits of the Amtlicher Gemeindeschluessel as text, e.g. "05562020"')
_EUI_CURE = _('Write 16 lower-case hex digits, e.g. "70b3d57ed0001234"')
_UUID_CURE = _('Copy it from ChirpStack, e.g. "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"')
_TIME_CURE = _("Write date, time and zone, e.g. 2026-05-01T08:00:00Z")


def findings_of(
    owners: Sequence[Owner],
    sites: Sequence[Site],
    assets: Sequence[Asset],
    periods: Sequence[DevicePeriod],
    radio_gateways: Sequence[RadioGateway],
) -> list[Finding]:
    """Every fault of these records, file by file."""
    known_ags = frozenset(owner.ags for owner in owners)
    site_by_name = {site.site: site for site in sites}
    asset_names = frozenset(asset.asset for asset in assets)
    found: list[Finding] = []
    found += _each(OWNERS, owners, _owner, lambda owner: owner.ags)
    found += _each(SITES, sites, _site, lambda site: site.site)
    found += _each(ASSETS, assets, _asset, lambda asset: asset.asset)
    found += _each(DEVICES, periods, _period, None)
    found += _each(RADIO_GATEWAYS, radio_gateways, _radio_gateway, lambda gw: gw.gateway_id)
    found += _owned(SITES, ((site, site.ags) for site in sites), known_ags)
    found += _owned(ASSETS, ((asset, asset.ags) for asset in assets), known_ags)
    with_owner = [(gw, gw.ags) for gw in radio_gateways if gw.ags is not None]
    found += _owned(RADIO_GATEWAYS, with_owner, known_ags)
    found += _placed(assets, site_by_name)
    found += _served(periods, asset_names)
    if not found:  # overlaps are only meaningful among sound periods
        found += _overlaps(periods, "dev_eui", "asset")
        found += _overlaps(periods, "asset", "dev_eui")
    return found


def label(record: Record) -> str:
    """How a finding names a record: `asset "herten-air-01"`."""
    match record:
        case Owner():
            return f'owner "{record.ags}"'
        case Site():
            return f'site "{record.site}"'
        case Asset():
            return f'asset "{record.asset}"'
        case DevicePeriod():
            return f'period of "{record.dev_eui}" at "{record.asset}"'
        case RadioGateway():
            return f'radio_gateway "{record.gateway_id}"'
    raise AssertionError(record)


_Fault = tuple[str, Message, Message]  # key, problem, cure


def _each(
    file: str,
    records: Sequence[R],
    check: Callable[[R], Iterator[_Fault]],
    name: Callable[[R], str] | None,
) -> Iterator[Finding]:
    if len(records) > model.RECORDS_PER_FILE_MAX:
        problem = _(
            "has {count} records, more than {most}",
            count=len(records),
            most=model.RECORDS_PER_FILE_MAX,
        )
        yield Finding(file, "file", problem, _("Split the inventory by district"))
    seen: set[str] = set()
    for record in records:
        for key, problem, cure in check(record):
            yield Finding(file, f"{label(record)}: {key}", problem, cure)
        if name is None:
            continue
        if name(record) in seen:
            yield Finding(file, label(record), _("stands here twice"), _("Keep one of the two"))
        seen.add(name(record))


def _matches(pattern: re.Pattern[str], key: str, value: str, cure: Message) -> Iterator[_Fault]:
    if not pattern.match(value):
        yield key, _("{value!r} is not of the right form", value=value[:80]), cure


def _words(key: str, value: str, chars_max: int, *, required: bool = False) -> Iterator[_Fault]:
    if required and not value.strip():
        yield key, _("is empty"), _("Write a name that people know the thing by")
    if len(value) > chars_max:
        yield (
            key,
            _("has {count} characters", count=len(value)),
            _("Use at most {most}", most=chars_max),
        )
    if not value.isprintable():
        yield (
            key,
            _("holds characters that cannot be printed"),
            _("Write it on one line, without tabs"),
        )


def _position(lon: float, lat: float) -> Iterator[_Fault]:
    cure = _("Write WGS 84 degrees, longitude (lon) 7.1 and latitude (lat) 51.6 for example")
    if not -180 <= lon <= 180:
        yield "lon", _("{lon} is not between -180 and 180", lon=lon), cure
    if not -90 <= lat <= 90:
        yield "lat", _("{lat} is not between -90 and 90", lat=lat), cure


def _at_least(key: str, value: int | None, least: int) -> Iterator[_Fault]:
    if value is not None and value < least:
        yield (
            key,
            _("{value} is less than {least}", value=value, least=least),
            _("Write the true number or leave the key out"),
        )


def _finite(key: str, value: float) -> Iterator[_Fault]:
    if not abs(value) < 1e9:
        yield (
            key,
            _("{value} is not a usable number", value=value),
            _("Write a plain decimal number"),
        )


def _aware(key: str, at: datetime | None) -> Iterator[_Fault]:
    if at is not None and at.tzinfo is None:
        yield key, _("{at} has no time zone", at=at.isoformat()), _TIME_CURE


def _owner(owner: Owner) -> Iterator[_Fault]:
    yield from _matches(model.AGS, "ags", owner.ags, _AGS_CURE)
    yield from _words("name", owner.name, model.NAME_CHARS_MAX, required=True)
    yield from _words("note", owner.note, model.NOTE_CHARS_MAX)
    for key in ("tenant_ids", "application_ids"):
        ids: tuple[str, ...] = getattr(owner, key)
        for value in ids:
            yield from _matches(model.UUID, key, value, _UUID_CURE)
        if len(set(ids)) < len(ids):
            yield key, _("names one id twice"), _("Keep one of the two")


def _site(site: Site) -> Iterator[_Fault]:
    yield from _matches(model.ASSET_NAME, "site", site.site, _ASSET_CURE)
    yield from _matches(model.AGS, "ags", site.ags, _AGS_CURE)
    yield from _words("name", site.name, model.NAME_CHARS_MAX, required=True)
    yield from _words("note", site.note, model.NOTE_CHARS_MAX)
    yield from _position(site.lon, site.lat)
    yield from _at_least("capacity", site.capacity, 0)


def _asset(asset: Asset) -> Iterator[_Fault]:
    yield from _matches(model.ASSET_NAME, "asset", asset.asset, _ASSET_CURE)
    yield from _matches(model.AGS, "ags", asset.ags, _AGS_CURE)
    yield from _words("name", asset.name, model.NAME_CHARS_MAX, required=True)
    yield from _words("note", asset.note, model.NOTE_CHARS_MAX)
    for key in ("bay", "waste_kind", "licence"):
        yield from _words(key, getattr(asset, key) or "", model.NAME_CHARS_MAX)
    if asset.kind not in model.DOMAIN_BY_KIND:
        yield "kind", _("{kind!r} is unknown", kind=asset.kind), _("Write air, parking or waste")
    yield from _position(asset.lon, asset.lat)
    yield from _only_for(asset)
    yield from _container(asset)
    for calibration in asset.calibrations:
        yield from _words("calibrations.field", calibration.field, 48, required=True)
        yield from _words("calibrations.method", calibration.method, model.NAME_CHARS_MAX)
        yield from _aware("calibrations.since", calibration.since)
        yield from _finite("calibrations.factor", calibration.factor)
        yield from _finite("calibrations.offset", calibration.offset)
        if calibration.factor == 0:
            yield (
                "calibrations.factor",
                _("is 0 and would erase every value"),
                _("Write 1.0 for none"),
            )


def _only_for(asset: Asset) -> Iterator[_Fault]:
    for kind, keys in (
        ("parking", ("bay",)),
        ("waste", ("empty_mm", "full_mm", "volume_l", "waste_kind")),
    ):
        for key in keys:
            if asset.kind != kind and getattr(asset, key) is not None:
                problem = _("means nothing for kind {kind}", kind=asset.kind)
                yield key, problem, _('Remove it, or write kind = "{kind}"', kind=kind)


def _container(asset: Asset) -> Iterator[_Fault]:
    yield from _at_least("volume_l", asset.volume_l, 1)
    empty_mm, full_mm = asset.empty_mm, asset.full_mm
    cure = _(
        "empty_mm is the sensor's distance to the floor, full_mm to the fill line below the lid"
    )
    if (empty_mm is None) != (full_mm is None):
        yield "empty_mm", _("empty_mm and full_mm go together"), _("Write both; {cure}", cure=cure)
    elif (
        empty_mm is not None
        and full_mm is not None
        and not 0 <= full_mm < empty_mm <= model.DISTANCE_MM_MAX
    ):
        problem = _(
            "empty_mm {empty_mm} and full_mm {full_mm} do not make a container",
            empty_mm=empty_mm,
            full_mm=full_mm,
        )
        yield (
            "empty_mm",
            problem,
            _(
                "0 <= full_mm < empty_mm <= {most}; {cure}",
                most=model.DISTANCE_MM_MAX,
                cure=cure,
            ),
        )


def _period(period: DevicePeriod) -> Iterator[_Fault]:
    yield from _matches(model.EUI, "dev_eui", period.dev_eui, _EUI_CURE)
    yield from _aware("since", period.since)
    yield from _aware("until", period.until)
    both_aware = period.since.tzinfo and period.until and period.until.tzinfo
    if both_aware and period.until is not None and period.until <= period.since:
        yield "until", _("is not after since"), _("Correct the later one, or remove the period")


def _radio_gateway(gateway: RadioGateway) -> Iterator[_Fault]:
    yield from _matches(model.EUI, "gateway_id", gateway.gateway_id, _EUI_CURE)
    yield from _words("name", gateway.name, model.NAME_CHARS_MAX, required=True)
    yield from _words("note", gateway.note, model.NOTE_CHARS_MAX)
    yield from _position(gateway.lon, gateway.lat)
    yield from _finite("altitude_m", gateway.altitude_m or 0.0)


def _owned(
    file: str, records: Iterable[tuple[Record, str]], known_ags: frozenset[str]
) -> Iterator[Finding]:
    for record, ags in records:
        if ags not in known_ags:
            cure = _("Add the owner to {owners} or correct the ags", owners=OWNERS)
            yield Finding(file, f"{label(record)}: ags", _("no owner has {ags!r}", ags=ags), cure)


def _placed(assets: Iterable[Asset], site_by_name: dict[str, Site]) -> Iterator[Finding]:
    for asset in assets:
        if asset.site is None:
            continue
        site = site_by_name.get(asset.site)
        key = f"{label(asset)}: site"
        if site is None:
            cure = _("Add it to {sites} or correct the name", sites=SITES)
            yield Finding(ASSETS, key, _("there is no site {site!r}", site=asset.site), cure)
        elif site.ags != asset.ags:
            problem = _(
                "the site belongs to {site_ags}, the asset to {asset_ags}",
                site_ags=site.ags,
                asset_ags=asset.ags,
            )
            yield Finding(ASSETS, key, problem, _("An asset and its site have one owner"))


def _served(periods: Iterable[DevicePeriod], asset_names: frozenset[str]) -> Iterator[Finding]:
    for period in periods:
        if period.asset not in asset_names:
            cure = _("Add it to {assets} or correct the name", assets=ASSETS)
            yield Finding(
                DEVICES,
                f"{label(period)}: asset",
                _("there is no asset {asset!r}", asset=period.asset),
                cure,
            )


def _overlaps(periods: Sequence[DevicePeriod], by: str, other: str) -> Iterator[Finding]:
    ordered = sorted(periods, key=lambda period: (getattr(period, by), period.since))
    for before, after in pairwise(ordered):
        if getattr(before, by) != getattr(after, by):
            continue
        if before.until is None or before.until > after.since:
            problem = _("begins while {other!r} is still there", other=getattr(before, other))
            cure = _(
                "End that period first: until = {since} or earlier", since=after.since.isoformat()
            )
            yield Finding(DEVICES, f"{label(after)}: since", problem, cure)
