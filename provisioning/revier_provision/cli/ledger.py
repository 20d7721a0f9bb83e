# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision ledger: what was done to which board, and whether the record still holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from revier_inventory.message import NOTHING, Message, _, joined, n_
from revier_provision.cli.options import PLAIN, JsonOption
from revier_provision.cli.output import Output
from revier_provision.ledger import files as ledger_files
from revier_provision.ledger import names as ledger_names
from revier_provision.ledger.names import MONTHS_MAX
from revier_provision.ledger.records import Chain, Event, StepResult
from revier_provision.plan import Step
from revier_provision.workshop.step_events import NodeStep

app = typer.Typer(help="The record of what was done to which board.", **PLAIN)  # type: ignore[arg-type]

COLUMNS = [
    _("at"), _("station"), _("number"), _("by"), _("event"), _("dev_eui"), _("asset"), _("steps"),
    _("note"),
]  # fmt: skip

STEPS = {str(step): step.words for kind in (NodeStep, Step) for step in kind}
EVENTS: dict[Event, Message] = {
    "provisioned": _("provisioned"),
    "failed": _("failed"),
    "updated": _("updated"),
    "key-reserved": _("key-reserved"),
    "key-kept": _("key-kept"),
    "key-shown": _("key-shown"),
    "replaced": _("replaced"),
    "rekeyed": _("rekeyed"),
    "retired": _("retired"),
    "eui-allotted": _("eui-allotted"),
    "server-restored": _("server-restored"),
    "key-exported": _("key-exported"),
    "installed": _("installed"),
    "end-repaired": _("end-repaired"),
}

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the ledger.")]


@app.command()
def verify(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Read every station's file and say where a record was changed, removed, moved or cut off."""
    out = Output(as_json=as_json)
    with out.errors():
        chains = ledger_files.verify(folder)
        counts = {name: len(chain.records) for name, chain in chains.items()}
        torn = {name: len(chain.torn) for name, chain in chains.items() if chain.torn}
        records = n_("{count} record", "{count} records", sum(counts.values()))
        stations = n_("{count} station", "{count} stations", len(chains))
        lines = [
            _("The ledger is sound: {records} of {stations}.", records=records, stations=stations)
        ]
        lines += [_torn(name, size) for name, size in torn.items()]
        out.result({"records": counts, "torn_bytes": torn}, joined("\n", lines))


def _torn(name: str, size: int) -> Message:
    return n_(
        "{name}.jsonl ends in {count} byte of a record that a power failure cut short; the "
        "station's next record puts it aside.",
        "{name}.jsonl ends in {count} bytes of a record that a power failure cut short; the "
        "station's next record puts them aside.",
        size,
        name=name,
    )


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
        chains = ledger_files.verify(folder)
        rows = _rows(chains, ledger_names.by_code(folder), short=not as_json)
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
        ledger_files.must_be_there(folder)
        if months is not None:
            ledger_names.set_months(folder, months)
        kept = ledger_names.forget(folder, ledger_files.utc_now())
        number = ledger_names.months(folder)
        known = {station: ledger_names.people(some) for station, some in kept.items()}
        lines = [
            _("{station}: {people}", station=station, people=", ".join(some))
            if some
            else _("{station}: nobody", station=station)
            for station, some in known.items()
        ]
        after = n_(
            "A name is forgotten {count} month after the month of its records.",
            "A name is forgotten {count} months after the month of its records.",
            number,
        )
        said = joined("\n", [*(lines or [_("No names are known.")]), after])
        out.result({"names": known, "months": number}, said)


def _steps(results: Sequence[StepResult]) -> Message:
    """On a screen: how many, and which one failed."""
    failed = [STEPS.get(one.step, one.step) for one in results if one.result != "done"]
    if failed:
        return _("failed: {steps}", steps=joined(", ", failed))
    return _("{count} done", count=len(results)) if results else NOTHING


def _rows(
    chains: dict[str, Chain], known: dict[str, str], *, short: bool
) -> list[dict[str, object]]:
    records = [record for chain in chains.values() for record in chain.records]
    records.sort(key=lambda record: (record.at, record.station, record.number))
    rows = []
    for record in records:
        row = {name: getattr(record, name) for name in record.__struct_fields__}
        row["by"] = ledger_names.shown(record.by, known)
        row["at"] = f"{record.at:%Y-%m-%dT%H:%M:%SZ}"
        row["event"] = EVENTS[record.event]
        row["steps"] = _steps(record.steps) if short else joined(", ", map(_step, record.steps))
        row["installed"] = None if record.installed is msgspec.UNSET else record.installed
        rows.append(row)
    return rows


def _step(one: StepResult) -> str:
    words = STEPS.get(one.step, one.step)
    return words if one.result == "done" else _("{step} (failed)", step=words)
