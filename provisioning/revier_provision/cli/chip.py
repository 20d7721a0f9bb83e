# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Ports, and MicroPython onto a chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revier_inventory.message import _
from revier_provision.chip import (
    BaudMemory,
    Flasher,
    RuntimeImage,
    choose,
    default_state_file,
    list_ports,
    require_chip,
)
from revier_provision.cli.options import JsonOption
from revier_provision.cli.output import Output

_TENTHS = 10
COLUMNS = [_("port"), _("adapter"), _("usb"), _("serial_number"), _("description")]

PortOrNoneOption = Annotated[
    str | None,
    typer.Option("--port", help="The board's serial port. Left out: the only one with a board."),
]


def ports(as_json: JsonOption = False) -> None:
    """The serial ports of this machine, those with a board first."""
    out = Output(as_json=as_json)
    with out.errors():
        rows = [
            {
                "port": port.device,
                "adapter": port.chip,
                "usb": None if port.vid is None else f"{port.vid:04x}:{port.pid or 0:04x}",
                "serial_number": port.serial_number,
                "description": port.description,
            }
            for port in list_ports()
        ]
        out.table(rows, COLUMNS)


def flash(
    image: Annotated[Path, typer.Option(help="MicroPython for the board's chip, a .bin file.")],
    port: PortOrNoneOption = None,
    sha256: Annotated[str | None, typer.Option(help="The digest that the file must have.")] = None,
    board: Annotated[
        str | None, typer.Option(help="Name of the board description: refuse another chip.")
    ] = None,
    erase: Annotated[
        bool,
        typer.Option("--erase", help="Erase everything first: files, key, counters of a node too."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put MicroPython on the board, where it is not there already. Keys and files stay."""
    out = Output(as_json=as_json)
    with out.errors():
        runtime = RuntimeImage.load(image, sha256)
        found = choose(list_ports(), port)
        flasher = Flasher(found.device, BaudMemory(default_state_file()), found.adapter)
        out.progress(_("ask the chip on {device}", device=found.device))
        chip = flasher.chip()
        require_chip(runtime, chip, board)
        out.progress(
            _("write MicroPython {version} to the {name}", version=runtime.version, name=chip.name)
        )
        done = flasher.flash(runtime, _Tenths(out), erase=erase)
        what = _("was there already")
        if not done.skipped:
            what = _("was written at {baud} baud", baud=done.baud)
        data = {
            "port": found.device,
            "chip": chip.name,
            "model": chip.model,
            "factory_mac": chip.factory_mac.hex(),
            "version": runtime.version,
            "sha256": runtime.sha256,
            "skipped": done.skipped,
            "baud": done.baud,
            "seconds": round(done.seconds, 1),
        }
        out.result(
            data,
            _(
                "MicroPython {version} {what} ({model}), and was checked.",
                version=runtime.version,
                what=what,
                model=chip.model,
            ),
        )


class _Tenths:
    """A line for each tenth of the way."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._tenth = 0

    def __call__(self, done: int, total: int) -> None:
        tenth = _TENTHS * done // total
        if tenth > self._tenth and tenth < _TENTHS:
            self._out.progress(_("{percent} %", percent=tenth * 100 // _TENTHS))
        self._tenth = max(tenth, self._tenth)
