# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway config."""

from __future__ import annotations

import typer

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    print_json,
    read_config,
    stop,
)
from revier_gateway.config import ConfigError, check_legs

app = typer.Typer(no_args_is_help=True, help="The gateway's TOML file.")


@app.command("check")
def config_check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Is it right, with all that it points to: passwords, certificates, addresses, inventory?

    Connects to nothing. Exit 0: right; 2: an error, with its line and its cure.
    """
    from revier_gateway import event_topic, inventory_dir
    from revier_gateway.alerts.notify import Notifier
    from revier_inventory import InventoryError

    settings = read_config(config)
    try:
        check_legs(settings)
        Notifier(settings.alerts, settings.gateway.id)
        inventory = inventory_dir.read(settings.inventory_dir)
    except ConfigError as error:
        raise stop(f"{config}: {error}") from None
    except (InventoryError, OSError) as error:
        raise stop(f"[inventory] dir {settings.inventory_dir}: {error}") from None
    found = {
        "config": str(config),
        "gateway": settings.gateway.id,
        "source": f"{settings.source.host}:{settings.source.port}",
        "subscribes": event_topic.parse(settings.source.topic).filter,
        "feed": f"{settings.feed.host}:{settings.feed.port}",
        "publishes": f"{settings.feed.root}/#",
        "assets": len(inventory.assets),
        "devices": len({period.dev_eui for period in inventory.periods}),
        "owners": len(inventory.owners),
    }
    if json:
        print_json(found)
        return
    for key, value in found.items():
        typer.echo(f"{key:10} {value}")
    typer.echo("The configuration is right.")
