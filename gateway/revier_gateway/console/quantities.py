# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One measured value for people: `{"v": 11.8, "u": "ug/m3", "q": 1}` becomes `11,8 µg/m³`.

A missing value is MISSING and nothing else; zero is a value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .texts import Words

MISSING: Final = "–"
UNIT_LENGTH_MAX = 16
TEXT_LENGTH_MAX = 40
KEY_LENGTH_MAX = 24
Q_SUSPECT, Q_FAIL, Q_MISSING = 3, 4, 9  # QARTOD flags, as in the feed

_ALIASES = {"temperature": "temp", "humidity": "rh"}
_UNITS = {
    "ug/m3": "µg/m³",
    "Cel": "°C",
    "1": "",
    "deg": "°",
    "uT": "µT",
    "{index}": "",
    "[ppm]": "ppm",
}
_DECIMALS = {"pm1": 1, "pm25": 1, "pm4": 1, "pm10": 1, "temp": 1, "pressure": 0, "rh": 0}
_DECIMALS |= {"battery": 2, "dwell": 0, "dwell_2": 0, "dwell_3": 0, "lasting": 0, "distance": 0}
_FRACTIONS = ("fill", "fill_before")  # shown in percent
_ORDER = ("pm25", "pm10", "occupied", "fill", "temp", "rh", "pressure", "pm1", "pm4", "voc", "nox")
HEADLINES: dict[str, tuple[str, ...]] = {
    "air": ("pm25", "pm10", "temp"),
    "parking": ("occupied",),
    "waste": ("fill", "distance"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """key: canonical; number: for charts and markers, None when missing; flag: '' or a word."""

    key: str
    label: str
    text: str
    unit: str
    number: float | None
    flag: str

    def as_json(self) -> dict[str, str]:
        named = {"key": self.key, "label": self.label, "text": self.text}
        return {**named, "unit": self.unit, "flag": self.flag}

    def __str__(self) -> str:
        return f"{self.label} {self.text} {self.unit}".rstrip()


def canonical(key: str) -> str:
    return _ALIASES.get(key, key)[:KEY_LENGTH_MAX]


def number_of(key: str, entry: Any) -> tuple[float | None, str]:
    """(value in the shown unit, the shown unit). Booleans are 1 and 0."""
    fields: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {"v": entry}
    value, unit = fields.get("v"), str(fields.get("u") or "")[:UNIT_LENGTH_MAX]
    is_fraction = canonical(key) in _FRACTIONS and unit in ("", "1")
    shown = "%" if is_fraction else _UNITS.get(unit, unit)
    if fields.get("q") == Q_MISSING or not isinstance(value, int | float):
        return None, shown
    if not math.isfinite(value):
        return None, shown
    return float(value) * (100.0 if is_fraction else 1.0), shown


def decimals(name: str, unit: str) -> int:
    return _DECIMALS.get(name, 0 if unit in ("%", "") else 1)


def order(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def reading(key: str, entry: Any, words: Words) -> Reading:
    name = canonical(key)
    number, unit = number_of(key, entry)
    raw = entry.get("v") if isinstance(entry, Mapping) else entry
    quality = entry.get("q") if isinstance(entry, Mapping) else None
    label = words.get(f"of_{name}", name)
    if isinstance(raw, str) and raw and quality != Q_MISSING:
        return Reading(name, label, words.get(f"is_{raw}", raw)[:TEXT_LENGTH_MAX], "", None, "")
    if number is None:
        return Reading(name, label, MISSING, "", None, words["fail"] if quality == Q_FAIL else "")
    flag = {Q_SUSPECT: words["suspect"], Q_FAIL: words["fail"]}.get(quality or 0, "")
    if name == "occupied":
        return Reading(name, label, words["occupied" if number else "vacant"], "", number, flag)
    if isinstance(raw, bool):
        return Reading(name, label, words["yes" if number else "no"], "", number, flag)
    text = words.number(number, decimals(name, unit))
    return Reading(name, label, text, unit, number, flag)


def readings(message: Mapping[str, Any] | None, words: Words) -> list[Reading]:
    """All values of one feed message, the important ones first."""
    measured = message.get("m") if message else None
    if not isinstance(measured, Mapping):
        return []
    found = [reading(str(key), entry, words) for key, entry in measured.items()]
    return sorted(found, key=lambda one: order(one.key))


def headline(kind: str, found: list[Reading]) -> Reading | None:
    """What is said first about a node of this kind."""
    for key in HEADLINES.get(kind, ()):
        for one in found:
            if one.key == key:
                return one
    return found[0] if found else None


def mark(kind: str, one: Reading | None, words: Words) -> tuple[str, str]:
    """(text within the marker, its state). Parking has a letter, all others a whole number."""
    if kind == "parking":
        if one is None or one.number is None:
            return "?", "unknown"
        return "P", "occupied" if one.number else "vacant"
    if one is None or one.number is None:
        return MISSING, "unknown"
    full = kind == "waste" and one.unit == "%" and one.number >= 80
    return words.number(one.number, 0), "full" if full else "measured"
