# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway quarantine."""

from __future__ import annotations

import base64
import getpass
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer
from rich.text import Text

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    EXIT_DEFECT,
    EXIT_DISK,
    EXIT_QUARANTINE,
    ConfigOption,
    JsonOption,
    minute,
    print_json,
    read_config,
    read_inventory,
    show,
    stop,
    table_of,
)
from revier_gateway.config import Config
from revier_gateway.tail import printable

if TYPE_CHECKING:
    from revier_gateway.quarantine import Answer, Request
    from revier_gateway.work import QuarantineRow

ANSWER_WITHIN_S = 60.0
KEYS = ("at", "leg", "reason", "detail", "topic")

app = typer.Typer(no_args_is_help=True, help="What was not understood or not taken.")

Ids = Annotated[list[int] | None, typer.Argument(help="The ids in `quarantine list`.")]
Reason = Annotated[str, typer.Option(help="Only rows with this reason.")]
Everything = Annotated[bool, typer.Option("--all", help="Every row.")]


@app.command("list")
def quarantine_list(
    config: ConfigOption = DEFAULT_CONFIG,
    reason: Reason = "",
    limit: int = 50,
    json: JsonOption = False,
) -> None:
    """The newest rows, with reason and cure."""
    from revier_gateway.outcomes import QUARANTINE_REASONS

    where = "(? = '' OR reason = ?) ORDER BY id DESC LIMIT ?"
    rows = _rows(read_config(config), where, (reason, reason, limit))
    if json:
        print_json([{"id": n} | {key: getattr(row, key) for key in KEYS} for n, row in rows])
        return
    table = table_of("id", "at, UTC", "leg", "reason", "detail", "cure", whole=("id", "reason"))
    for number, row in rows:
        cure = QUARANTINE_REASONS.get(row.reason, "")
        said = [Text(printable(text)) for text in (row.reason, row.detail, cure)]
        table.add_row(str(number), minute(row.at), row.leg, *said)
    show(table, "Nothing is in quarantine.")


@app.command("show")
def quarantine_show(
    number: Annotated[int, typer.Argument(help="The id in `quarantine list`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """One row with its raw bytes."""
    found = _rows(read_config(config), "id = ?", (number,))
    if not found:
        raise stop(f"No row {number}; see: revier-gateway quarantine list")
    row = found[0][1]
    fields = {key: getattr(row, key) for key in KEYS}
    if json:
        print_json({"id": number, **fields, "payload_b64": base64.b64encode(row.payload).decode()})
        return
    for key, value in fields.items():
        typer.echo(f"{key:8} {printable(value)}")
    try:
        typer.echo(printable(row.payload.decode("utf-8")))
    except UnicodeDecodeError:
        typer.echo(row.payload.hex(" "))


@app.command("replay")
def quarantine_replay(
    ids: Ids = None,
    reason: Reason = "",
    everything: Everything = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Send rows through the line again, after the cause is corrected.

    The running gateway does it; where none runs, this command. Exit 0: none stayed; 3: some were
    refused again; 1: no answer yet; 4: the disk does not take it.
    """
    answer = _do(read_config(config), _request("replay", ids, reason, everything))
    _print(answer, json)
    if answer.stayed:
        raise typer.Exit(EXIT_QUARANTINE)


@app.command("drop")
def quarantine_drop(
    ids: Ids = None,
    reason: Reason = "",
    everything: Everything = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Remove rows for ever."""
    request = _request("drop", ids, reason, everything)
    if not request.ids and not yes:
        which = f"rows with reason {reason}" if reason else "rows"
        typer.confirm(f"Remove all {which} for ever?", abort=True, err=True)
    _print(_do(read_config(config), request), json)


def _request(
    action: Literal["replay", "drop"], ids: list[int] | None, reason: str, everything: bool
) -> Request:
    from revier_gateway.outcomes import QUARANTINE_REASONS
    from revier_gateway.quarantine import Request

    if [bool(ids), bool(reason), everything].count(True) != 1:
        raise stop("Say which rows: ids, or --reason REASON, or --all.")
    if reason and reason not in QUARANTINE_REASONS:
        raise stop(f"--reason {reason} is unknown; known are {', '.join(QUARANTINE_REASONS)}.")
    return Request(action, tuple(ids or ()), reason)


def _do(config: Config, request: Request) -> Answer:
    """By the running gateway, else here."""
    from revier_gateway.data_dir import DataDirBusyError, DataDirError, database_of
    from revier_gateway.operator_requests import NoAnswer
    from revier_gateway.store import StoreError

    try:
        database = database_of(config.data_dir)
    except DataDirError as error:
        raise stop(str(error)) from None
    try:
        return _here(config, request)
    except DataDirBusyError:
        pass
    except (DataDirError, StoreError) as error:
        raise stop(f"The disk does not take it: {error}", EXIT_DISK) from None
    try:
        return _by_the_gateway(database, request)
    except DataDirError as error:
        raise stop(str(error), EXIT_DISK) from None
    except NoAnswer as error:
        raise stop(str(error), EXIT_DEFECT) from None


def _here(config: Config, request: Request) -> Answer:
    from revier_gateway import event_topic
    from revier_gateway.pipeline import Pipeline
    from revier_gateway.quarantine import Answer, Desk
    from revier_gateway.store import Store

    inventory = read_inventory(config)
    answer = Answer()
    name_of = event_topic.parse(config.source.topic).name_of
    pipeline = Pipeline(inventory, config.feed.root, name_of=name_of)
    with closing(Store(config.data_dir)) as store:
        desk = Desk(pipeline, store, lambda *_: None)
        for _ in desk.steps(request, answer):
            continue
    return answer


def _by_the_gateway(database: Path, request: Request) -> Answer:
    from revier_gateway.operator_requests import QUARANTINE, ask
    from revier_gateway.pipeline import now_utc
    from revier_gateway.quarantine import Answer
    from revier_gateway.values import instant

    content = msgspec.json.encode(request)
    at = instant(now_utc())
    answer = ask(database, QUARANTINE, getpass.getuser(), content, at, ANSWER_WITHIN_S)
    return msgspec.json.decode(answer, type=Answer)


def _print(answer: Answer, json: bool) -> None:
    if answer.error:
        raise stop(answer.error)
    if json:
        print_json(msgspec.structs.asdict(answer))
        return
    parts = {
        "published": answer.published,
        "known already or nothing to publish": answer.ignored,
        "back to the feed": answer.to_feed,
        "refused again": answer.stayed,
        "removed": answer.dropped,
    }
    told = ", ".join(f"{count} {what}" for what, count in parts.items() if count)
    typer.echo(f"{answer.rows} rows: {told}." if told else "No such rows.")


def _rows(config: Config, where: str, values: tuple[Any, ...]) -> list[tuple[int, QuarantineRow]]:
    from revier_gateway.data_dir import DataDirError, database_of, open_to_read
    from revier_gateway.store_rows import read_quarantine

    try:
        with closing(open_to_read(database_of(config.data_dir))) as db:
            return read_quarantine(db, where, values)
    except DataDirError as error:
        raise stop(str(error)) from None
