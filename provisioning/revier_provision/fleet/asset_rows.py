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
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from revier_inventory import Asset
from revier_inventory.message import Message, _
from revier_inventory.text import toml_fault, type_fault
from revier_provision.errors import FaultsError
from revier_provision.fleet.asset_columns import (
    COLUMNS,
    FIELD_BY_HEADER,
    GERMAN_HEADERS,
    GERMAN_KINDS,
    BadCellError,
    plain,
    value_of,
)

ROWS_MAX = 200_000
BYTES_MAX = 64 * 1024 * 1024
TOML_TABLE = "asset"
BYTE_ORDER_MARK = "\ufeff"

_DELIMITERS = (";", ",", "\t")
Fault = tuple[Message, Message]  # problem, cure


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of the table; `fields` holds those that the table speaks of. Lines count from 1."""

    line: int
    fields: dict[str, Any]


def read(data: bytes, *, is_toml: bool) -> tuple[Row, ...]:
    """The rows of the file's bytes. Raises FaultsError with every fault, each with its line."""
    if len(data) > BYTES_MAX:
        raise FaultsError([(_("The file is larger than 64 MiB"), _("Split it by municipality"))])
    text = _text(data)
    faults: list[Fault] = []
    rows = tuple(_toml_rows(text, faults) if is_toml else _csv_rows(text, faults))
    faults += _repeated(rows)
    if not rows and not faults:
        faults.append((_("The file names no asset"), _("Write one a line below the header")))
    if faults:
        raise FaultsError(faults)
    return rows


def write_csv(rows: Iterable[Mapping[str, Any]], *, german: bool = False) -> str:
    """CSV with semicolons that read() takes back; `rows` map fields to values.

    `german`: headers, kinds and decimal comma as a German spreadsheet has them, and the byte order
    mark without which it does not take UTF-8 for what it is.
    """
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK if german else "")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([GERMAN_HEADERS[field] if german else field for field in COLUMNS])
    for row in rows:
        writer.writerow([_cell(field, row.get(field), german=german) for field in COLUMNS])
    return out.getvalue()


def template(*, german: bool = False) -> str:
    """One example of each kind."""
    base = {"ags": "05562020", "lon": 7.1353, "lat": 51.5961}
    container = {"empty_mm": 1450, "full_mm": 250, "volume_l": 3000, "waste_kind": "glass"}
    rows: list[dict[str, Any]] = [
        {"asset": "herten-air-01", "kind": "air", "name": "Rathaus"},
        {"asset": "herten-bay-07", "kind": "parking", "name": "Bucht 7", "bay": "7"},
        {"asset": "herten-glas-03", "kind": "waste", "name": "Altglas Schloss", **container},
    ]
    return write_csv([base | row for row in rows], german=german)


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
    cure = _("Save it as CSV UTF-8, or as a plain text file")
    raise FaultsError([(_("The file is no text that can be read"), cure)])


def _cell(field: str, value: Any, *, german: bool) -> str:
    if value is None:
        return ""
    if german and field == "kind":
        return GERMAN_KINDS[value]
    if isinstance(value, float):
        return repr(value).replace(".", ",") if german else repr(value)
    return str(value)


# -- CSV -----------------------------------------------------------------------------------------


def _csv_rows(text: str, faults: list[Fault]) -> Iterator[Row]:
    first, _end, rest = text.partition("\n")
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
                faults.append(
                    (
                        _("Line {line}: more than {most} lines", line=line, most=ROWS_MAX),
                        _("Split the file"),
                    )
                )
                return
            else:
                yield from _csv_row(columns, cells, line, faults)
    except csv.Error as error:
        cure = _("Correct the quotes there, or save the file as CSV anew")
        faults.append(
            (
                _("Line {line}: {error}", line=lines.line_num + skipped, error=str(error)),
                cure,
            )
        )


def _delimiter(text: str) -> str:
    """The one that gives the header most known names."""
    header = next((line for line in text.splitlines() if line.strip()), "")

    def known(delimiter: str) -> int:
        cells = next(csv.reader([header], delimiter=delimiter))
        return sum(plain(cell) in FIELD_BY_HEADER for cell in cells)

    return max(_DELIMITERS, key=known)


