# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The station as an ASGI application."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import jinja2
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from revier_provision.errors import OrderError
from revier_provision.station import install_api, workshop_api
from revier_provision.station.desk import Desk
from revier_provision.station.guard import (
    COOKIE,
    LANGUAGE_COOKIE,
    TECHNICIAN,
    answer,
    body_of,
    from_here,
    guarded,
    session_of,
    words_of,
)
from revier_provision.station.headers import SecurityHeaders
from revier_provision.station.sessions import SESSION_S, Session
from revier_provision.station.texts import Words
from revier_provision.station.users import Role
from revier_provision.translation import LANGUAGES

HERE = Path(__file__).parent
FORM_BYTES_MAX = 2048
YEAR_S = 365 * 86400
HASHING_MAX = 2  # at a time: Argon2 takes 64 MiB


class _Static(StaticFiles):
    """Files of the package: the browser asks every time, and gets 304 while they are the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


def build(desk: Desk, hosts: Sequence[str]) -> Starlette:
    """`hosts`: the names and addresses under which the station is asked; others are refused."""
    pages = _Pages(desk)
    found: list[BaseRoute] = [
        Route("/", pages.home),
        Route("/login", pages.login, methods=["GET", "POST"]),
        Route("/logout", guarded(desk, pages.logout), methods=["POST"]),
        Route("/install", guarded(desk, pages.install, page=True)),
        Route("/sw.js", pages.service_worker),
        Route("/manifest.webmanifest", pages.manifest),
        Route("/authority.pem", pages.authority),
        *install_api.routes(desk),
        Mount("/static", _Static(directory=HERE / "static")),
    ]
    if desk.maker is not None:
        page = guarded(desk, pages.workshop, TECHNICIAN, page=True)
        found[3:3] = [Route("/workshop", page), *workshop_api.routes(desk, desk.maker)]
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
    ]
    return Starlette(routes=found, middleware=middleware)


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._hashing = CapacityLimiter(HASHING_MAX)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
        )

    async def home(self, request: Request) -> Response:
        session = session_of(self.desk, request)
        return RedirectResponse(self._first(session.role if session else None), 303)

    def _first(self, role: Role | None) -> str:
        if role is None:
            return "/login"
        return "/workshop" if role == "technician" and self.desk.maker else "/install"

    async def login(self, request: Request) -> Response:
        words = words_of(request)
        if request.method == "GET":
            return self._page(request, "login.html", words, problem="", user="")
        if not from_here(request):
            return answer(words.refusal("foreign_page"), 403)
        try:
            form = urllib.parse.parse_qs((await body_of(request, FORM_BYTES_MAX)).decode())
        except (OrderError, UnicodeDecodeError):
            return answer(words.refusal("not_readable"), 400)
        user, password = (form.get(name, [""])[0] for name in ("user", "password"))
        return await self._try(request, words, user.strip().lower()[:64], password)

    async def _try(self, request: Request, words: Words, user: str, password: str) -> Response:
        desk, address = self.desk, request.client.host if request.client else ""
        who = (f"user {user}", f"address {address}")
        wait_s = desk.tries.wait_s(who, desk.clock_s())
        if wait_s > 0:
            problem = words.say("login_wait", minutes=max(1, round(wait_s / 60)))
            page = self._page(request, "login.html", words, problem=problem, user=user)
            page.status_code, page.headers["retry-after"] = 429, str(round(wait_s) + 1)
            return page
        desk.tries.failed(who, desk.clock_s())  # before the slow part: parallel tries count
        role = await to_thread.run_sync(desk.users.login, user, password, limiter=self._hashing)
        if role is None:
            page = self._page(request, "login.html", words, problem=words["login_wrong"], user=user)
            page.status_code = 401
            return page
        desk.tries.succeeded(who)
        token, _ = desk.sessions.begin(user, role, desk.clock_s())
        response = RedirectResponse(self._first(role), 303)
        response.set_cookie(
            COOKIE, token, max_age=int(SESSION_S), secure=True, httponly=True, samesite="strict"
        )
        return response

    async def logout(self, request: Request, _session: Session, _words: Words) -> Response:
        self.desk.sessions.end(request.cookies.get(COOKIE))
        response = answer({})
        response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
        return response

    async def install(self, request: Request, _session: Session, words: Words) -> Response:
        return self._page(request, "install.html", words, workshop=self.desk.maker is not None)

    async def workshop(self, request: Request, _session: Session, words: Words) -> Response:
        return self._page(request, "workshop.html", words)

    async def service_worker(self, _request: Request) -> Response:
        """At the root, because it may serve only what is below it."""
        headers = {"cache-control": "no-cache"}
        path = HERE / "static" / "service_worker.js"
        return FileResponse(path, media_type="text/javascript", headers=headers)

    async def manifest(self, request: Request) -> Response:
        words = words_of(request)
        return answer(
            {
                "name": f"Revier · {words['install_title']}",
                "short_name": "Revier",
                "start_url": "/install",
                "display": "standalone",
                "background_color": "#ffffff",
                "theme_color": "#0b4f6c",
                "icons": [{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"}],
            }
        )

    async def authority(self, _request: Request) -> Response:
        """The certificate that phones must trust; it is public."""
        if self.desk.authority_pem is None:
            return answer({}, 404)
        return Response(self.desk.authority_pem, media_type="application/x-x509-ca-cert")

    def _page(self, request: Request, name: str, words: Words, **more: object) -> Response:
        text = self._templates.get_template(name).render(
            words=words, languages=LANGUAGES, page_words=words.all(), **more
        )
        response = HTMLResponse(text, headers={"content-language": words.language})
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE,
                words.language,
                max_age=YEAR_S,
                secure=True,
                httponly=True,
                samesite="strict",
            )
        return response
