# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway replay."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from revier_gateway import logs
from revier_gateway.cli.common import (
    EXIT_DEFECT,
    EXIT_QUARANTINE,
    JsonOption,
    print_json,
    read_config,
    stop,
)


def replay(
    path: Annotated[Path, typer.Argument(help="Folder, .json, .pb or .jsonl", exists=True)],
    inventory: Annotated[Path | None, typer.Option(help="Folder of the inventory.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Kept; else a temporary one.")] = None,
    strict: Annotated[bool, typer.Option(help="Exit 3 if anything was quarantined.")] = False,
    messages: Annotated[bool, typer.Option(help="Print the feed messages too.")] = False,
    json: JsonOption = False,
) -> None:
    """Send recorded events through the pipeline and account for every one of them.

    Nothing is published. Exit 0: every event is accounted for; 1: a defect; 2: not a recording.
    """
    from revier_gateway.recordings import RecordingError
    from revier_gateway.replay import replay as run_replay

    logs.configure("WARNING")
    folder = read_config(config).inventory_dir if config else inventory
    root = read_config(config).feed.root if config else "revier/v1"
    keep = nullcontext(str(data_dir)) if data_dir else tempfile.TemporaryDirectory()
    with keep as used_dir:
        try:
            pipeline, store = _line(folder, root, Path(used_dir))
            report = run_replay(path, pipeline, store)
            store.close()
        except RecordingError as error:
            raise stop(str(error)) from None
    if json:
        rows = [dict(zip(("file", "kind", "reason", "detail"), row, strict=True))
                for row in report.rows]  # fmt: skip
        print_json({**report.to_json(), "rows": rows})
    else:
        _print_report(report)
    if messages:
        for topic, payload in report.messages:
            typer.echo(f"{topic} {payload.decode()}")
    if report.defects:
        raise typer.Exit(EXIT_DEFECT)
    if strict and report.by_kind["quarantined"]:
        raise typer.Exit(EXIT_QUARANTINE)


def _line(inventory: Path | None, root: str, data_dir: Path) -> Any:
    from revier_gateway import inventory_dir
    from revier_gateway.pipeline import Pipeline
    from revier_gateway.store import Store
    from revier_inventory import Inventory, InventoryError

    try:
        known = inventory_dir.read(inventory) if inventory else Inventory()
    except (InventoryError, OSError) as error:
        raise stop(str(error)) from None
    return Pipeline(known, root), Store(data_dir)


def _print_report(report: Any) -> None:
    console = Console()
    table = Table(title="What became of each event", title_justify="left")
    for column in ("event", "", "reason", "detail"):
        table.add_column(column, overflow="fold")
    colours = {"published": "green", "ignored": "dim", "quarantined": "yellow"}
    for file, kind, reason, detail in report.rows:
        table.add_row(file, f"[{colours[kind]}]{kind}[/]", reason, detail, end_section=False)
    console.print(table)
    summary = Table("", "reason", "events", title="Sum", title_justify="left")
    for (kind, reason), number in sorted(report.by_reason.items()):
        summary.add_row(kind, reason, str(number))
    console.print(summary)
    kinds = report.by_kind
    console.print(
        f"{len(report.rows)} events: {kinds['published']} published, {kinds['ignored']} ignored, "
        f"{kinds['quarantined']} in quarantine; {len(report.messages)} feed messages."
    )
