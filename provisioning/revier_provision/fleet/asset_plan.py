# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a table of assets would change in the inventory. Pure; nothing is ever removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import msgspec

from revier_inventory import Asset, Inventory, InventoryError
from revier_inventory.message import Message, _, joined, n_, verbatim
from revier_provision.errors import FaultsError
from revier_provision.fleet.asset_columns import REQUIRED
from revier_provision.fleet.asset_rows import Fault, Row

# What the device that serves the asset was made for.
FIXED_WHILE_SERVED = ("kind", "ags")

_NAMED = re.compile(r'asset "(?P<asset>[^"]*)"(: (?P<field>.*))?\Z')
_DEFAULTS = {
    field.name: field.default
    for field in msgspec.structs.fields(Asset)
    if field.default is not msgspec.NODEFAULT
}

What = Literal["new", "changed", "unchanged", "gone"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field; `old` and `new` as in the inventory, None: no value."""

    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> Message:
        return joined("", [f"{self.field}: ", _shown(self.old), " -> ", _shown(self.new)])


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One asset. `gone`: the inventory has it, the table of its municipality does not."""

    asset: str
    what: What
    line: int | None = None
    changes: tuple[Change, ...] = ()


class AssetPlan(msgspec.Struct, frozen=True, kw_only=True):
    differences: tuple[Difference, ...]
    after: Inventory

    def count(self, what: What) -> int:
        return sum(each.what == what for each in self.differences)

    @property
    def changes_nothing(self) -> bool:
        return not self.count("new") and not self.count("changed")


def make_plan(inventory: Inventory, rows: Sequence[Row]) -> AssetPlan:
    """The inventory with the table in it, and the way there.

    Raises FaultsError with every fault, each with its line.
    """
    faults: list[Fault] = []
    wanted: dict[str, Asset] = {}
    differences: list[Difference] = []
    serving = {period.asset: period.dev_eui for period in inventory.periods if not period.until}
    for row in rows:
        known = inventory.asset(row.fields["asset"])
        found = list(_row_faults(row, known, serving.get(row.fields["asset"])))
        faults += found
        if not found:
            asset = _asset(row, known)
            wanted[asset.asset] = asset
            differences.append(_difference(row, known, asset))
    kept = tuple(asset for asset in inventory.assets if asset.asset not in wanted)
    line_by_asset = {row.fields["asset"]: row.line for row in rows}
    try:
        after = replace(inventory, assets=(*kept, *wanted.values()))
    except InventoryError as error:
        faults += [_with_line(f.key, f.problem, f.cure, line_by_asset) for f in error.findings]
        raise FaultsError(faults) from None
    if faults:
        raise FaultsError(faults)
    named = {asset.ags for asset in wanted.values()}
    gone = (a for a in kept if a.ags in named)
    differences += [Difference(asset=asset.asset, what="gone") for asset in gone]
    return AssetPlan(differences=tuple(differences), after=after)


def rows_of(assets: Sequence[Asset]) -> list[dict[str, Any]]:
    """Field -> value of each asset, as a table has it (calibrations are not in one)."""
    fields = [name for name in Asset.__struct_fields__ if name != "calibrations"]
    return [{name: getattr(asset, name) for name in fields} for asset in assets]


def _row_faults(row: Row, known: Asset | None, serving: str | None) -> Iterator[Fault]:
    if known is None:
        for field in REQUIRED:
            if row.fields.get(field) is None:
                problem = _(
                    "Line {line}: {asset!r} is new and has no {field}",
                    line=row.line,
                    asset=row.fields["asset"],
                    field=field,
                )
                yield problem, _("Add the column {field}, or correct the asset's name", field=field)
        return
    if serving is None:
        return
    for field in FIXED_WHILE_SERVED:
        old, new = getattr(known, field), row.fields.get(field, getattr(known, field))
        if new != old:
            problem = _(
                "Line {line}: {field}: {asset!r} is of {old}, not {new}, and device {dev_eui} "
                "serves it so",
                line=row.line,
                field=field,
                asset=known.asset,
                old=old,
                new=new,
                dev_eui=serving,
            )
            yield problem, _("Name a new asset, or retire that device first")


def _asset(row: Row, known: Asset | None) -> Asset:
    given = {name: _DEFAULTS.get(name) if v is None else v for name, v in row.fields.items()}
    if known is None:
        return Asset(**given)  # type: ignore[arg-type]
    return msgspec.structs.replace(known, **given)


def _difference(row: Row, known: Asset | None, asset: Asset) -> Difference:
    if known is None:
        return Difference(asset=asset.asset, what="new", line=row.line)
    changes = tuple(
        Change(field=name, old=getattr(known, name), new=getattr(asset, name))
        for name in Asset.__struct_fields__
        if getattr(known, name) != getattr(asset, name)
    )
    what: What = "changed" if changes else "unchanged"
    return Difference(asset=asset.asset, what=what, line=row.line, changes=changes)


def _with_line(key: str, problem: Message, cure: Message, line_by_asset: dict[str, int]) -> Fault:
    named = _NAMED.match(key)
    if named is None or named["asset"] not in line_by_asset:
        return joined(": ", [key, problem]), cure
    if named["field"]:
        problem = joined(": ", [named["field"], problem])
    line = line_by_asset[named["asset"]]
    return _("Line {line}: {problem}", line=line, problem=problem), cure


def _shown(value: Any) -> Message:
    if value is None or value == ():
        return _("nothing")
    if isinstance(value, tuple):
        return n_("{count} entry", "{count} entries", len(value))
    return verbatim(repr(value) if isinstance(value, str) else str(value))
