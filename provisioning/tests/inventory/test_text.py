# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Text in, checked inventory out, and back."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revier_inventory import FILE_NAMES, Inventory, InventoryError, dump, load
from revier_inventory.model import TABLES, Calibration

PAGE = Path(__file__).parents[3] / "docs" / "protocol" / "inventory.md"
FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def page_files() -> dict[str, str]:
    blocks = re.findall(r"```toml\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return dict(blocks)


def findings_of(files: dict[str, str]) -> str:
    with pytest.raises(InventoryError) as caught:
        load(files)
    assert caught.value.findings
    return str(caught.value)


@FIXTURE
@given(data=st.data())
def test_load_of_dump_is_the_same_inventory(
    any_inventory: st.SearchStrategy[Inventory], data: st.DataObject
) -> None:
    inventory = data.draw(any_inventory)
    texts = dump(inventory)
    assert load(texts) == inventory
    assert dump(load(texts)) == texts
    for text in texts.values():
        tomllib.loads(text)


def test_the_pages_example_loads() -> None:
    inventory = load(page_files())
    asset = inventory.asset("herten-glas-03")
    assert asset is not None
    assert (asset.empty_mm, asset.full_mm, asset.volume_l) == (1450, 250, 1500)
    assert len(inventory.periods) == 2
    assert inventory.radio_gateway("0016c001f1500812") is not None


def test_the_page_names_every_key() -> None:
    text = PAGE.read_text("utf-8")
    for file, (table, record) in TABLES.items():
        section = text.split(f"## {file}\n")[1].split("\n## ")[0]
        assert f"[[{table}]]" in section
        for key in record.__struct_fields__:
            assert f"`{key}`" in section, f"{file}: {key} is not explained"
    for key in Calibration.__struct_fields__:
        assert key in text


def test_a_missing_file_is_not_an_empty_district() -> None:
    files = page_files()
    del files["devices.toml"]
    assert "devices.toml: file: is missing" in findings_of(files)


def test_empty_files_are_an_empty_inventory() -> None:
    assert load(dict.fromkeys(FILE_NAMES, "")) == Inventory()


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("assets.toml", 'kind = "air"', 'kind = "aire"', '"herten-air-01"): kind: '),
        ("assets.toml", "lat = 51.5961", "lat = 95.5", "lat: 95.5 is not between -90 and 90"),
        ("assets.toml", "lat = 51.5961", "lat = nan", "lat: nan is not between"),
        ("assets.toml", "lat = 51.5961", 'lat = "51"', "lat: Expected `float`, got `str`"),
        ("assets.toml", "lat = 51.5961\n", "", "lat: is missing. Add it."),
        ("assets.toml", 'asset = "herten-air-01"', 'asset = "Herten"', "not of the right form"),
        ("assets.toml", 'asset = "herten-bay-07"', 'asset = "herten-air-01"', "stands here twice"),
        ("assets.toml", "empty_mm = 1450", "empty_mm = 200", "do not make a container"),
        ("assets.toml", "empty_mm = 1450\n", "", "empty_mm and full_mm go together"),
        ("assets.toml", 'bay = "7"', "empty_mm = 3", "means nothing for kind parking"),
        ("assets.toml", 'site = "herten-rathaus"', 'site = "x"', "there is no site 'x'"),
        ("assets.toml", "factor = 0.92", "factor = 0.0", "would erase every value"),
        ("assets.toml", "factor = 0.92", "factr = 0.92", "factr: is unknown. Correct the sp"),
        ("assets.toml", "Rathaus, Bucht 7", "Rathaus\\u0000", "cannot be printed"),
        ("assets.toml", "format = 1", "format = 2", "This program reads format 1"),
        ("assets.toml", "[[asset]]", "[[assets]]", "Only [[asset]] may stand here"),
        ("owners.toml", 'ags = "05562020"', 'ags = "5562020"', "not of the right form"),
        ("owners.toml", 'ags = "05562020"', "ags = 5562020", "ags: Expected `str`, got `int`"),
        ("owners.toml", 'ags = "05562020"', 'ags = "05562024"', "no owner has '05562020'"),
        ("owners.toml", "52f14cd4-", "52F14CD4-", "tenant_ids: "),
        ("devices.toml", "70b3d57ed0001234", "70B3D57ED0001234", "16 lower-case hex"),
        ("devices.toml", "until = 2026-09-14T10:30:00Z\n", "", "is still there"),
        ("devices.toml", "2026-05-01T08:00:00Z", "2026-05-01T08:00:00", "has no time zone"),
        ("devices.toml", "2026-05-01T08:00:00Z", "2026-05-01", "Write date, time and zone"),
        ("devices.toml", "2026-05-01T08:00:00Z", "2027-05-01T08:00:00Z", "is not after since"),
        ("devices.toml", 'asset = "herten-air-01"', 'asset = "gone"', "there is no asset 'gone'"),
        ("radio_gateways.toml", "0016c001f1500812", "0016c001f150081", "gateway_id: "),
        ("sites.toml", "[[site]]", "[site]", "Write [[site]] with two brackets"),
        ("sites.toml", 'site = "herten-rathaus"', "site = herten", "is not TOML"),
    ],
)
def test_a_fault_is_named_with_file_and_cure(file: str, old: str, new: str, expected: str) -> None:
    files = page_files()
    assert old in files[file]
    files[file] = files[file].replace(old, new)
    text = findings_of(files)
    assert expected in text
    assert f"{file}: " in text or "ags" in old


def test_all_faults_are_listed_at_once() -> None:
    files = page_files()
    files["assets.toml"] = files["assets.toml"].replace("51.5961", "151.5").replace("7.1288", "400")
    files["sites.toml"] = files["sites.toml"].replace("42", "-1")
    text = findings_of(files)
    assert text.count("\n") == 2
    assert "capacity" in text


def test_local_times_are_kept_as_utc() -> None:
    files = page_files()
    files["devices.toml"] = files["devices.toml"].replace(
        "2026-05-01T08:00:00Z", "2026-05-01T10:00:00+02:00"
    )
    period = load(files).periods[0]
    assert period.since == datetime(2026, 5, 1, 8, tzinfo=UTC)
    assert load(files) == load(page_files())
    assert "since = 2026-05-01T08:00:00Z" in dump(load(files))["devices.toml"]


@given(st.dictionaries(st.sampled_from(FILE_NAMES), st.text(max_size=200), max_size=4))
def test_random_text_is_refused_with_findings_only(files: dict[str, str]) -> None:
    with pytest.raises(InventoryError):
        load(files)  # at least one file is missing


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(key=st.sampled_from(["kind", "lon", "site", "calibrations", "name", "x"]), value=JSON_LIKE)
def test_wrong_types_are_refused_with_findings_only(key: str, value: object) -> None:
    files = page_files()
    try:
        inline = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return
    files["assets.toml"] += f'\n[[asset]]\nasset = "a"\n"{key}" = {inline}\n'
    with pytest.raises(InventoryError):
        load(files)
