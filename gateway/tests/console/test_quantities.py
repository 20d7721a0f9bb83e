# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Missing is never zero, and zero is never missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from revier_gateway.console.present import message_state
from revier_gateway.console.quantities import headline, mark, number_of, reading, readings
from revier_gateway.console.texts import Words

DE, EN = Words("de"), Words("en")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("key", "entry", "text", "unit", "number", "flag"),
    [
        ("pm25", {"v": 0, "u": "ug/m3", "q": 1}, "0.0", "µg/m³", 0.0, ""),
        ("pm25", {"v": None, "u": "ug/m3", "q": 9}, "–", "", None, ""),
        ("pm25", {"v": 3.0, "u": "ug/m3", "q": 9}, "–", "", None, ""),
        ("pm25", {"v": None, "u": "ug/m3", "q": 4}, "–", "", None, "out of range"),
        ("pm25", {"v": 3, "u": "ug/m3", "q": 3}, "3.0", "µg/m³", 3.0, "suspect"),
        ("pm25", {}, "–", "", None, ""),
        ("pm25", None, "–", "", None, ""),
        ("pm25", {"v": float("nan"), "q": 1}, "–", "", None, ""),
        ("pm25", {"v": [1], "q": 1}, "–", "", None, ""),
        ("temperature", {"v": -0.04, "u": "Cel", "q": 1}, "0.0", "°C", -0.04, ""),
        ("temp", {"v": -7.25, "u": "Cel", "q": 1}, "−7.2", "°C", -7.25, ""),
        ("fill", {"v": 0.63, "u": "1", "q": 1}, "63", "%", 63.0, ""),
        ("fill", {"v": 0, "u": "1", "q": 1}, "0", "%", 0.0, ""),
        ("fill", {"v": 63, "u": "%", "q": 1}, "63", "%", 63.0, ""),
        ("occupied", {"v": False, "q": 1}, "vacant", "", 0.0, ""),
        ("occupied", {"v": None, "q": 9}, "–", "", None, ""),
        ("lid", {"v": True, "q": 1}, "yes", "", 1.0, ""),
        ("confidence", {"v": "high", "q": 1}, "high", "", None, ""),
        ("confidence", {"v": "high", "q": 9}, "–", "", None, ""),
        ("mystery", {"v": 5, "u": "furlong", "q": 1}, "5.0", "furlong", 5.0, ""),
    ],
)
def test_reading(
    key: str, entry: Any, text: str, unit: str, number: float | None, flag: str
) -> None:
    one = reading(key, entry, EN)
    assert (one.text, one.unit, one.flag) == (text, unit, flag)
    assert one.number == (None if number is None else pytest.approx(number))


def test_a_quantity_is_named_once_whatever_it_is_called() -> None:
    assert reading("humidity", {"v": 60, "u": "%", "q": 1}, DE).label == "Luftfeuchte"
    assert reading("rh", {"v": 60, "u": "%", "q": 1}, DE).key == "rh"


def test_a_chart_gets_a_gap_for_a_missing_value() -> None:
    assert number_of("pm25", {"v": None, "q": 9}) == (None, "")
    assert number_of("pm25", {"v": 0, "u": "ug/m3", "q": 1}) == (0.0, "µg/m³")


@pytest.mark.parametrize(
    ("kind", "measured", "expected"),
    [
        ("air", {"pm25": {"v": 11.8, "q": 1}}, ("12", "measured")),
        ("air", {"pm25": {"v": 0, "q": 1}}, ("0", "measured")),
        ("air", {"pm25": {"v": None, "q": 9}}, ("–", "unknown")),
        ("air", {}, ("–", "unknown")),
        ("parking", {"occupied": {"v": True, "q": 1}}, ("P", "occupied")),
        ("parking", {"occupied": {"v": False, "q": 1}}, ("P", "vacant")),
        ("parking", {"occupied": {"v": None, "q": 9}}, ("?", "unknown")),
        ("waste", {"fill": {"v": 0.79, "u": "1", "q": 1}}, ("79", "measured")),
        ("waste", {"fill": {"v": 0.8, "u": "1", "q": 1}}, ("80", "full")),
    ],
)
def test_mark(kind: str, measured: dict[str, Any], expected: tuple[str, str]) -> None:
    found = readings({"m": measured}, EN)
    assert mark(kind, headline(kind, found), EN) == expected


@pytest.mark.parametrize("message", [{}, {"m": None}, {"m": [1]}, {"asset": 7, "m": {"pm25": 3}}])
def test_a_strange_message_is_still_a_line(message: dict[str, Any]) -> None:
    assert message_state(message, {}, DE)["kind"] == "other"


def test_a_message_says_the_important_first() -> None:
    message = {
        "asset": "urn:revier:05562032:airquality:aq-1",
        "m": {"temp": {"v": 4, "u": "Cel", "q": 1}, "pm25": {"v": 0, "u": "ug/m3", "q": 1}},
    }
    line = message_state({"topic": "t", "payload": message}, {"aq-1": "Markt"}, DE)
    assert (line["name"], line["kind"]) == ("Markt", "air")
    assert line["text"] == "PM2,5 0,0 µg/m³ · Temperatur 4,0 °C"


def test_every_quantity_of_the_feed_has_a_word() -> None:
    """By the table of values in docs/protocol/feed.md."""
    text = (ROOT / "docs" / "protocol" / "feed.md").read_text(encoding="utf-8")
    table = text.partition("| domain | values |")[2].partition("\n\n")[0]
    named = set(
        re.findall(r"`([a-z0-9_]+)`", " ".join(row.split("|")[2] for row in rows_of(table)))
    )
    named -= {"low", "high", "raw", "empty_mm", "full_mm"}
    assert {"pm25", "lasting", "fill_before", "tamper", "co2"} <= named
    assert [name for name in sorted(named) if reading(name, 1, DE).label == name] == []


def rows_of(table: str) -> list[str]:
    return [line for line in table.splitlines() if line.count("|") == 3 and "---" not in line]


@pytest.mark.parametrize("key", ["title", "online", "about"])
def test_a_strange_quantity_is_not_taken_for_a_word_of_the_page(key: str) -> None:
    assert reading(key, {"v": 1, "u": "1", "q": 1}, DE).label == key
