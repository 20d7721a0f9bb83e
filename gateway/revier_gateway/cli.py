# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway: what the operator types."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from revier_gateway import __version__, logs
from revier_gateway.config import Config, ConfigError, load, password_of

DEFAULT_CONFIG = Path("gateway.toml")
EXIT_USAGE, EXIT_QUARANTINE, EXIT_DEFECT = 2, 3, 1

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
quarantine_app = typer.Typer(no_args_is_help=True, help="What was not understood or not taken.")
app.add_typer(quarantine_app, name="quarantine")

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The gateway's TOML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def main() -> None:
    app()


def _config(path: Path) -> Config:
    try:
        return load(path)
    except ConfigError as error:
        raise _stop(str(error)) from None


def _stop(text: str, code: int = EXIT_USAGE) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(code)


def _print_json(content: Any) -> None:
    typer.echo(msgspec.json.encode(content).decode())


@app.command()
def run(
    config: ConfigOption = DEFAULT_CONFIG,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
    json: JsonOption = False,
) -> None:
    """Bridge ChirpStack's events to the feed until Ctrl-C or SIGTERM."""
    from revier_gateway.service import Service, tune_memory
    from revier_inventory import InventoryError

    settings = _config(config)
    if log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise _stop(f"--log-level {log_level}: use DEBUG, INFO, WARNING or ERROR.")
    logs.configure(log_level.upper(), json or None)

    async def work() -> None:
        service = Service(settings)
        tune_memory()
        await service.run()

    try:
        asyncio.run(work())
    except (InventoryError, ConfigError, OSError) as error:
        raise _stop(f"The gateway cannot begin.\n{error}") from None


@app.command()
def tail(
    config: Annotated[Path | None, typer.Option("--config", "-c")] = None,
    host: str = "127.0.0.1",
    port: int = 1883,
    root: str = "revier/v1",
    ags: Annotated[str, typer.Option(help="One municipality only.")] = "+",
    kind: Annotated[str, typer.Option(help="obs, state or + for all.")] = "obs",
    count: Annotated[int | None, typer.Option(help="End after so many messages.")] = None,
    json: JsonOption = False,
) -> None:
    """Print the feed, one line for each message."""
    from revier_gateway import tail as tailing
    from revier_gateway.mqtt.link import LinkLost, Message
    from revier_gateway.mqtt.session import connect

    settings = tailing.settings(host, port, None, None)
    if config is not None:
        feed = _config(config).feed
        root = feed.root
        settings = tailing.settings(feed.host, feed.port, feed.username, password_of(feed))

    def show(message: Message) -> None:
        if not json:
            typer.echo(tailing.line_of(message))
            return
        payload = message.payload.decode("utf-8", "replace")
        typer.echo(f'{{"topic":{msgspec.json.encode(message.topic).decode()},"payload":{payload}}}')

    topics = [f"{root}/{ags}/+/+/{kind}"]
    if ags == "+":
        topics.append(f"{root}/_gateway/+/status")
    try:
        asyncio.run(tailing.tail(connect, settings, topics, show, count))
    except KeyboardInterrupt:
        return
    except LinkLost as error:
        cure = "Is the broker there? --host, --port or --config say where."
        raise _stop(f"{settings.host}:{settings.port}: {error}. {cure}", 1) from None


@app.command()
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
    folder = _config(config).inventory_dir if config else inventory
    root = _config(config).feed.root if config else "revier/v1"
    keep = nullcontext(str(data_dir)) if data_dir else tempfile.TemporaryDirectory()
    with keep as used_dir:
        try:
            pipeline, store = _line(folder, root, Path(used_dir))
            report = run_replay(path, pipeline, store)
            store.close()
        except RecordingError as error:
            raise _stop(str(error)) from None
    if json:
        rows = [dict(zip(("file", "kind", "reason", "detail"), row, strict=True))
                for row in report.rows]  # fmt: skip
        _print_json({**report.to_json(), "rows": rows})
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
        raise _stop(str(error)) from None
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


@quarantine_app.command("list")
def quarantine_list(
    config: ConfigOption = DEFAULT_CONFIG, limit: int = 50, json: JsonOption = False
) -> None:
    """The newest rows, with reason and cure."""
    from revier_gateway.outcomes import QUARANTINE_REASONS

    rows = _quarantine(_config(config), limit)
    if json:
        keys = ("at", "leg", "reason", "detail", "topic")
        _print_json([{"id": n} | {key: getattr(row, key) for key in keys} for n, row in rows])
        return
    table = Table("id", "at", "leg", "reason", "detail", "cure")
    for number, row in rows:
        cure = QUARANTINE_REASONS.get(row.reason, "")
        table.add_row(str(number), row.at, row.leg, row.reason, row.detail, cure)
    Console().print(table if rows else "Nothing is in quarantine.")


@quarantine_app.command("show")
def quarantine_show(
    number: Annotated[int, typer.Argument(help="The id in `quarantine list`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """One row with its raw bytes."""
    row = dict(_quarantine(_config(config), -1)).get(number)
    if row is None:
        raise _stop(f"No row {number}; see: revier-gateway quarantine list")
    fields = {key: getattr(row, key) for key in ("at", "leg", "reason", "detail", "topic")}
    if json:
        _print_json({"id": number, **fields, "payload_b64": base64.b64encode(row.payload).decode()})
        return
    for key, value in fields.items():
        typer.echo(f"{key:8} {value}")
    try:
        typer.echo(row.payload.decode("utf-8"))
    except UnicodeDecodeError:
        typer.echo(row.payload.hex(" "))


def _quarantine(config: Config, limit: int) -> Any:
    from revier_gateway.store import FILE_NAME, Store

    if not (config.data_dir / FILE_NAME).exists():
        raise _stop(f"{config.data_dir}: no gateway has run with this data_dir yet.")
    store = Store(config.data_dir)
    try:
        return store.quarantine(limit)
    finally:
        store.close()


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


if __name__ == "__main__":
    main()
