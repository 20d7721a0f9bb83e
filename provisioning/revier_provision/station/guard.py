# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who may do what: every route but the login passes here.

A request that changes something must come from this very origin and carry its session's token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from revier_inventory import InventoryError
from revier_inventory.message import joined, plain
from revier_provision.errors import NetworkServerError, ProvisionError
from revier_provision.station.desk import Desk
from revier_provision.station.refused import RefusedError
from revier_provision.station.sessions import Session, same
from revier_provision.station.texts import Words, language_of
from revier_provision.station.users import Role

COOKIE = "__Host-revier"
LANGUAGE_COOKIE = "revier-language"
CSRF_HEADER = "x-revier-csrf"
JSON_BYTES_MAX = 16 * 1024
BOTH: tuple[Role, ...] = ("technician", "installer")
TECHNICIAN: tuple[Role, ...] = ("technician",)
STATUS = {"not_logged_in": 401, "not_allowed": 403, "foreign_page": 403, "too_large": 413}
REFUSED = 409

T = TypeVar("T")
Endpoint = Callable[[Request, Session, Words], Awaitable[Response]]


def words_of(request: Request) -> Words:
    accept = request.headers.get("accept-language", "")
    cookie = request.cookies.get(LANGUAGE_COOKIE)
    return Words(language_of(request.query_params.get("lang"), cookie, accept))


def from_here(request: Request) -> bool:
    """Browsers name the origin of every request that is not a GET."""
    origin = request.headers.get("origin")
    return origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


def session_of(desk: Desk, request: Request) -> Session | None:
    """A user who was removed, or has another role now, is out."""
    session = desk.sessions.get(request.cookies.get(COOKIE), desk.clock_s())
    if session is None or desk.users.role(session.user) != session.role:
        return None
    return session


def guarded(
    desk: Desk, endpoint: Endpoint, roles: tuple[Role, ...] = BOTH, *, page: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint for these roles. A `page` sends those who are not logged in to the login."""

    async def run(request: Request) -> Response:
        words = words_of(request)
        session = session_of(desk, request)
        if session is None and page:
            return RedirectResponse("/login", status_code=303)
        try:
            if session is None:
                raise RefusedError("not_logged_in")
            if session.role not in roles:
                raise RefusedError("not_allowed")
            if request.method not in ("GET", "HEAD"):
                token = request.headers.get(CSRF_HEADER, "")
                if not from_here(request) or not same(token, session.csrf):
                    raise RefusedError("foreign_page")
            return await endpoint(request, session, words)
        except (ProvisionError, InventoryError) as error:
            return refusal(error, words)

    return run


def refusal(error: ProvisionError | InventoryError, words: Words) -> Response:
    if isinstance(error, RefusedError):
        said = words.refusal(error.key, **error.values)
        return answer(said, STATUS.get(error.key, REFUSED))
    if isinstance(error, NetworkServerError):
        return answer(words.refusal("network_server", why=error.problem), 502)
    if isinstance(error, InventoryError):
        found = error.findings[0]
        why, cure = joined(": ", [found.file, found.key, found.problem]), found.cure
    else:
        why, cure = error.problem, error.cure
    return answer(words.refusal("books", why=why, cure=cure), REFUSED)


def answer(data: Any, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(data, enc_hook=plain), status, media_type="application/json"
    )


async def body_of(request: Request, limit: int) -> bytes:
    """The body; more than `limit` bytes are not even read. Raises RefusedError."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        raise RefusedError("too_large")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise RefusedError("too_large")
    return bytes(data)


async def read_json(request: Request, kind: type[T]) -> T:
    """The body as this type. Raises RefusedError."""
    data = await body_of(request, JSON_BYTES_MAX)
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RefusedError("not_readable") from None
