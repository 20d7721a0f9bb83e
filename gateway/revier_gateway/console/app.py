# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The page as an ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from .interfaces import ConsoleSettings, View
from .present import STATIC, full_state, history_state
from .security import SecurityHeaders
from .stream import Streams, TooManyStreamsError, events
from .texts import LANGUAGES, Words, language_of

# Words that the ES module writes itself.
SCRIPT_WORDS = [
    *("live", "connecting", "interrupted", "lost", "never", "now", "late", "all_air"),
    *("no_history", "radio_gateway", "frames", "map_note", "vacant", "occupied"),
]


class _Static(StaticFiles):
    """Files of the package: the browser asks every time, and gets 304 while they are the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


def leaflet_dir() -> Path:
    """Leaflet as the wheel xstatic-leaflet carries it."""
    return Path(str(import_module("xstatic.pkg.leaflet").BASE_DIR))


def build(
    view: View, settings: ConsoleSettings | None = None, more: Sequence[Route] = ()
) -> Starlette:
    """The page, and more routes beside it. Set `app.state.streams.closing` before the server
    stops: open event streams do not end by themselves (server.py does this)."""
    pages = _Pages(view, settings or ConsoleSettings())
    routes = [
        Route("/", pages.page),
        Route("/events", pages.events),
        Route("/api/state", pages.state),
        Route("/api/history/{asset}", pages.history),
        *more,
        Mount("/static/leaflet", _Static(directory=leaflet_dir())),
        Mount("/static", _Static(directory=STATIC)),
    ]
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(pages.settings.allowed_hosts)),
    ]
    app = Starlette(routes=routes, middleware=middleware)
    app.state.streams = pages.streams
    return app


class _Pages:
    def __init__(self, view: View, settings: ConsoleSettings) -> None:
        self.view = view
        self.settings = settings
        self.streams = Streams()
        loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
        self.templates = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
        )

    async def page(self, request: Request) -> Response:
        words = _words(request)
        state = full_state(self.view, self.settings, words)
        text = self.templates.get_template("page.html").render(
            words=words,
            state=state,
            languages=LANGUAGES,
            script_words={key: words[key] for key in SCRIPT_WORDS},
        )
        headers = {"content-language": words.language, "vary": "accept-language"}
        return HTMLResponse(text, headers=headers)

    async def state(self, request: Request) -> Response:
        return JSONResponse(full_state(self.view, self.settings, _words(request)))

    async def history(self, request: Request) -> Response:
        asset = request.path_params["asset"]
        if all(one.asset != asset for one in self.view.assets()):
            return JSONResponse({"error": "unknown asset"}, status_code=404)
        key = request.query_params.get("key", "")
        return JSONResponse(history_state(self.view, asset, key, _words(request)))

    async def events(self, request: Request) -> Response:
        try:
            self.streams.check()
        except TooManyStreamsError as error:
            return PlainTextResponse(str(error), status_code=503, headers={"retry-after": "10"})
        stream = events(self.view, self.settings, _words(request), self.streams)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _words(request: Request) -> Words:
    accept = request.headers.get("accept-language", "")
    return Words(language_of(request.query_params.get("lang"), accept))
