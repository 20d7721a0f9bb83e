# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Inventories for the tests: drawn by hypothesis, and one that every test may take."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st

from revier_inventory import (
    Asset,
    Calibration,
    DevicePeriod,
    Inventory,
    Owner,
    RadioGateway,
    Site,
)

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,47}", fullmatch=True)
AGS = st.text(string.digits, min_size=8, max_size=8)
EUIS = st.text("0123456789abcdef", min_size=16, max_size=16)
UUIDS = st.uuids().map(str)
PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
WORDS = st.text(PRINTABLE, max_size=40)
SOME_WORDS = st.builds("{}{}".format, st.sampled_from("Aß\"\\'😀#"), WORDS)
LON = st.floats(-180, 180)
LAT = st.floats(-90, 90)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NUMBERS = st.floats(-1e6, 1e6).filter(bool)


def owners(ags: str) -> st.SearchStrategy[Owner]:
    ids = st.lists(UUIDS, unique=True, max_size=3).map(tuple)
    return st.builds(
        Owner, ags=st.just(ags), name=SOME_WORDS, tenant_ids=ids, application_ids=ids, note=WORDS
    )


def sites(site: str, ags: str) -> st.SearchStrategy[Site]:
    return st.builds(
        Site,
        site=st.just(site),
        ags=st.just(ags),
        name=SOME_WORDS,
        lon=LON,
        lat=LAT,
        capacity=st.none() | st.integers(0, 10_000),
        note=WORDS,
    )


CALIBRATIONS = st.builds(
    Calibration, field=NAMES, since=TIMES, factor=NUMBERS, offset=NUMBERS, method=WORDS
)


@st.composite
def assets(draw: st.DrawFn, asset: str, ags: str, own_sites: list[str]) -> Asset:
    kind = draw(st.sampled_from(["air", "parking", "waste"]))
    more: dict[str, object] = {}
    if kind == "parking":
        more["bay"] = draw(st.none() | WORDS)
    if kind == "waste" and draw(st.booleans()):
        more["full_mm"] = draw(st.integers(0, 5000))
        more["empty_mm"] = draw(st.integers(5001, 10_000))
        more["volume_l"] = draw(st.none() | st.integers(1, 100_000))
        more["waste_kind"] = draw(st.none() | WORDS)
    return Asset(
        asset=asset,
        kind=kind,
        ags=ags,
        name=draw(SOME_WORDS),
        lon=draw(LON),
        lat=draw(LAT),
        site=draw(st.sampled_from([None, *own_sites])),
        licence=draw(st.none() | WORDS),
        calibrations=tuple(draw(st.lists(CALIBRATIONS, max_size=2))),
        note=draw(WORDS),
        **more,
    )


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    all_ags = draw(st.lists(AGS, unique=True, min_size=1, max_size=3))
    site_names = draw(st.lists(NAMES, unique=True, max_size=3))
    site_list = [draw(sites(name, draw(st.sampled_from(all_ags)))) for name in site_names]
    asset_list = []
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        ags = draw(st.sampled_from(all_ags))
        own_sites = [site.site for site in site_list if site.ags == ags]
        asset_list.append(draw(assets(name, ags, own_sites)))
    gateway_ids = draw(st.lists(EUIS, unique=True, max_size=2))
    altitude = st.none() | st.floats(-100, 5000)
    return Inventory(
        owners=tuple(draw(owners(ags)) for ags in all_ags),
        sites=tuple(site_list),
        assets=tuple(asset_list),
        periods=tuple(draw(periods([asset.asset for asset in asset_list]))),
        radio_gateways=tuple(
            RadioGateway(
                gateway_id=gateway_id,
                name=draw(SOME_WORDS),
                lon=draw(LON),
                lat=draw(LAT),
                altitude_m=draw(altitude),
                note=draw(WORDS),
            )
            for gateway_id in gateway_ids
        ),
    )


@st.composite
def periods(draw: st.DrawFn, asset_names: list[str]) -> list[DevicePeriod]:
    """Devices of their own for each asset, one after the other; the last may still serve."""
    found = []
    for asset in asset_names:
        starts = sorted(draw(st.lists(TIMES, unique=True, max_size=3)))
        for index, since in enumerate(starts):
            later = starts[index + 1] if index + 1 < len(starts) else None
            until = later or draw(st.none() | st.just(since + timedelta(microseconds=1)))
            dev_eui = f"{len(found):016x}"
            period = DevicePeriod(dev_eui=dev_eui, asset=asset, since=since, until=until)
            found.append(period)
    return found


@pytest.fixture
def any_inventory() -> st.SearchStrategy[Inventory]:
    return inventories()


TENANT = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"
APPLICATION = "2d38308d-7c27-4fa2-adff-5f80a2056210"


@pytest.fixture
def herten() -> Inventory:
    """One owner with ids, one asset of each kind, no device."""
    position = {"ags": "05562020", "lon": 7.1353, "lat": 51.5961}
    return Inventory(
        owners=(
            Owner(
                ags="05562020",
                name="Herten",
                tenant_ids=(TENANT,),
                application_ids=(APPLICATION,),
            ),
        ),
        assets=(
            Asset(asset="herten-air-01", kind="air", name="Rathaus", **position),
            Asset(asset="herten-air-02", kind="air", name="Schloss", **position),
            Asset(asset="herten-bay-07", kind="parking", name="Bucht 7", bay="7", **position),
            Asset(
                asset="herten-glas-03",
                kind="waste",
                name="Altglas",
                empty_mm=1450,
                full_mm=250,
                **position,
            ),
        ),
    )


@pytest.fixture
def bare_herten(herten: Inventory) -> Inventory:
    """As an inventory is before ChirpStack is known: the owner has no ids."""
    return Inventory(owners=(Owner(ags="05562020", name="Herten"),), assets=herten.assets)
