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
