# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A table of assets as people have it (CSV from a spreadsheet, or TOML) to rows. Pure.

CSV: semicolon, comma or tab; UTF-8 with or without a byte order mark, UTF-16 with one, else
Windows-1252; English or German headers; decimal point or comma. TOML: as assets.toml. A column that
is not there leaves its field as it is; an empty cell of an optional field means: no value.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from revier_inventory import DOMAIN_BY_KIND, Asset
from revier_provision.errors import FaultsError

ROWS_MAX = 200_000
BYTES_MAX = 64 * 1024 * 1024
TOML_TABLE = "asset"

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
_FIELD_BY_HEADER = {alias: field for field, names in ALIASES.items() for alias in names}
_KIND_BY_WORD = {word: kind for kind, words in KINDS.items() for word in words}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_DELIMITERS = (";", ",", "\t")
_WHOLE = re.compile(r"-?[0-9]{1,9}\Z")
_DECIMAL = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?\Z")
_LOST_ZERO = re.compile(r"[0-9]{7}\Z")

Fault = tuple[str, str]  # problem, cure


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of the table; `fields` holds those that the table speaks of. Lines count from 1."""

    line: int
    fields: dict[str, Any]


class BadCellError(ValueError):
    def __init__(self, problem: str, cure: str) -> None:
        self.fault = (problem, cure)
        super().__init__(problem)


def read(data: bytes, *, is_toml: bool) -> tuple[Row, ...]:
    """The rows of the file's bytes. Raises FaultsError with every fault, each with its line."""
    if len(data) > BYTES_MAX:
        raise FaultsError([("The file is larger than 64 MiB", "Split it by municipality")])
    text = _text(data)
    faults: list[Fault] = []
    rows = tuple(_toml_rows(text, faults) if is_toml else _csv_rows(text, faults))
    faults += _repeated(rows)
    if not rows and not faults:
        faults.append(("The file names no asset", "Write one a line below the header"))
    if faults:
        raise FaultsError(faults)
    return rows


def write_csv(rows: Iterable[Mapping[str, Any]], *, decimal_comma: bool = False) -> str:
    """CSV with semicolons that read() takes back; `rows` map fields to values."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row.get(field), decimal_comma=decimal_comma) for field in COLUMNS])
    return out.getvalue()


def template() -> str:
    """One example of each kind."""
    base = {"ags": "05562020", "lon": 7.1353, "lat": 51.5961}
    return write_csv(
        [
            base | {"asset": "herten-air-01", "kind": "air", "name": "Rathaus"},
            base | {"asset": "herten-bay-07", "kind": "parking", "name": "Bucht 7", "bay": "7"},
            base
            | {
                "asset": "herten-glas-03",
                "kind": "waste",
                "name": "Altglas Schloss",
                "empty_mm": 1450,
                "full_mm": 250,
                "volume_l": 3000,
                "waste_kind": "glass",
            },
        ]
    )


# -- text ----------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    cure = "Save it as CSV UTF-8, or as a plain text file"
    raise FaultsError([("The file is no text that can be read", cure)])


def _plain(header: str) -> str:
    """`Breite (Grad)` -> `breite`, `Abstand leer [mm]` -> `abstand_leer_mm`."""
    text = header.strip().lower().translate(_UMLAUTS)
    text = re.sub(r"\((grad|degrees?|wgs ?84)\)", "", text)
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def _cell(value: Any, *, decimal_comma: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).replace(".", ",") if decimal_comma else repr(value)
    return str(value)


# -- CSV -----------------------------------------------------------------------------------------


def _csv_rows(text: str, faults: list[Fault]) -> Iterator[Row]:
    first, _, rest = text.partition("\n")
    skipped = 0
    if first.strip().lower().startswith("sep="):  # a spreadsheet's own first line
        text, skipped = rest, 1
    delimiter = _delimiter(text)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    columns: list[str | None] | None = None
    try:
        for cells in lines:
            line = lines.line_num + skipped
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _header(cells, line, faults)
                if columns is None:
                    return
            elif line > ROWS_MAX:
                faults.append((f"Line {line}: more than {ROWS_MAX} lines", "Split the file"))
                return
            else:
                yield from _csv_row(columns, cells, line, faults)
    except csv.Error as error:
        cure = "Correct the quotes there, or save the file as CSV anew"
        faults.append((f"Line {lines.line_num + skipped}: {error}", cure))


def _delimiter(text: str) -> str:
    """The one that gives the header most known names."""
    header = next((line for line in text.splitlines() if line.strip()), "")

    def known(delimiter: str) -> int:
        cells = next(csv.reader([header], delimiter=delimiter))
        return sum(_plain(cell) in _FIELD_BY_HEADER for cell in cells)

    return max(_DELIMITERS, key=known)


def _header(cells: list[str], line: int, faults: list[Fault]) -> list[str | None] | None:
    columns = [_FIELD_BY_HEADER.get(_plain(cell)) for cell in cells]
    found = [column for column in columns if column]
    before = len(faults)
    for cell, column in zip(cells, columns, strict=True):
        if column is None and cell.strip():
            cure = f"Correct or remove the column; known are {', '.join(COLUMNS)}"
            faults.append((f"Line {line}: the column {cell.strip()[:40]!r} is unknown", cure))
    for column in dict.fromkeys(found):
        if found.count(column) > 1:
            problem = f"Line {line}: {found.count(column)} columns mean {column}"
            faults.append((problem, "Keep one of them"))
    if "asset" not in found:
        cure = "See the form of the file with: revier-provision plan --template"
        faults.append((f"Line {line}: there is no column 'asset'", cure))
    return columns if len(faults) == before else None


def _csv_row(
    columns: list[str | None], cells: list[str], line: int, faults: list[Fault]
) -> Iterator[Row]:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        problem = f"Line {line}: {len(cells)} cells, the header has {len(columns)}"
        cure = "Put cells that hold the separator in double quotes, as numbers with a comma"
        faults.append((problem, cure))
        return
    fields: dict[str, Any] = {}
    before = len(faults)
    for column, cell in zip(columns, cells, strict=False):
        if column is None:
            continue
        try:
            fields[column] = _value(column, cell.strip())
        except BadCellError as error:
            faults.append((f"Line {line}: {column}: {error.fault[0]}", error.fault[1]))
    if len(faults) == before:
        yield Row(line=line, fields=fields)


def _value(column: str, text: str) -> Any:
    """A cell's value; None: no value."""
    if not text:
        if column in REQUIRED:
            raise BadCellError("is empty", "Fill it in, or remove the line")
        return "" if column == "note" else None
    parse = _PARSERS.get(column)
    return text if parse is None else parse(text)


