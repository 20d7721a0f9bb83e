# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision ledger: what was done to which board, and whether the record still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from revier_provision import ledger_files, ledger_names
from revier_provision.cli_options import PLAIN, JsonOption
from revier_provision.cli_output import Output
from revier_provision.errors import OrderError
from revier_provision.ledger import Chain
from revier_provision.ledger_names import MONTHS_MAX

app = typer.Typer(help="The record of what was done to which board.", **PLAIN)  # type: ignore[arg-type]

COLUMNS = ["at", "station", "number", "by", "event", "dev_eui", "asset", "steps", "note"]

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the ledger.")]


@app.command()
def verify(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Read every station's file and say where a record was changed, removed, moved or cut off."""
    out = Output(as_json=as_json)
    with out.errors():
        chains = ledger_files.verify(folder)
        counts = {name: len(chain.records) for name, chain in chains.items()}
        torn = {name: len(chain.torn) for name, chain in chains.items() if chain.torn}
        what = f"{sum(counts.values())} record{_s(sum(counts.values()))}"
        sentence = f"The ledger is sound: {what} of {len(chains)} station{_s(len(chains))}."
        for name, size in torn.items():
            sentence += (
                f"\n{name}.jsonl ends in {size} byte{_s(size)} of a record that a power failure "
                "cut short; the station's next record puts them aside."
            )
        out.result({"records": counts, "torn_bytes": torn}, sentence)


@app.command()
def show(
    folder: FolderArgument,
    dev_eui: Annotated[str | None, typer.Option(help="Only of this device.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only of this asset.")] = None,
    last: Annotated[int, typer.Option(help="So many, the newest.", min=1)] = 100,
    as_json: JsonOption = False,
) -> None:
    """Records of all stations, the oldest first. The ledger is verified before."""
    out = Output(as_json=as_json)
    with out.errors():
        rows = _rows(ledger_files.verify(folder), ledger_names.by_code(folder))
        if dev_eui is not None:
            rows = [row for row in rows if row["dev_eui"] == dev_eui.lower()]
        if asset is not None:
            rows = [row for row in rows if row["asset"] == asset]
        out.table(rows[-last:], COLUMNS)


@app.command()
def names(
    folder: FolderArgument,
    months: Annotated[
        int | None,
        typer.Option(help="From now on forget so many months after.", min=1, max=MONTHS_MAX),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Whose names are known, and forget those whose deadline has passed (12 months).

    Every new record does that at its own station; a timer does it where nobody works any more. The
    records stay, and stay sound: they never held a name.
    """
    out = Output(as_json=as_json)
    with out.errors():
        if not folder.is_dir():
            cure = "Correct the path; a ledger begins with the first: revier-provision node"
            raise OrderError(f"There is no ledger in {folder}", cure)
        if months is not None:
            ledger_names.set_months(folder, months)
        kept = ledger_names.forget(folder, ledger_files.utc_now())
        number = ledger_names.months(folder)
        known = {station: ledger_names.people(some) for station, some in kept.items()}
        sentence = "\n".join(
            f"{station}: {', '.join(some) or 'nobody'}" for station, some in known.items()
        )
        sentence = sentence or "No names are known."
        after = f"A name is forgotten {number} month{_s(number)} after the month of its records."
        out.result({"names": known, "months": number}, f"{sentence}\n{after}")


def _rows(chains: dict[str, Chain], known: dict[str, str]) -> list[dict[str, object]]:
    records = [record for chain in chains.values() for record in chain.records]
    records.sort(key=lambda record: (record.at, record.station, record.number))
    rows = []
    for record in records:
        row = {name: getattr(record, name) for name in record.__struct_fields__}
        row["by"] = ledger_names.shown(record.by, known)
        row["at"] = f"{record.at:%Y-%m-%dT%H:%M:%SZ}"
        row["steps"] = ", ".join(
            one.step if one.result == "done" else f"{one.step} (failed)" for one in record.steps
        )
        row["installed"] = None if record.installed is msgspec.UNSET else record.installed
        rows.append(row)
    return rows


def _s(count: int) -> str:
    return "" if count == 1 else "s"
