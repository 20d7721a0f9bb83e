# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""radio-gateway add against the stand-in: registration, certificate, first statistics."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from provisioning.tests.provision.test_fleet_commands import run

from revier_bench.network_server.certificates import Authority
from revier_provision import inventory_files
from revier_provision.fleet import radio_gateways

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
GATEWAY = "0016c001f1500812"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    made = Authority(tmp_path / "ca.pem", tmp_path / "ca.key")
    made.ca_cert.write_bytes(cert.public_bytes(pem))
    plain = serialization.NoEncryption()
    made.ca_key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return made


def add(folder: Path, *more: object) -> list[object]:
    own = ["--gateway-id", GATEWAY.upper(), "--name", "Dach", "--lon", 7.1, "--lat", 51.6]
    return ["radio-gateway", "add", *own, "--ags", "05562020", "--inventory", folder, *more]


def test_a_radio_gateway_gets_its_certificate(
    server: Any, folder: Path, reach: list[object], authority: Authority, tmp_path: Path
) -> None:
    certificates = tmp_path / "certificates"
    without = run(*add(folder, *reach, "--certificate-dir", certificates), code=1)
    assert "no authority" in without.stderr
    assert "chirpstack.toml" in without.stderr
    assert not certificates.exists()
    server.backend.gateway_authority = authority
    done = run(*add(folder, *reach, "--certificate-dir", certificates))
    files = {path.name: path for path in certificates.iterdir()}
    assert set(files) == {f"{GATEWAY}.crt", f"{GATEWAY}.key", "ca.crt"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    cert = x509.load_pem_x509_certificate(files[f"{GATEWAY}.crt"].read_bytes())
    ca = x509.load_pem_x509_certificate(files["ca.crt"].read_bytes())
    cert.verify_directly_issued_by(ca)
    (name,) = cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == GATEWAY
    key = serialization.load_pem_private_key(files[f"{GATEWAY}.key"].read_bytes(), None)
    assert key.public_key() == cert.public_key()
    assert f"{cert.not_valid_after_utc:%Y-%m-%d}" in done.stdout
    assert "PRIVATE KEY" not in done.output
    run(*add(folder, *reach, "--certificate-dir", certificates))
    again = x509.load_pem_x509_certificate(files[f"{GATEWAY}.crt"].read_bytes())
    assert again.serial_number != cert.serial_number
    gateway = inventory_files.read(folder).radio_gateway(GATEWAY)
    assert gateway is not None
    assert gateway.ags == "05562020"


def test_its_first_statistics_are_waited_for(
    server: Any, folder: Path, reach: list[object]
) -> None:
    silent = run(*add(folder, *reach, "--wait-s", 0.01), code=1)
    assert "has not been heard" in silent.stdout
    assert "topic of the region" in silent.stdout
    server.registry.gateways[GATEWAY].last_seen_ns = time.time_ns()
    assert "It lives" in run(*add(folder, *reach, "--wait-s", 5)).stdout
    server.registry.gateways[GATEWAY].last_seen_ns = time.time_ns() - 3600 * 10**9
    late = json.loads(run(*add(folder, *reach, "--wait-s", 0.01, "--json"), code=1).stdout)
    assert late["last_seen"] is None
    assert "--server" in run(*add(folder, "--wait-s", 5), code=1).stderr


def test_the_wait_has_a_limit_and_an_end() -> None:
    clock = [AT]

    def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    def wait(seen: Callable[[], datetime | None]) -> datetime | None:
        clock[0] = AT
        return radio_gateways.wait_until_seen(seen, lambda: clock[0], sleep, 60)

    assert wait(lambda: None) is None
    assert clock[0] == AT + timedelta(seconds=60)
    came = AT + timedelta(seconds=30)
    assert wait(lambda: came if clock[0] >= came else None) == came
    assert wait(lambda: AT - timedelta(hours=1)) is None
    fresh = AT - radio_gateways.ALIVE_FOR
    assert wait(lambda: fresh) == fresh
    assert clock[0] == AT
