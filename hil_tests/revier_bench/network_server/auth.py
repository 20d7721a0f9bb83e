# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Tokens as ChirpStack makes them (JWT, HS256) and what their holders may do."""

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass

from revier_bench.network_server.registry import ApiKey, Registry

ADMIN_USER = "admin"
ADMIN_PASSWORD = "admin"  # noqa: S105 ChirpStack's own first password, for a bench on 127.0.0.1
ADMIN_USER_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "revier-bench:admin"))
ADMIN_KEY_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "revier-bench:admin-key"))
AUDIENCE = "chirpstack"


class TokenError(ValueError):
    """The text names the reason in the words of ChirpStack's JWT library."""


def secret_of_seed(seed: str) -> str:
    """A secret that everyone who knows the seed can derive: for a bench, never for a network."""
    return hashlib.sha256(f"revier-bench:{seed}:api-secret".encode()).hexdigest()


def admin_token(secret: str) -> str:
    """The token of the admin API key that exists from the start."""
    return encode_token(secret, ADMIN_KEY_ID, "key")


def encode_token(secret: str, subject: str, kind: str) -> str:
    claims = {"aud": AUDIENCE, "iss": AUDIENCE, "sub": subject, "typ": kind}
    head = _b64(json.dumps({"typ": "JWT", "alg": "HS256"}, separators=(",", ":")).encode())
    body = _b64(json.dumps(claims, separators=(",", ":")).encode())
    return f"{head}.{body}.{_sign(secret, f'{head}.{body}')}"


def _sign(secret: str, text: str) -> str:
    return _b64(hmac.digest(secret.encode(), text.encode(), "sha256"))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: nobody, a user (always the admin here) or an API key."""

    user_id: str = ""
    key: ApiKey | None = None

    @property
    def is_nobody(self) -> bool:
        return not self.user_id and self.key is None

    def may(self, *, write: bool, tenant_id: str | None) -> bool:
        """`tenant_id` None: an admin's business."""
        if self.user_id:
            return True
        if self.key is None or (write and self.key.is_read_only):
            return False
        return self.key.is_admin or (tenant_id is not None and self.key.tenant_id == tenant_id)


NOBODY = Identity()


def identify(registry: Registry, secret: str, token: str) -> Identity:
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("InvalidToken")
    if not hmac.compare_digest(_sign(secret, f"{parts[0]}.{parts[1]}").encode(), parts[2].encode()):
        raise TokenError("InvalidSignature")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except (binascii.Error, ValueError):
        raise TokenError("InvalidToken") from None
    if claims["aud"] != AUDIENCE:
        raise TokenError("InvalidAudience")
    if claims["typ"] == "user":
        return Identity(user_id=claims["sub"])
    return Identity(key=registry.api_keys.get(claims["sub"], ApiKey(claims["sub"], "unknown")))