def _header(cells: list[str], line: int, faults: list[Fault]) -> list[str | None] | None:
    columns = [FIELD_BY_HEADER.get(plain(cell)) for cell in cells]
    found = [column for column in columns if column]
    before = len(faults)
    for cell, column in zip(cells, columns, strict=True):
        if column is None and cell.strip():
            cure = _(
                "Correct or remove the column; known are {columns}", columns=", ".join(COLUMNS)
            )
            faults.append(
                (
                    _(
                        "Line {line}: the column {cell!r} is unknown",
                        line=line,
                        cell=cell.strip()[:40],
                    ),
                    cure,
                )
            )
    for column in dict.fromkeys(found):
        if found.count(column) > 1:
            problem = _(
                "Line {line}: {count} columns mean {column}",
                line=line,
                count=found.count(column),
                column=column,
            )
            faults.append((problem, _("Keep one of them")))
    if "asset" not in found:
        cure = _("See the form of the file with: revier-provision plan --template")
        faults.append((_("Line {line}: there is no column 'asset'", line=line), cure))
    return columns if len(faults) == before else None


def _csv_row(
    columns: list[str | None], cells: list[str], line: int, faults: list[Fault]
) -> Iterator[Row]:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        problem = _(
            "Line {line}: {count} cells, the header has {columns}",
            line=line,
            count=len(cells),
            columns=len(columns),
        )
        cure = _("Put cells that hold the separator in double quotes, as numbers with a comma")
        faults.append((problem, cure))
        return
    fields: dict[str, Any] = {}
    before = len(faults)
    for column, cell in zip(columns, cells, strict=False):
        if column is None:
            continue
        try:
            fields[column] = value_of(column, cell.strip())
        except BadCellError as error:
            faults.append(
                (
                    _(
                        "Line {line}: {column}: {fault}",
                        line=line,
                        column=column,
                        fault=error.fault[0],
                    ),
                    error.fault[1],
                )
            )
    if len(faults) == before:
        yield Row(line=line, fields=fields)


# -- TOML ----------------------------------------------------------------------------------------


def _toml_rows(text: str, faults: list[Fault]) -> Iterator[Row]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        cure = _("Correct that line; texts need double quotes, a decimal point is a point")
        faults.append((_("The file is not TOML: {error}", error=toml_fault(error)), cure))
        return
    content.pop("format", None)
    items = content.pop(TOML_TABLE, [])
    for key in content:
        faults.append(
            (
                _("{key!r} is unknown", key=key[:40]),
                _("Only [[{table}]] may stand here", table=TOML_TABLE),
            )
        )
    if not isinstance(items, list):
        faults.append(
            (
                _("[{table}] is no list", table=TOML_TABLE),
                _("Write [[{table}]], two brackets", table=TOML_TABLE),
            )
        )
        return
    starts = [n for n, each in enumerate(text.splitlines(), 1) if _is_start(each)]
    for number, item in enumerate(items):
        line = starts[number] if number < len(starts) else 1
        yield from _toml_row(item, line, faults)


def _is_start(line: str) -> bool:
    return re.match(rf"\s*\[\[\s*{TOML_TABLE}\s*\]\]", line) is not None


def _toml_row(item: Any, line: int, faults: list[Fault]) -> Iterator[Row]:
    if not isinstance(item, dict):
        faults.append(
            (
                _("Line {line}: is no asset", line=line),
                _("Write [[{table}]] and its keys", table=TOML_TABLE),
            )
        )
        return
    fields: dict[str, Any] = {}
    before = len(faults)
    types = {field.name: field.type for field in msgspec.structs.fields(Asset)}
    for key, value in item.items():
        if key not in types:
            cure = _("Correct or remove it; known are {types}", types=", ".join(types))
            faults.append(
                (_("Line {line}: the key {key!r} is unknown", line=line, key=key[:40]), cure)
            )
            continue
        try:
            fields[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError as error:
            faults.append(
                (
                    _(
                        "Line {line}: {key}: {error}",
                        line=line,
                        key=key,
                        error=type_fault(str(error)),
                    ),
                    _("Correct the value"),
                )
            )
    if "asset" not in item:
        faults.append(
            (_("Line {line}: the key 'asset' is missing", line=line), _("Name the asset"))
        )
    if len(faults) == before:
        yield Row(line=line, fields=fields)


def _repeated(rows: tuple[Row, ...]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for row in rows:
        name = str(row.fields["asset"])
        if name in seen:
            problem = _(
                "Line {line}: {name!r} stands in line {seen} already",
                line=row.line,
                name=name[:48],
                seen=seen[name],
            )
            yield problem, _("Keep one of the two")
        seen.setdefault(name, row.line)
