# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""/healthz, /readyz and /metrics: for programs that watch the gateway. No login: counts only."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Ready = Callable[[], Mapping[str, bool]]


def routes(gateway_id: str, ready: Ready, registry: CollectorRegistry) -> list[Route]:
    async def healthz(_request: Request) -> Response:
        """It answers, so it lives; what it cannot reach is no reason to restart it."""
        return JSONResponse({"status": "ok", "gateway": gateway_id})

    async def readyz(_request: Request) -> Response:
        states = ready()
        good = all(states.values())
        content = {"status": "ready" if good else "not ready", **states}
        return JSONResponse(content, 200 if good else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


def application(own_routes: list[Route]) -> Starlette:
    """For a port of its own."""
    return Starlette(routes=own_routes)
