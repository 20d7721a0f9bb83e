# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A radio gateway's certificate in a folder, and the wait for its first statistics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from revier_inventory.message import _
from revier_provision import durable_files
from revier_provision.errors import cannot_write_in
from revier_provision.lns.chirpstack import STATS_INTERVAL_S
from revier_provision.lns.fleet import ClientCertificate

POLL_S = 2.0
ALIVE_FOR = timedelta(seconds=2 * STATS_INTERVAL_S)  # as ChirpStack itself tells online from not


def keep(certificate: ClientCertificate, gateway_id: str, folder: Path) -> tuple[Path, ...]:
    """GATEWAY.crt, GATEWAY.key and ca.crt, for the owner's eyes only; what is there is replaced."""
    texts = {
        folder / f"{gateway_id}.key": certificate.tls_key,
        folder / f"{gateway_id}.crt": certificate.tls_cert,
        folder / "ca.crt": certificate.ca_cert,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, text in texts.items():
            path.unlink(missing_ok=True)
            durable_files.create(path, text.encode(), 0o600)
    except OSError as error:
        cure = _("Choose another --certificate-dir, or correct the rights there")
        raise cannot_write_in(folder, error, cure) from None
    return tuple(texts)


def wait_until_seen(
    seen: Callable[[], datetime | None],
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    limit_s: float,
) -> datetime | None:
    """When statistics came that are not old; None: within `limit_s` none did."""
    end = now() + timedelta(seconds=limit_s)
    while True:
        last = seen()
        if last is not None and now() - last <= ALIVE_FOR:
            return last
        if now() >= end:
            return None
        sleep(POLL_S)
