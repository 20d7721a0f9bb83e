# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How long certificates are still valid: the brokers', ChirpStack's and our own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from revier_gateway.config import ChirpStack, Config, Feed, Source

CONNECT_TIMEOUT_S = 10.0


def days_left(certificate: x509.Certificate, now: datetime) -> float:
    return (certificate.not_valid_after_utc - now).total_seconds() / 86_400


def of_file(path: str) -> x509.Certificate:
    """The first certificate of a PEM file. Raises OSError, ValueError."""
    return x509.load_pem_x509_certificate(Path(path).read_bytes())


async def of_peer(host: str, port: int, context: ssl.SSLContext) -> x509.Certificate:
    """What the broker shows. Raises OSError (which ssl's errors are) or TimeoutError."""
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown)
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await writer.wait_closed()


async def look(config: Config, now: datetime | None = None) -> dict[str, float]:
    """Days left by certificate, e.g. `feed's broker`. One that cannot be had is left out: the link
    tells of that itself."""
    at = now or datetime.now(UTC)
    found: dict[str, float] = {}
    legs: dict[str, Source | Feed | ChirpStack | None] = {
        "source": config.source,
        "feed": config.feed,
        "chirpstack": config.chirpstack,
    }
    for name, leg in legs.items():
        if leg is None or leg.tls is None:
            continue
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            if leg.tls.cert_file:
                found[f"{name}: {leg.tls.cert_file}"] = days_left(of_file(leg.tls.cert_file), at)
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            shown = await of_peer(leg.host, leg.port, leg.tls.context())
            found[f"{name}: {leg.host}:{leg.port}"] = days_left(shown, at)
    return found