def _kind(text: str) -> str:
    kind = _KIND_BY_WORD.get(_plain(text))
    if kind is None:
        cure = "Write air (Luft), parking (Parken) or waste (Abfall)"
        raise BadCellError(f"{text[:40]!r} is no kind", cure)
    return kind


def _ags(text: str) -> str:
    """A spreadsheet takes the key for a number and its first zero off."""
    return f"0{text}" if _LOST_ZERO.match(text) else text


def _number(text: str) -> float:
    if not _DECIMAL.match(text):
        raise BadCellError(f"{text[:40]!r} is no number", "Write degrees, as 7.1353 or 7,1353")
    return float(text.replace(",", "."))


def _whole(text: str) -> int:
    if not _WHOLE.match(text):
        cure = "Write a whole number without point, comma or unit"
        raise BadCellError(f"{text[:40]!r} is no whole number", cure)
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


# -- TOML ----------------------------------------------------------------------------------------


def _toml_rows(text: str, faults: list[Fault]) -> Iterator[Row]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        cure = "Correct that line; texts need double quotes, a decimal point is a point"
        faults.append((f"The file is not TOML: {error}", cure))
        return
    content.pop("format", None)
    items = content.pop(TOML_TABLE, [])
    for key in content:
        faults.append((f"{key[:40]!r} is unknown", f"Only [[{TOML_TABLE}]] may stand here"))
    if not isinstance(items, list):
        faults.append((f"[{TOML_TABLE}] is no list", f"Write [[{TOML_TABLE}]], two brackets"))
        return
    starts = [n for n, each in enumerate(text.splitlines(), 1) if _is_start(each)]
    for number, item in enumerate(items):
        line = starts[number] if number < len(starts) else 1
        yield from _toml_row(item, line, faults)


def _is_start(line: str) -> bool:
    return re.match(rf"\s*\[\[\s*{TOML_TABLE}\s*\]\]", line) is not None


def _toml_row(item: Any, line: int, faults: list[Fault]) -> Iterator[Row]:
    if not isinstance(item, dict):
        faults.append((f"Line {line}: is no asset", f"Write [[{TOML_TABLE}]] and its keys"))
        return
    fields: dict[str, Any] = {}
    before = len(faults)
    types = {field.name: field.type for field in msgspec.structs.fields(Asset)}
    for key, value in item.items():
        if key not in types:
            cure = f"Correct or remove it; known are {', '.join(types)}"
            faults.append((f"Line {line}: the key {key[:40]!r} is unknown", cure))
            continue
        try:
            fields[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError as error:
            faults.append((f"Line {line}: {key}: {error}", "Correct the value"))
    if "asset" not in item:
        faults.append((f"Line {line}: the key 'asset' is missing", "Name the asset"))
    if len(faults) == before:
        yield Row(line=line, fields=fields)


def _repeated(rows: tuple[Row, ...]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for row in rows:
        name = str(row.fields["asset"])
        if name in seen:
            problem = f"Line {row.line}: {name[:48]!r} stands in line {seen[name]} already"
            yield problem, "Keep one of the two"
        seen.setdefault(name, row.line)


assert set(COLUMNS) | {"calibrations"} == set(Asset.__struct_fields__)
assert set(KINDS) == set(DOMAIN_BY_KIND)
