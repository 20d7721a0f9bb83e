# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Tables of assets as people have them, and what they would change."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revier_inventory import Asset, Inventory, begin_period
from revier_provision.errors import FaultsError
from revier_provision.fleet.asset_plan import make_plan, rows_of
from revier_provision.fleet.asset_rows import Row, read, template, write_csv

FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
HERTEN = "05562020"


def errors_of(text: str | bytes, *, is_toml: bool = False) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(FaultsError) as caught:
        read(data, is_toml=is_toml)
    assert all(cure for _, cure in caught.value.errors)
    return [problem for problem, _ in caught.value.errors]


def stripped(inventory: Inventory) -> Inventory:
    """A cell's blanks at its ends are nobody's wish."""
    texts = ("name", "bay", "waste_kind", "licence", "note")

    def strip(asset: Asset) -> Asset:
        new = {key: (getattr(asset, key) or "").strip() for key in texts}
        empty = {key: None for key in texts[1:-1] if not new[key]}
        return msgspec.structs.replace(asset, **(new | empty))

    return Inventory(
        owners=inventory.owners,
        sites=inventory.sites,
        assets=tuple(strip(asset) for asset in inventory.assets),
        periods=inventory.periods,
    )


# -- reading -------------------------------------------------------------------------------------

GERMAN = (
    "Objekt;Art;Gemeindeschlüssel;Bezeichnung;Länge (Grad);Breite (Grad);Abfallart;"
    "Abstand leer [mm];Abstand voll [mm]\r\n"
    "herten-glas-09;Müll;5562020;Glas am Schloß;7,1353;51,5961;glass;1450;250\r\n"
    ";;;;;;;;\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("before", ["", "sep=;\r\n"])
def test_a_german_spreadsheet_is_understood(encoding: str, before: str) -> None:
    (row,) = read((before + GERMAN).encode(encoding), is_toml=False)
    assert row == Row(
        line=3 if before else 2,
        fields={
            "asset": "herten-glas-09",
            "kind": "waste",
            "ags": "05562020",
            "name": "Glas am Schloß",
            "lon": 7.1353,
            "lat": 51.5961,
            "waste_kind": "glass",
            "empty_mm": 1450,
            "full_mm": 250,
        },
    )


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_separator_is_found(delimiter: str) -> None:
    text = delimiter.join(["asset", "kind", "name"]) + "\n" + delimiter.join(["a", "air", "N"])
    (row,) = read(text.encode(), is_toml=False)
    assert row.fields == {"asset": "a", "kind": "air", "name": "N"}


def test_a_decimal_comma_between_commas_needs_quotes() -> None:
    (row,) = read(b'asset,lon,lat\na,"7,1",51.6\n', is_toml=False)
    assert (row.fields["lon"], row.fields["lat"]) == (7.1, 51.6)
    assert errors_of("asset,lon,lat\na,7,1,51,6\n") == ["Line 2: 5 cells, the header has 3"]


def test_every_fault_is_said_at_once_with_its_line() -> None:
    text = (
        "asset;kind;ags;lon;lat;empty_mm\n"
        "a;air;05562020;x;51.6;\n"
        "b;noise;05562020;7.1;1.234,5;12.5\n"
        "a;air;05562020;7.1;51.6;\n"
        "a;air;05562020;7.1;;\n"
        "a;air;05562020;7.1;51.6;\n"
    )
    assert errors_of(text) == [
        "Line 2: lon: 'x' is no number",
        "Line 3: kind: 'noise' is no kind",
        "Line 3: lat: '1.234,5' is no number",
        "Line 3: empty_mm: '12.5' is no whole number",
        "Line 5: lat: is empty",
        "Line 6: 'a' stands in line 4 already",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("asset;colour\na;red\n", "Line 1: the column 'colour' is unknown"),
        ("name;kind\nN;air\n", "Line 1: there is no column 'asset'"),
        ("asset;kind;Art\na;air;air\n", "Line 1: 2 columns mean kind"),
        ("asset;kind\n", "The file names no asset"),
        ("", "The file names no asset"),
        ('asset;name\na;"N\n', "Line 2: unexpected end of data"),
        (b"asset;name\na;\x81\n", "The file is no text that can be read"),
        (b"\xff\xfea", "The file is no text that can be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(text: str | bytes, problem: str) -> None:
    assert errors_of(text) == [problem]


def test_toml_is_that_of_the_inventory() -> None:
    text = b"""format = 1

[[asset]]
asset = "herten-air-01"
lon = 7
calibrations = [{field = "pm25", since = 2026-05-01T00:00:00Z, factor = 0.9}]

[[asset]]
asset = "herten-air-02"
"""
    first, second = read(text, is_toml=True)
    assert (first.line, second.line) == (3, 8)
    assert first.fields["lon"] == 7.0
    assert first.fields["calibrations"][0].factor == 0.9
    assert second.fields == {"asset": "herten-air-02"}


def test_toml_faults_have_their_line() -> None:
    text = '[[asset]]\nname = "N"\n\n[[asset]]\nasset = "a"\nlon = "east"\ncolour = 1\n'
    assert errors_of(text, is_toml=True) == [
        "Line 1: the key 'asset' is missing",
        "Line 4: lon: Expected `float`, got `str`",
        "Line 4: the key 'colour' is unknown",
    ]
    assert "not TOML" in errors_of("[[asset\n", is_toml=True)[0]
    assert errors_of("asset = 1", is_toml=True) == ["[asset] is no list"]
    assert errors_of('[owner]\n[[asset]]\nasset="a"\n', is_toml=True) == ["'owner' is unknown"]


@given(st.binary(max_size=200), st.booleans())
def test_no_file_is_more_than_refused(data: bytes, is_toml: bool) -> None:
    with suppress(FaultsError):
        assert read(data, is_toml=is_toml)


# -- planning ------------------------------------------------------------------------------------


def plan_of(inventory: Inventory, text: str) -> Any:
    return make_plan(inventory, read(text.encode(), is_toml=False))


def test_new_changed_unchanged_and_gone(herten: Inventory) -> None:
    text = (
        "asset;kind;ags;name;lon;lat;empty_mm;full_mm\n"
        "herten-air-01;air;05562020;Rathaus;7,1353;51,5961;;\n"
        "herten-air-03;air;05562020;Park;7,2;51,6;;\n"
        "herten-glas-03;waste;05562020;Altglas;7,1353;51,5961;1500;250\n"
    )
    plan = plan_of(herten, text)
    told = {each.asset: (each.what, [str(c) for c in each.changes]) for each in plan.differences}
    assert told == {
        "herten-air-01": ("unchanged", []),
        "herten-air-03": ("new", []),
        "herten-glas-03": ("changed", ["empty_mm: 1450 -> 1500"]),
        "herten-air-02": ("gone", []),
        "herten-bay-07": ("gone", []),
    }
    assert {a.asset for a in herten.assets} < {a.asset for a in plan.after.assets}
    assert make_plan(plan.after, read(text.encode(), is_toml=False)).changes_nothing


def test_an_empty_cell_takes_a_value_away_and_a_missing_column_none(herten: Inventory) -> None:
    (bay,) = [a for a in herten.assets if a.asset == "herten-bay-07"]
    assert plan_of(herten, "asset;name\nherten-bay-07;Bucht 7\n").changes_nothing
    plan = plan_of(herten, "asset;bay\nherten-bay-07;\n")
    assert [str(c) for c in plan.differences[0].changes] == ["bay: '7' -> nothing"]
    assert plan.after.asset("herten-bay-07") == msgspec.structs.replace(bay, bay=None)


def test_what_the_inventory_refuses_is_said_with_the_line(herten: Inventory) -> None:
    text = (
        "asset;kind;ags;name;lon;lat;site\n"
        "Herten 1;air;05562020;N;7.1;51.6;\n"
        "herten-air-07;air;05562099;N;7.1;91;nowhere\n"
        "herten-air-08;air;;N;7.1;51.6;\n"
    )
    with pytest.raises(FaultsError) as caught:
        plan_of(herten, text)
    assert [problem for problem, _ in caught.value.errors] == ["Line 4: ags: is empty"]
    with pytest.raises(FaultsError) as caught:
        plan_of(herten, text.replace("herten-air-08;air;;N", "herten-air-08;air;05562020;N"))
    assert [problem for problem, _ in caught.value.errors] == [
        "Line 2: asset: 'Herten 1' is not of the right form",
        "Line 3: lat: 91.0 is not between -90 and 90",
        "Line 3: ags: no owner has '05562099'",
        "Line 3: site: there is no site 'nowhere'",
    ]


def test_new_assets_need_what_an_asset_needs(herten: Inventory) -> None:
    with pytest.raises(FaultsError) as caught:
        plan_of(herten, "asset;name\nherten-air-09;N\n")
    fields = ("kind", "ags", "lon", "lat")
    assert [problem for problem, _ in caught.value.errors] == [
        f"Line 2: 'herten-air-09' is new and has no {field}" for field in fields
    ]


def test_kind_and_owner_are_the_devices_while_one_serves(herten: Inventory) -> None:
    served = begin_period(herten, "240ac4fffe112233", "herten-air-01", AT)
    text = "asset;kind\nherten-air-01;parking\n"
    assert plan_of(herten, text).count("changed") == 1
    with pytest.raises(FaultsError, match=r"240ac4fffe112233 serves it so.*retire that device"):
        plan_of(served, text)


@pytest.mark.parametrize("german", [False, True])
def test_the_template_is_a_table(herten: Inventory, german: bool) -> None:
    plan = plan_of(herten, template(german=german))
    assert plan.count("unchanged") + plan.count("changed") == 3


@FIXTURE
@given(data=st.data())
def test_a_table_of_what_is_there_changes_nothing(
    any_inventory: st.SearchStrategy[Inventory], data: st.DataObject
) -> None:
    inventory = stripped(data.draw(any_inventory))
    if not inventory.assets:
        return
    german = data.draw(st.booleans())
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    text = write_csv(rows_of(inventory.assets), german=german)
    plan = make_plan(inventory, read(text.encode(encoding), is_toml=False))
    assert plan.changes_nothing, plan.differences
    assert plan.count("gone") == 0
    assert plan.after == inventory


@FIXTURE
@given(data=st.data())
def test_a_plan_that_was_applied_is_done_and_touches_nothing_else(
    any_inventory: st.SearchStrategy[Inventory], data: st.DataObject
) -> None:
    """From any inventory to the assets of another one with the same owners."""
    before = stripped(data.draw(any_inventory))
    names = [asset.asset for asset in before.assets] + ["brand-new"]
    wanted = []
    for name in data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1)):
        known = before.asset(name)
        ags = known.ags if known else before.owners[0].ags
        kind = known.kind if known else "air"
        fields = {"asset": name, "kind": kind, "ags": ags, "name": "N", "lon": 7.5, "lat": 51.5}
        wanted.append(Row(line=2 + len(wanted), fields=fields))
    plan = make_plan(before, wanted)
    again = make_plan(plan.after, wanted)
    assert again.changes_nothing
    assert again.after == plan.after
    assert plan.after.periods == before.periods
    assert plan.after.owners == before.owners
    touched = {row.fields["asset"] for row in wanted}
    for asset in before.assets:
        if asset.asset not in touched:
            assert plan.after.asset(asset.asset) == asset
    assert {a.asset for a in plan.after.assets} == {a.asset for a in before.assets} | touched
