# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Options of the commands that reach ChirpStack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revier_inventory.message import _

ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar="REVIER_CHIRPSTACK",
        help="ChirpStack: https://host:port, or host:port on this machine. "
        "Left out: work without it, and register later.",
    ),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", envvar="REVIER_TOKEN_FILE", help="File with ChirpStack's API key."
    ),
]
RootsOption = Annotated[
    Path | None, typer.Option("--tls-roots", help="Own CA certificates (PEM) to trust.")
]
CodecOption = Annotated[
    Path | None,
    typer.Option(
        "--codec",
        help="JavaScript payload codec for the device profile. Left out: the codec of Revier's "
        "payload schema.",
    ),
]

GIVE_SERVER = _("Give --server https://HOST:PORT and --token-file FILE, or set REVIER_CHIRPSTACK")
