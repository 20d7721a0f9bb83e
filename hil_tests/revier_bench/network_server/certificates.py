# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Client certificates for radio gateways, as ChirpStack's certificate.rs makes them.

Common name and only alternative name are the id; key usage digital signature, extended client
authentication; EC P-256; valid for the configured lifetime (12 months).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=365)


IssuerKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """PEM files, [gateway] ca_cert and ca_key in chirpstack.toml."""

    ca_cert: Path
    ca_key: Path


@dataclass(frozen=True, slots=True)
class Issued:
    ca_pem: str
    cert_pem: str
    key_pem: str
    ends_ns: int


class NoAuthorityError(Exception):
    """The text is ChirpStack's: of its error chain it sends the outermost."""


def issue(authority: Authority | None, common_name: str, now_ns: int) -> Issued:
    """Raises NoAuthorityError: none is configured, or its files cannot be used."""
    ca_cert, ca_key = _loaded(authority)
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca_cert.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(common_name)]), critical=False)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    made = builder.sign(ca_key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return Issued(
        ca_pem=ca_cert.public_bytes(pem).decode(),
        cert_pem=made.public_bytes(pem).decode(),
        key_pem=key.private_bytes(pem, pkcs8, plain).decode(),
        ends_ns=int((now + LIFETIME).timestamp()) * 10**9,
    )


def _loaded(authority: Authority | None) -> tuple[x509.Certificate, IssuerKey]:
    if authority is None:
        raise NoAuthorityError("Get CA cert")
    try:
        cert = x509.load_pem_x509_certificate(authority.ca_cert.read_bytes())
        key = serialization.load_pem_private_key(authority.ca_key.read_bytes(), None)
    except (OSError, ValueError):
        raise NoAuthorityError("Get CA cert") from None
    assert isinstance(key, IssuerKey)
    return cert, key


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
