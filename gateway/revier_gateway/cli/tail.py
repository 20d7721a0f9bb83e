# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway tail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from revier_gateway.cli.common import JsonOption, read_config, stop
from revier_gateway.config import ConfigError, password_of


def tail(
    config: Annotated[Path | None, typer.Option("--config", "-c")] = None,
    host: str = "127.0.0.1",
    port: int = 1883,
    root: str = "revier/v1",
    ags: Annotated[str, typer.Option(help="One municipality only.")] = "+",
    kind: Annotated[
        str, typer.Option(help="obs, state, alarm, gap, command, availability; + for all.")
    ] = "obs",
    count: Annotated[int | None, typer.Option(help="End after so many messages.")] = None,
    json: JsonOption = False,
) -> None:
    """Print the feed, one line for each message."""
    from revier_gateway import tail as tailing
    from revier_gateway.mqtt.link import LinkLost, Message
    from revier_gateway.mqtt.session import connect

    settings = tailing.settings(host, port, None, None)
    if config is not None:
        feed = read_config(config).feed
        root = feed.root
        try:
            settings = tailing.settings(
                feed.host,
                feed.port,
                feed.username,
                password_of(feed),
                feed.tls.context() if feed.tls else None,
            )
        except ConfigError as error:
            raise stop(f"{config}: [feed] {error}") from None

    def show(message: Message) -> None:
        if not json:
            typer.echo(tailing.line_of(message))
            return
        payload = message.payload.decode("utf-8", "replace")
        typer.echo(f'{{"topic":{msgspec.json.encode(message.topic).decode()},"payload":{payload}}}')

    topics = [f"{root}/{ags}/+/+/{kind}"]
    if ags == "+":
        topics.append(f"{root}/_gateway/+/status")
    try:
        asyncio.run(tailing.tail(connect, settings, topics, show, count))
    except KeyboardInterrupt:
        return
    except LinkLost as error:
        cure = "Is the broker there? --host, --port or --config say where."
        raise stop(f"{settings.host}:{settings.port}: {error}. {cure}", 1) from None
