# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""`upload`: the application onto a board, directly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from revier_inventory.message import Message, _
from revier_provision.board.repl_board import open_repl
from revier_provision.cli.language import spoken
from revier_provision.cli.options import JsonOption, PortOption, WindowOption
from revier_provision.cli.output import Output
from revier_provision.translation import say
from revier_provision.update import firmware_bundle
from revier_provision.update.firmware_put import Put, put_firmware

FirmwareOption = Annotated[
    Path, typer.Option("--firmware", help="Bundle of a release: revier-firmware-VERSION.zip.")
]


def upload(
    port: PortOption,
    firmware: FirmwareOption,
    window_s: WindowOption = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Put Revier's application on a board that runs MicroPython. Safe to run again."""
    out = Output(as_json=as_json)
    with out.errors():
        bundle = firmware_bundle.load(firmware)
        out.knock(port)
        with open_repl(port, window_s) as repl, _Bar(hidden=as_json) as show:
            put = put_firmware(repl, bundle, show)
        out.result(put, _sentence(put))


class _Bar:
    """Progress on standard error, while there is somebody to see it."""

    def __init__(self, *, hidden: bool) -> None:
        from rich.console import Console

        console = Console(stderr=True)
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
        )
        self._bars = Progress(*columns, console=console, disable=hidden or not console.is_terminal)

    def __enter__(self) -> Callable[[Message, float | None], None]:
        self._bars.start()
        self._tasks: dict[str, object] = {}
        return self._show

    def _show(self, what: Message, share: float | None) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(say(what, spoken()), total=1.0)
        self._bars.update(self._tasks[what], completed=1.0 if share is None else share)  # type: ignore[arg-type]

    def __exit__(self, *_: object) -> None:
        self._bars.stop()


def _sentence(put: Put) -> Message:
    if not put.changed:
        return _(
            "Version {version} is on the board already, in slot {slot}.",
            version=put.version,
            slot=put.slot,
        )
    return _(
        "Version {version} is in slot {slot} and was read back: {sent_files} files, "
        "{wire_bytes:.0f} KiB over the cable in {seconds:.1f} s.",
        version=put.version,
        slot=put.slot,
        sent_files=put.sent_files,
        wire_bytes=put.wire_bytes / 1024,
        seconds=put.seconds,
    )
