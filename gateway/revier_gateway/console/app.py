# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The page as an ASGI application, and a server that ends when it is told to."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import jinja2
import uvicorn
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

SHUTDOWN_S = 2
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


def build(view: View, settings: ConsoleSettings | None = None) -> Starlette:
    """The page. Call `app.state.streams.closing.set()` before the server stops: open event
    streams do not end by themselves (`serve` does this)."""
    pages = _Pages(view, settings or ConsoleSettings())
    routes = [
        Route("/", pages.page),
        Route("/events", pages.events),
        Route("/api/state", pages.state),
        Route("/api/history/{asset}", pages.history),
        Route("/health", pages.health),
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

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "gateway": self.settings.gateway_id})


def _words(request: Request) -> Words:
    accept = request.headers.get("accept-language", "")
    return Words(language_of(request.query_params.get("lang"), accept))


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the gateway has its own."""

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


async def serve(app: Starlette, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve the page on host:port until `stop` is set; then every stream ends at once."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(), name="console-server")
    waiting = asyncio.create_task(stop.wait(), name="console-stop")
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        app.state.streams.closing.set()
        server.should_exit = True
        await running
