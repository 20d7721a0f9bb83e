# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Serve the station over TLS until it is interrupted. There is no plain HTTP."""

from __future__ import annotations

import ssl
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from revier_provision.errors import OrderError

SHUTDOWN_S = 2
REQUESTS_MAX = 200  # at a time


def configuration(
    app: Starlette, host: str, port: int, certificate: Path, key: Path
) -> uvicorn.Config:
    """TLS 1.2 or newer, with this certificate chain. Raises OrderError."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        problem = "Cannot serve with {certificate} and {key}: {error}"
        cure = "Give the certificate with its chain and the key that belongs to it (PEM)"
        raise OrderError(
            problem, cure, certificate=certificate, key=key, error=str(error)
        ) from None
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=REQUESTS_MAX,
        timeout_graceful_shutdown=SHUTDOWN_S,
        forwarded_allow_ips="",
    )


def serve(config: uvicorn.Config) -> None:
    uvicorn.Server(config).run()
