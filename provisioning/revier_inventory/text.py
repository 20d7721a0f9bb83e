# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Inventory <-> TOML text. The files' names, tables and keys are in docs/protocol/inventory.md.

Reading is tomllib's; writing is done here, because the records need only strings, numbers, times
and lists of strings. A dump is canonical: same inventory, same text, byte for byte. Comments that
people wrote into a file do not survive a dump; every record that people keep has `note` for that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from revier_inventory.errors import Finding, InventoryError
from revier_inventory.inventory import Inventory
from revier_inventory.message import Message, _, recognised, template
from revier_inventory.model import FILE_NAMES, FORMAT, TABLES, Calibration, Record

R = TypeVar("R", bound=Record)

_ATTRIBUTE_BY_TABLE = {
    "owner": "owners",
    "site": "sites",
    "asset": "assets",
    "period": "periods",
    "radio_gateway": "radio_gateways",
}
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`")
_TYPE_FAULTS = (  # as msgspec begins them, and as they go on after a colon
    (
        r"Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`",
        template("Expected `{wanted}`, got `{given}`"),
    ),
    (
        r"expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`",
        template("expected `{wanted}`, got `{given}`"),
    ),
    (r"Invalid enum value (?P<given>.+)", template("Invalid enum value {given}")),
    (r"invalid enum value (?P<given>.+)", template("invalid enum value {given}")),
    (
        r"object contains unknown field `(?P<name>[^`]+)`",
        template("object contains unknown field `{name}`"),
    ),
    (
        r"object missing required field `(?P<name>[^`]+)`",
        template("object missing required field `{name}`"),
    ),
)
_AT = r" \(at line (?P<line>\d+), column (?P<column>\d+)\)"
_TOML_FAULTS = (
    (f"Invalid statement{_AT}", template("Invalid statement (at line {line}, column {column})")),
    (f"Invalid value{_AT}", template("Invalid value (at line {line}, column {column})")),
    (f"(?P<what>.+){_AT}", template("{what} (at line {line}, column {column})")),
)
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")


def load(files: Mapping[str, str]) -> Inventory:
    """The inventory in these texts (file name -> content); all five files must be given.

    Raises InventoryError with every fault that was found.
    """
    findings = list(_missing_or_unknown(files))
    records: dict[str, tuple[Record, ...]] = {}
    for file, (table, record_type) in TABLES.items():
        if file in files:
            parsed = _parse(file, files[file], table, record_type, findings)
            records[_ATTRIBUTE_BY_TABLE[table]] = tuple(parsed)
    if findings:
        raise InventoryError(findings)
    return Inventory(**records)  # type: ignore[arg-type]


def dump(inventory: Inventory) -> dict[str, str]:
    """File name -> TOML text, for all five files; load(dump(x)) == x."""
    texts = {}
    for file, (table, _record) in TABLES.items():
        lines = [f"format = {FORMAT}"]
        for record in getattr(inventory, _ATTRIBUTE_BY_TABLE[table]):
            lines += ["", *_record_lines(table, record)]
        texts[file] = "\n".join(lines) + "\n"
    return texts


def _missing_or_unknown(files: Mapping[str, str]) -> Iterator[Finding]:
    for file in FILE_NAMES:
        if file not in files:
            cure = _("Restore it; for a new inventory run: revier-provision inventory init")
            yield Finding(file, "file", _("is missing"), cure)
    for file in files:
        if file not in TABLES:
            cure = _(
                "Known are {names}; move other files out of the folder",
                names=", ".join(FILE_NAMES),
            )
            yield Finding(file, "file", _("is not part of an inventory"), cure)


def _parse(
    file: str, text: str, table: str, record_type: type[R], findings: list[Finding]
) -> Iterator[R]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        cure = _("Correct that line; strings need double quotes, tables begin with [[name]]")
        findings.append(
            Finding(file, "file", _("is not TOML: {error}", error=toml_fault(error)), cure)
        )
        return
    written_format = content.pop("format", FORMAT)
    if written_format != FORMAT:
        cure = _(
            "This program reads format {format}; use the version of Revier that wrote it",
            format=FORMAT,
        )
        findings.append(Finding(file, "format", _("is {found!r}", found=written_format), cure))
        return
    items = content.pop(table, [])
    for key in content:
        findings.append(
            Finding(file, key, _("is unknown"), _("Only [[{table}]] may stand here", table=table))
        )
    if not isinstance(items, list):
        cure = _("Write [[{table}]] with two brackets", table=table)
        findings.append(Finding(file, table, _("is not a list of records"), cure))
        return
    for number, item in enumerate(items, 1):
        try:
            yield _in_utc(msgspec.convert(item, record_type))
        except msgspec.ValidationError as error:
            findings.append(_type_finding(file, f"{table} {number}", item, error, record_type))


def type_fault(text: str) -> Message:
    """msgspec's words for what is not of its type."""
    return recognised(text, _TYPE_FAULTS)


def toml_fault(error: tomllib.TOMLDecodeError) -> Message:
    """tomllib's words, with the place."""
    return recognised(str(error), _TOML_FAULTS)


def _in_utc(record: R) -> R:
    changes: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, datetime) and value.tzinfo is not None:
            changes[name] = value.astimezone(UTC)
        elif name == "calibrations" and value:
            changes[name] = tuple(_in_utc(calibration) for calibration in value)
    return msgspec.structs.replace(record, **changes) if changes else record


def _type_finding(
    file: str, where: str, item: Any, error: msgspec.ValidationError, record_type: type[Record]
) -> Finding:
    message = str(error)
    path = _PATH.search(message)
    key = path["path"] if path else ""
    problem = type_fault(_PATH.sub("", message))
    in_calibration = key.startswith("calibrations[")
    known = (Calibration if in_calibration else record_type).__struct_fields__
    cure = _("Correct the value")
    if missing := _MISSING.match(message):
        key, problem, cure = missing["field"], _("is missing"), _("Add it")
    elif unknown := _UNKNOWN.match(message):
        key, problem = unknown["field"], _("is unknown")
        cure = _("Correct the spelling or remove it; known are {known}", known=", ".join(known))
    elif "datetime" in problem:
        cure = _("Write date, time and zone without quotes, e.g. 2026-05-01T08:00:00Z")
    elif "enum value" in problem or "Invalid enum" in problem:
        cure = _("Write air, parking or waste")
    return Finding(file, f"{where}{_hint(item)}: {key}".rstrip(": "), problem, cure)


def _hint(item: Any) -> str:
    """A few words by which a person finds the record in the file."""
    if not isinstance(item, dict):
        return ""
    for key in ("asset", "site", "gateway_id", "dev_eui", "ags"):
        if isinstance(item.get(key), str):
            return f' ("{item[key][:48]}")'
    return ""


def _record_lines(table: str, record: Record) -> Iterator[str]:
    yield f"[[{table}]]"
    nested: list[tuple[str, Record]] = []
    defaults = dict(
        zip(record.__struct_fields__[::-1], record.__struct_defaults__[::-1], strict=False)
    )
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name in defaults and value == defaults[name]:
            continue
        if isinstance(value, tuple) and isinstance(value[0], Record):
            nested += [(f"{table}.{name}", inner) for inner in value]
        else:
            yield f"{name} = {_value(value)}"
    for inner_table, inner in nested:
        yield from _record_lines(inner_table, inner)


def _value(value: object) -> str:
    match value:
        case str():
            return _string(value)
        case int() | float():
            return repr(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
    raise AssertionError(value)


def _string(text: str) -> str:
    assert text.isprintable(), text  # checked when the inventory was made
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
