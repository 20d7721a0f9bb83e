# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How long certificates are valid: the other side's, as it shows it, and our own, as it lies."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from gateway.tests import support
from gateway.tests.certificates import Authority

from revier_gateway.config import load
from revier_gateway.watch import certificates


def test_of_every_connection_theirs_and_ours(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("server", 40)
    authority.issue("own", 5)
    path = support.gateway_toml(tmp_path, 1, 1)

    async def work() -> dict[str, float]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        tls = f'ca_file = "{authority.file}"\ncert_file = "{tmp_path}/own.pem"\n'
        tls += f'key_file = "{tmp_path}/own.key"\n'
        text = path.read_text().replace("port = 1\n", f"port = {port}\n")
        path.write_text(
            f'{text}\n[chirpstack]\nhost = "127.0.0.1"\nport = {port}\n'
            + "".join(f"[{leg}.tls]\n{tls}" for leg in ("source", "feed", "chirpstack"))
        )
        async with server:
            found = await certificates.look(load(path))
        assert set(found) == {
            f"{leg}: {what}"
            for leg in ("source", "feed", "chirpstack")
            for what in (f"{tmp_path}/own.pem", f"127.0.0.1:{port}")
        }
        return found

    days = asyncio.run(work())
    assert {round(left) for name, left in days.items() if name.endswith(".pem")} == {5}
    assert {round(left) for name, left in days.items() if not name.endswith(".pem")} == {40}


def test_who_cannot_be_reached_is_left_out(tmp_path: Path) -> None:
    """The link tells of that itself."""
    path = support.gateway_toml(tmp_path, 1, 1)
    path.write_text(f"{path.read_text()}[feed.tls]\n")
    assert asyncio.run(certificates.look(load(path))) == {}
