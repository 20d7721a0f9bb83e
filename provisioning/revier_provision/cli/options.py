# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Locals of a failed call may hold a key: no pretty tracebacks.
PLAIN = {"pretty_exceptions_enable": False, "no_args_is_help": True, "add_completion": False}

PortOption = Annotated[str, typer.Option("--port", help="The board's serial port.")]
WindowOption = Annotated[
    float, typer.Option("--window-s", help="How long to knock at the board's service window.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
FolderOption = Annotated[
    Path, typer.Option("--inventory", envvar="REVIER_INVENTORY", help="Folder of the inventory.")
]
# The same, where a command can do without, or takes it from the site file.
OptionalPort = Annotated[
    str | None, typer.Option("--port", help="The board's serial port; else without the board.")
]
InventoryOption = Annotated[
    Path | None,
    typer.Option("--inventory", envvar="REVIER_INVENTORY", help="Folder of the inventory."),
]
IdentityOption = Annotated[
    Path | None,
    typer.Option("--identity-file", help="The identity that opens the vault."),
]
EuiBlockOption = Annotated[
    Path | None,
    typer.Option("--eui-block", help="The owner's DevEUIs (TOML); else the chip's own."),
]
VirtualOption = Annotated[
    bool, typer.Option("--virtual", help="Accept a virtual board's local MAC address.")
]
