# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A sign of life to a watcher elsewhere: it raises the alarm when the sign stays away."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable

import structlog

TIMEOUT_S = 10.0

log = structlog.get_logger("revier.gateway.deadman")


async def ping_while_healthy(url: str, every_s: float, is_healthy: Callable[[], bool]) -> None:
    """HTTP GET, for ever. Nothing is sent while the gateway is not healthy: that is the message."""
    complained = False
    while True:
        await asyncio.sleep(every_s)
        if not is_healthy():
            continue
        why = await asyncio.to_thread(_get, url)
        if why and not complained:
            log.warning("the dead-man's watcher does not answer", why=why)
        elif complained and not why:
            log.info("the dead-man's watcher answers again")
        complained = bool(why)


def _get(url: str) -> str:
    """Empty, or why it failed. The URL is often a secret and is not told."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S):  # noqa: S310 - checked by the configuration
            return ""
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except OSError as error:
        return str(getattr(error, "reason", error))
