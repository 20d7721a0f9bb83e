# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The station's own authority and the certificate that it serves with.

Phones give camera and position to pages over TLS only. A station without a certificate of the
town's makes an authority once; its certificate is installed on the phones. Its own certificate
names the hosts under which phones reach it, and is made anew when they change or it ends.

Apple's limit for certificates of an own authority is 825 days (support.apple.com, HT210176).
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from revier_provision.errors import OrderError

CA_KEY, CA_CERTIFICATE = "ca.key", "ca.pem"
KEY, CERTIFICATE = "station.key", "station.pem"
CA_DAYS, DAYS, RENEW_DAYS = 3650, 397, 30
HOSTS_MAX = 20
DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")
EARLIER = timedelta(hours=1)  # a phone's clock may be behind


def ensure(folder: Path, hosts: Sequence[str], now: datetime) -> tuple[Path, Path]:
    """(certificate chain, key) for these host names and addresses, made where needed."""
    names = sorted({host.strip().lower() for host in hosts if host.strip()})
    if not 0 < len(names) <= HOSTS_MAX:
        cure = "Give 1 to {most} with --host"
        raise OrderError(
            "The station's certificate needs the names that phones use", cure, most=HOSTS_MAX
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    ca, ca_key = _authority(folder, now)
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not _fits(certificate, key, ca, names, now):
        _issue(folder, ca, ca_key, names, now)
    return certificate, key


def authority_pem(folder: Path) -> bytes | None:
    """What is installed on phones; public."""
    path = folder / CA_CERTIFICATE
    return path.read_bytes() if path.exists() else None


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate_path, key_path = folder / CA_CERTIFICATE, folder / CA_KEY
    if certificate_path.exists() and key_path.exists():
        ca = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        return ca, _key(key_path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Revier station authority")])
    ca = (
        _builder(name, name, key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_path, key)
    certificate_path.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    return ca, key


def _fits(
    certificate: Path, key: Path, ca: x509.Certificate, names: list[str], now: datetime
) -> bool:
    if not certificate.exists() or not key.exists():
        return False
    held = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    if held.not_valid_after_utc < now + timedelta(days=RENEW_DAYS) or held.issuer != ca.subject:
        return False
    alternative = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(alternative) == [_general_name(name) for name in names]


def _issue(
    folder: Path,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: list[str],
    now: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    alternative = x509.SubjectAlternativeName([_general_name(name) for name in names])
    certificate = (
        _builder(subject, ca.subject, key, now, DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(alternative, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    _write_key(folder / KEY, key)
    chain = [one.public_bytes(serialization.Encoding.PEM) for one in (certificate, ca)]
    (folder / CERTIFICATE).write_bytes(b"".join(chain))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(identifier, critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not DNS_NAME.match(name):
        raise OrderError(
            "{host!r} is no host name or address",
            "Give --host with a name or address, such as 192.168.1.7",
            host=host,
        )
    return x509.DNSName(name)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Nobody else may read it, not even while it is written."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    new.replace(path)
