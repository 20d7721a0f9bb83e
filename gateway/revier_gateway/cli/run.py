# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway run."""

from __future__ import annotations

import asyncio
from typing import Annotated

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
from revier_gateway.config import ConfigError


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
    json: JsonOption = False,
) -> None:
    """Bridge ChirpStack's events to the feed until Ctrl-C or SIGTERM.

    Exit 0: ended; 2: configuration, inventory, or another gateway in data_dir; 4: the disk.
    """
    from revier_gateway.data_dir import DataDirBusyError, DataDirError
    from revier_gateway.service import Service, tune_memory
    from revier_inventory import InventoryError

    settings = read_config(config)
    if log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise stop(f"--log-level {log_level}: use DEBUG, INFO, WARNING or ERROR.")
    logs.configure(log_level.upper(), json or None)

    async def work() -> None:
        service = Service(settings)
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
