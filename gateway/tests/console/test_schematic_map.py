# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The map's data are what their generator makes, and they are a map."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from gateway.tests.console.fake_view import PLACES

from revier_gateway.console.present import STATIC, towns
from revier_gateway.console.schematic_map import TOWNS, build_map, sites

DISTRICT = json.loads((STATIC / "district.geojson").read_text("utf-8"))


def inside(ring: list[list[float]], x: float, y: float) -> bool:
    crossings = 0
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            crossings += 1
    return crossings % 2 == 1


def owners(x: float, y: float) -> list[str]:
    features: list[dict[str, Any]] = DISTRICT["features"]
    rings = [(one["properties"]["ags"], one["geometry"]["coordinates"][0]) for one in features]
    return [ags for ags, ring in rings if inside(ring, x, y)]


def test_the_file_is_what_the_generator_makes() -> None:
    assert build_map() == DISTRICT
    assert "schematisch" in DISTRICT["note"]


def test_ten_towns_with_closed_borders() -> None:
    assert len(DISTRICT["features"]) == 10
    assert towns()["05562016"] == "Haltern am See"
    for feature in DISTRICT["features"]:
        (ring,) = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        assert len(ring) > 20


def test_every_place_lies_in_its_own_town_only() -> None:
    for ags, (x, y) in sites():
        assert owners(x, y) == ([ags] if ags else []), (x, y)


@pytest.mark.parametrize("ags", TOWNS)
def test_a_name_stands_in_its_town(ags: str) -> None:
    x, y = TOWNS[ags][1]
    assert owners(x, y) == [ags]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[0])
def test_a_node_stands_in_its_town(place: tuple[str, str, str, str, float, float]) -> None:
    assert owners(place[4], place[5]) == [place[1]]
