# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway run."""

from __future__ import annotations

import asyncio
from typing import Annotated, get_args

import typer

from revier_gateway import logs
from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    EXIT_DISK,
    ConfigOption,
    JsonOption,
    read_config,
    stop,
)
from revier_gateway.config import ConfigError, LogLevel, load


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    log_level: Annotated[str, typer.Option(help="Else [gateway] log_level.")] = "",
    json: JsonOption = False,
) -> None:
    """Bridge ChirpStack's events to the feed until Ctrl-C or SIGTERM.

    Exit 0: ended; 2: configuration, inventory, or another gateway in data_dir; 4: the disk.
    """
    from revier_gateway.data_dir import DataDirBusyError, DataDirError
    from revier_gateway.service import Service, tune_memory
    from revier_inventory import InventoryError

    settings = read_config(config)
    level = log_level.upper() or settings.gateway.log_level
    if level not in get_args(LogLevel):
        raise stop(f"--log-level {log_level}: use {', '.join(get_args(LogLevel))}.")
    logs.configure(level, json or None)

    async def work() -> None:
        service = Service(settings, reread=lambda: load(config))
        tune_memory()
        await service.run()

    try:
        asyncio.run(work())
    except DataDirBusyError as error:
        raise stop(f"The gateway cannot begin.\n{error}") from None
    except DataDirError as error:
        raise stop(f"The gateway cannot begin.\n{error}", EXIT_DISK) from None
    except (InventoryError, ConfigError, OSError) as error:
        raise stop(f"The gateway cannot begin.\n{error}") from None
