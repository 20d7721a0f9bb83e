# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the columns of a table of assets are called, and what may stand in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from revier_inventory import DOMAIN_BY_KIND, Asset
from revier_inventory.message import Message, _

# field -> the headers it goes by, as _plain() makes them
ALIASES: dict[str, tuple[str, ...]] = {
    "asset": ("asset", "objekt", "kennung", "asset_id"),
    "kind": ("kind", "art", "typ", "type"),
    "ags": ("ags", "gemeindeschluessel", "amtlicher_gemeindeschluessel"),
    "name": ("name", "bezeichnung"),
    "lon": ("lon", "lng", "longitude", "laenge", "laengengrad"),
    "lat": ("lat", "latitude", "breite", "breitengrad"),
    "site": ("site", "standort"),
    "bay": ("bay", "bucht", "stellplatznummer"),
    "empty_mm": ("empty_mm", "leer_mm", "abstand_leer_mm"),
    "full_mm": ("full_mm", "voll_mm", "abstand_voll_mm"),
    "volume_l": ("volume_l", "volumen_l"),
    "waste_kind": ("waste_kind", "abfallart", "fraktion"),
    "licence": ("licence", "license", "lizenz"),
    "note": ("note", "bemerkung", "notiz", "hinweis"),
}
COLUMNS = tuple(ALIASES)
REQUIRED = ("asset", "kind", "ags", "name", "lon", "lat")
KINDS = {
    "air": ("air", "luft", "airquality", "luftqualitaet"),
    "parking": ("parking", "parken", "parkplatz", "stellplatz"),
    "waste": ("waste", "abfall", "muell", "container"),
}
FIELD_BY_HEADER = {alias: field for field, names in ALIASES.items() for alias in names}
_KIND_BY_WORD = {word: kind for kind, words in KINDS.items() for word in words}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
GERMAN_HEADERS: dict[str, str] = {
    "asset": "Objekt",
    "kind": "Art",
    "ags": "AGS",
    "name": "Bezeichnung",
    "lon": "Länge",
    "lat": "Breite",
    "site": "Standort",
    "bay": "Bucht",
    "empty_mm": "Leer mm",
    "full_mm": "Voll mm",
    "volume_l": "Volumen l",
    "waste_kind": "Abfallart",
    "licence": "Lizenz",
    "note": "Bemerkung",
}
GERMAN_KINDS = {"air": "Luft", "parking": "Parken", "waste": "Abfall"}
_WHOLE = re.compile(r"-?[0-9]{1,9}\Z")
_DECIMAL = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?\Z")
_LOST_ZERO = re.compile(r"[0-9]{7}\Z")


class BadCellError(ValueError):
    def __init__(self, problem: Message, cure: Message) -> None:
        self.fault = (problem, cure)
        super().__init__(problem)


def plain(header: str) -> str:
    """`Breite (Grad)` -> `breite`, `Abstand leer [mm]` -> `abstand_leer_mm`."""
    text = header.strip().lower().translate(_UMLAUTS)
    text = re.sub(r"\((grad|degrees?|wgs ?84)\)", "", text)
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def value_of(column: str, text: str) -> Any:
    """A cell's value; None: no value."""
    if not text:
        if column in REQUIRED:
            raise BadCellError(_("is empty"), _("Fill it in, or remove the line"))
        return "" if column == "note" else None
    parse = _PARSERS.get(column)
    return text if parse is None else parse(text)


def _kind(text: str) -> str:
    kind = _KIND_BY_WORD.get(plain(text))
    if kind is None:
        cure = _("Write air (Luft), parking (Parken) or waste (Abfall)")
        raise BadCellError(_("{text!r} is no kind", text=text[:40]), cure)
    return kind


def _ags(text: str) -> str:
    """A spreadsheet takes the key for a number and its first zero off."""
    return f"0{text}" if _LOST_ZERO.match(text) else text


def _number(text: str) -> float:
    if not _DECIMAL.match(text):
        raise BadCellError(
            _("{text!r} is no number", text=text[:40]), _("Write degrees, as 7.1353 or 7,1353")
        )
    return float(text.replace(",", "."))


def _whole(text: str) -> int:
    if not _WHOLE.match(text):
        cure = _("Write a whole number without point, comma or unit")
        raise BadCellError(_("{text!r} is no whole number", text=text[:40]), cure)
    return int(text)


_PARSERS: dict[str, Callable[[str], Any]] = {
    "kind": _kind,
    "ags": _ags,
    "lon": _number,
    "lat": _number,
    "empty_mm": _whole,
    "full_mm": _whole,
    "volume_l": _whole,
}


assert set(COLUMNS) | {"calibrations"} == set(Asset.__struct_fields__)
assert set(KINDS) == set(DOMAIN_BY_KIND)
assert set(GERMAN_KINDS) == set(KINDS)
