# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What systemd is told: sd_notify(3). Does nothing where nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"


def notify(*states: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    if address[0] == "@":
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.sendto("\n".join(states).encode(), address)


def watchdog_every_s() -> float | None:
    """Half of what systemd waits for, as sd_watchdog_enabled(3) recommends; None: no watchdog."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdigit() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2_000_000


async def keep_alive() -> None:
    """For ever: the event loop turns, so the gateway is alive."""
    every_s = watchdog_every_s()
    if every_s is None:
        return
    while True:
        notify(WATCHDOG)
        await asyncio.sleep(every_s)
