# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The feed for people: subscribe, and print one line for each message."""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import Callable
from typing import Any

import msgspec

from revier_gateway.mqtt.link import Connect, Link, LinkSettings, Message


def settings(
    host: str,
    port: int,
    username: str | None,
    password: bytes | None,
    tls: ssl.SSLContext | None = None,
) -> LinkSettings:
    """A session of its own, forgotten when it ends."""
    return LinkSettings(
        host=host,
        port=port,
        client_id=f"revier-tail-{os.getpid()}-{secrets.token_hex(3)}",
        username=username,
        password=password,
        tls=tls,
        clean_start=True,
    )


async def tail(
    connect: Connect,
    link_settings: LinkSettings,
    topics: list[str],
    show: Callable[[Message], None],
    count: int | None = None,
) -> None:
    """Show each message, for ever or until count have come. Raises LinkLost."""
    link: Link = await connect(link_settings)
    shown = 0
    try:
        await link.subscribe(topics)
        while True:
            batch = await link.receive()
            for message in batch:
                show(message)
                shown += 1
                if count is not None and shown >= count:
                    return
            link.acknowledge(batch)
    finally:
        await link.close()


def line_of(message: Message) -> str:
    """`2026-05-04T07:10:00.000Z  05562032 airquality aq-0007  pm25 11.8 ug/m3 ...`"""
    return printable(_line_of(message))


def printable(text: str) -> str:
    """Of a peer's text: what would command the terminal is shown, not sent to it."""
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else f"\\x{ord(sign):02x}" for sign in text
    )


def _line_of(message: Message) -> str:
    try:
        content = msgspec.json.decode(message.payload, type=dict[str, Any])
    except msgspec.DecodeError:
        return f"{message.topic}  {len(message.payload)} bytes"
    if "m" not in content:
        rest = " ".join(f"{key}={value}" for key, value in content.items())
        return f"{message.topic}  {rest}"
    values = "  ".join(
        f"{name} {_shown(value)}"
        for name, value in content["m"].items()
        if value.get("v") is not None
    )
    ags, domain, asset = message.topic.split("/")[-4:-1]
    late = "  (late)" if content.get("late") else ""
    return f"{content['t']}  {ags} {domain} {asset} #{content['seq']}  {values}{late}"


def _shown(value: dict[str, Any]) -> str:
    v = value["v"]
    word = {True: "yes", False: "no"}[v] if isinstance(v, bool) else f"{v}"
    unit = value.get("u", "")
    unit = "" if unit in ("", "1") else f" {unit}"
    doubt = {3: "?", 4: "!"}.get(value.get("q", 1), "")
    return f"{word}{unit}{doubt}"
