# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Serve an application inside the gateway's event loop, until the task is cancelled.

Open event streams do not end by themselves: they are told, and then have SHUTDOWN_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.applications import Starlette

SHUTDOWN_S = 2
RETRY_S = 5.0

log = structlog.get_logger("revier.gateway.page")


class _Server(uvicorn.Server):
    """Signals belong to the service."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve(app: Starlette, host: str, port: int) -> None:
    """For ever. A port that is taken is complained about once, and tried again."""
    sock = await _listening(host, port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[sock]), name="revier.gateway.server")
    try:
        await asyncio.shield(running)
    finally:
        streams = getattr(app.state, "streams", None)
        if streams is not None:
            streams.closing.set()
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _listening(host: str, port: int) -> socket.socket:
    complained = False
    while True:
        try:
            return listen(host, port)
        except OSError as error:
            if not complained:
                log.warning("the page's port is taken", port=port, why=str(error))
            complained = True
            await asyncio.sleep(RETRY_S)


def listen(host: str, port: int) -> socket.socket:
    """Bound, and nobody else's. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()  # another may have bound it as well, and listen already
    except OSError:
        sock.close()
        raise
    return sock
