# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the gRPC services share: the lock, the clock, who calls, and how errors are answered."""

import functools
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from revier_bench.network_server.auth import NOBODY, Identity, TokenError, identify
from revier_bench.network_server.certificates import Authority, NoAuthorityError
from revier_bench.network_server.codec import CodecError
from revier_bench.network_server.core import NetworkServer
from revier_bench.network_server.logs import LogHub
from revier_bench.network_server.registry import (
    ConstraintError,
    NotFoundError,
    Registry,
    ValidationError,
)

BEARER = "Bearer "


class ApiError(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


@dataclass(slots=True)
class Backend:
    """Services call the core under `lock`; so does whoever runs it."""

    server: NetworkServer
    secret: str
    now_ns: Callable[[], int]
    logs: LogHub = field(default_factory=LogHub)
    lock: threading.RLock = field(default_factory=threading.RLock)
    is_open: bool = True
    gateway_authority: Authority | None = None

    @property
    def registry(self) -> Registry:
        return self.server.registry

    def uuid(self, name: str) -> str:
        return self.server.chance.uuid(name)


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a method (request, identity) of a service into one that gRPC can call."""

    @functools.wraps(method)
    def call(service: Any, request: Any, context: grpc.ServicerContext) -> Any:
        backend: Backend = service.backend
        try:
            with backend.lock:
                answer = method(service, request, caller(backend, context))
        except ApiError as error:
            context.abort(error.code, error.details)
        except NotFoundError as error:
            context.abort(grpc.StatusCode.NOT_FOUND, str(error))
        except ValidationError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except (ConstraintError, CodecError, NoAuthorityError) as error:
            context.abort(grpc.StatusCode.INTERNAL, str(error))
        return Empty() if answer is None else answer

    return call


def caller(backend: Backend, context: grpc.ServicerContext) -> Identity:
    metadata: dict[str, Any] = dict(context.invocation_metadata())
    text = metadata.get("authorization")
    if text is None:
        return NOBODY
    if not text.startswith(BEARER):
        raise ApiError(
            grpc.StatusCode.UNAUTHENTICATED,
            "authorization metadata must be in format 'Bearer <TOKEN>",
        )
    try:
        return identify(backend.registry, backend.secret, text.removeprefix(BEARER))
    except TokenError as error:
        raise ApiError(grpc.StatusCode.UNAUTHENTICATED, str(error)) from None


def require(identity: Identity, *, write: bool, tenant_id: str | None = None) -> None:
    if identity.is_nobody:
        raise ApiError(grpc.StatusCode.UNAUTHENTICATED, "no authorization provided")
    if not identity.may(write=write, tenant_id=tenant_id):
        raise ApiError(grpc.StatusCode.UNAUTHENTICATED, "")


def given(request: Any, name: str) -> Any:
    """The message in the request, or ChirpStack's complaint."""
    if not request.HasField(name):
        raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, f"{name} is missing")
    return getattr(request, name)


def hex_bytes(text: str, size: int) -> bytes:
    """Hex as ChirpStack reads it: empty is zero; the complaints are its library's."""
    if not text:
        return bytes(size)
    if len(text.encode()) % 2:
        raise ApiError(grpc.StatusCode.INTERNAL, "Odd number of digits")
    if len(text.encode()) != 2 * size:
        raise ApiError(grpc.StatusCode.INTERNAL, "Invalid string length")
    for position, character in enumerate(text):
        if character not in "0123456789abcdefABCDEF":
            details = f"Invalid character {character!r} at position {position}"
            raise ApiError(grpc.StatusCode.INTERNAL, details)
    return bytes.fromhex(text)


def eui(text: str) -> str:
    return hex_bytes(text, 8).hex()


def key(text: str) -> bytes:
    return hex_bytes(text, 16)


def id_of(text: str) -> str:
    """A UUID in its plain form."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, f"invalid UUID: {text!r}") from None


def named(name: str) -> str:
    if not name:
        raise ValidationError("Validation error: name is not set")
    return name


def page(rows: list[Any], request: Any) -> list[Any]:
    """A limit of 0 asks for the count only."""
    offset = int(request.offset)
    return rows[offset : offset + int(request.limit)]
