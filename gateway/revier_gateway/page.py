# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Serve the console inside the gateway's event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
import uvicorn

from revier_gateway.config import Config
from revier_gateway.console.app import build
from revier_gateway.console.interfaces import ConsoleSettings

if TYPE_CHECKING:
    from revier_gateway.view import View

RETRY_S = 5.0

log = structlog.get_logger("revier.gateway.page")


class _Server(uvicorn.Server):
    """Signals belong to the service."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve(view: View, config: Config) -> None:
    """For ever. A port that is taken is complained about once, and tried again."""
    settings = ConsoleSettings(gateway_id=config.gateway.id)
    app = build(view, settings)
    complained = False
    while True:
        try:
            sock = _listen(config.console.host, config.console.port)
        except OSError as error:
            if not complained:
                log.warning("the page's port is taken", port=config.console.port, why=str(error))
            complained = True
            await asyncio.sleep(RETRY_S)
            continue
        break
    server = _Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, lifespan="off"
        )
    )
    log.info("page", url=f"http://{config.console.host}:{config.console.port}/")
    await server.serve(sockets=[sock])


def _listen(host: str, port: int) -> socket.socket:
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
