# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision settings: what a node does, by cable or as a downlink."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Annotated

import typer

from revier_inventory.message import Message, _, joined
from revier_provision.board import node_settings
from revier_provision.board.node_settings import NodeSettings
from revier_provision.board.repl_board import ReplBoard, open_board
from revier_provision.cli.options import PLAIN, JsonOption, PortOption, WindowOption
from revier_provision.cli.output import Output

app = typer.Typer(help="A node's settings: interval, limits, what it reports.", **PLAIN)  # type: ignore[arg-type]

ValuesArgument = Annotated[
    list[str], typer.Argument(help="NAME=VALUE, e.g. interval=15min report=change empty=1.2m")
]
NamesArgument = Annotated[list[str] | None, typer.Argument(help="Names; none: all of them.")]
DefaultOption = Annotated[
    bool,
    typer.Option("--default", help="What is not named goes back to what the node was made with."),
]


@app.command()
def show(port: PortOption, window_s: WindowOption = 30.0, as_json: JsonOption = False) -> None:
    """Every setting of the node on PORT, and their hash."""
    _at_board(port, window_s, as_json, node_settings.read)


@app.command("set")
def set_values(
    values: ValuesArgument,
    port: PortOption,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Set them, all or none. In force at once; back to the old ones if the node cannot live so."""
    out = Output(as_json=as_json)
    with out.errors():
        wanted = node_settings.parse(values)
    _at_board(port, window_s, as_json, lambda board: node_settings.change(board, wanted))


@app.command()
def reset(
    port: PortOption,
    names: NamesArgument = None,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Settings back to what the node was made with."""
    _at_board(port, window_s, as_json, lambda board: node_settings.reset(board, names or []))


@app.command()
def downlink(
    values: ValuesArgument, default: DefaultOption = False, as_json: JsonOption = False
) -> None:
    """The same as a downlink, to be enqueued for a device in the network server."""
    out = Output(as_json=as_json)
    with out.errors():
        made = node_settings.downlink(node_settings.parse(values), default=default)
        text = base64.b64encode(bytes.fromhex(made.data_hex)).decode()
        out.result(
            made,
            _(
                "fPort {f_port}, {data_hex} (base64 {text})",
                f_port=made.f_port,
                data_hex=made.data_hex,
                text=text,
            ),
        )


def _at_board(
    port: str, window_s: float, as_json: bool, ask: Callable[[ReplBoard], NodeSettings]
) -> None:
    out = Output(as_json=as_json)
    with out.errors():
        out.knock(port)
        with open_board(port, window_s) as board:
            settings = ask(board)
        if not as_json:
            columns = [_("number"), _("name"), _("value"), _("unit"), _("by")]
            rows = [
                {
                    "number": one.number,
                    "name": one.name,
                    "value": one.value,
                    "unit": "" if one.unit == "1" else one.unit,
                    "by": _("set") if one.was_set else _("as made"),
                }
                for one in settings.settings
            ]
            out.table(rows, columns)
        out.result(settings, _sentence(settings))


def _sentence(settings: NodeSettings) -> Message:
    lines = [
        _(
            "A node of kind {kind}; hash of its settings {config_hash}.",
            kind=settings.kind,
            config_hash=settings.config_hash,
        )
    ]
    if settings.on_trial:
        lines.append(_("On trial until a wake with them has ended well."))
    if settings.reverted is not None:
        lines.append(
            _(
                "The node did not survive the settings of hash {reverted}: taken back.",
                reverted=settings.reverted,
            )
        )
    return joined("\n", lines)
