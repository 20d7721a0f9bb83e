# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway command."""

from __future__ import annotations

import getpass
import uuid
from typing import Annotated, Any

import msgspec
import typer

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    EXIT_DEFECT,
    EXIT_DISK,
    ConfigOption,
    JsonOption,
    database,
    filtered,
    minute,
    print_json,
    read_config,
    show,
    stop,
    table_of,
)
from revier_gateway.config import Config

WAIT_S = 10.0

app = typer.Typer(no_args_is_help=True, help="Ask a node for something, and see what became of it.")


@app.command("send")
def command_send(
    name: Annotated[str, typer.Argument(help="configure, backfill, downlink or device")],
    fields: Annotated[
        list[str],
        typer.Argument(help="asset=aq-0007 interval=600, or first=101 count=3; default=true"),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    wait_s: Annotated[float, typer.Option(help="For the gateway's answer.")] = WAIT_S,
    json: JsonOption = False,
) -> None:
    """Leave a request for the running gateway; it is kept until the gateway takes it."""
    settings = read_config(config)
    response = _ask(settings, name, _request(name, fields), wait_s)
    if json:
        print_json(response)
    elif response["status"] == "ok":
        for key, value in response["data"].items():
            typer.echo(f"{key:10} {value}")
    if response["status"] != "ok":
        raise stop(response["error"], 1)


@app.command("list")
def command_list(
    config: ConfigOption = DEFAULT_CONFIG,
    device: Annotated[str | None, typer.Option(help="DevEUI.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Under way only.")] = False,
    limit: int = 100,
    json: JsonOption = False,
) -> None:
    """Commands and their fates, newest first."""
    where, values = filtered(dev_eui=device)
    if open_:
        where += " AND ended_ms IS NULL"
    rows = _commands(
        read_config(config), f"{where} ORDER BY created_ms DESC LIMIT ?", [*values, limit]
    )
    if json:
        print_json(rows)
        return
    columns = ("id", "device", "command", "state", "reason", "created, UTC", "ended, UTC")
    table = table_of(*columns, whole=("id", "device"))
    for row in rows:
        texts = [str(row[key] or "") for key in ("id", "device", "command", "state", "reason")]
        table.add_row(*texts, minute(row["created"]), minute(row["ended"]))
    show(table, "No commands.")


@app.command("show")
def command_show(
    command_id: Annotated[str, typer.Argument(help="The id in `command list`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """One command and its fate."""
    rows = _commands(read_config(config), "WHERE id = ?", [command_id])
    if not rows:
        raise stop(f"No command {command_id}; see: revier-gateway command list")
    if json:
        print_json(rows[0])
        return
    for key, value in rows[0].items():
        typer.echo(f"{key:10} {value}")


def _request(name: str, fields: list[str]) -> dict[str, Any]:
    """asset=aq-0007 interval=600: what is not a field of the request is a setting."""
    from revier_gateway.commands.desk import REQUESTS

    if name not in REQUESTS:
        raise stop(f"There is no request {name}; there are {', '.join(REQUESTS)}.")
    known = REQUESTS[name].__struct_fields__
    request: dict[str, Any] = {}
    for text in fields:
        key, equals, value = text.partition("=")
        if not equals:
            raise stop(f"{text}: write name=value.")
        if key in known and key != "settings":
            request[key] = _value(value) if key not in ("device", "data", "asset", "id") else value
        elif name == "configure":
            request.setdefault("settings", {})[key] = _value(value)
        else:
            raise stop(f"{key}: {name} takes {', '.join(known)}.")
    return request


def _value(text: str) -> int | bool | str:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def _ask(settings: Config, name: str, request: dict[str, Any], wait_s: float) -> dict[str, Any]:
    from revier_gateway.data_dir import DataDirError, NoDatabaseError, database_of
    from revier_gateway.operator_requests import COMMANDS, NoAnswer, ask
    from revier_gateway.pipeline import now_utc
    from revier_gateway.values import instant

    content = msgspec.json.encode((name, {"transaction": str(uuid.uuid4()), **request}))
    try:
        path, at = database_of(settings.data_dir), instant(now_utc())
        answer = ask(path, COMMANDS, getpass.getuser(), content, at, wait_s)
    except NoDatabaseError as error:
        raise stop(str(error)) from None
    except DataDirError as error:
        raise stop(str(error), EXIT_DISK) from None
    except NoAnswer as error:
        raise stop(str(error), EXIT_DEFECT) from None
    return msgspec.json.decode(answer, type=dict[str, Any])


def _commands(settings: Config, where: str, values: list[Any]) -> list[dict[str, Any]]:
    from revier_gateway.commands.desk import told
    from revier_gateway.commands.table import commands

    with database(settings) as db:
        return [told(one) for one in commands(db, where, values)]
