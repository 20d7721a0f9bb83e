# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The workshop's page: one card a board, and what happens on each, live (server-sent events)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from revier_inventory import InventoryError
from revier_inventory.message import joined
from revier_provision.errors import ProvisionError
from revier_provision.station.desk import Desk, Maker
from revier_provision.station.guard import TECHNICIAN, answer, guarded, read_json
from revier_provision.station.refused import RefusedError
from revier_provision.station.sessions import Session
from revier_provision.station.texts import Words
from revier_provision.translation import Language, say
from revier_provision.workshop.step_events import NodeStep

BOARDS_MAX = 32
STREAMS_MAX = 16
LOOK_S = 0.5
PORTS_EVERY_S = 2.0
READBACK_CHARS_MAX = 300

State = Literal["ready", "working", "made", "failed", "gone"]


class Make(msgspec.Struct, forbid_unknown_fields=True):
    """`asset` empty: the station chooses."""

    port: str
    asset: str = ""
    replace: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    step: str
    state: str
    readback: str
    seconds: float
    fraction: float | None
    cure: str

    def spoken(self, language: Language) -> Step:
        """For whoever looks at it."""
        return msgspec.structs.replace(
            self,
            step=say(NodeStep(self.step).words, language),
            readback=say(self.readback, language)[:READBACK_CHARS_MAX],
            cure=say(self.cure, language),
        )


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One board. `said`: the node in words, or what went wrong; `cure`: what to do then."""

    port: str
    what: str
    state: State
    steps: tuple[Step, ...] = ()
    said: str = ""
    cure: str = ""

    def spoken(self, language: Language) -> Card:
        return msgspec.structs.replace(
            self,
            steps=tuple(step.spoken(language) for step in self.steps),
            said=say(self.said, language),
            cure=say(self.cure, language),
        )


class Cards:
    """All boards; changed by threads, watched by pages."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._lock = threading.Lock()
        self._cards: dict[str, Card] = {}
        self.version = 0
        self.streams = 0

    def look(self) -> None:
        """Which boards are plugged in now."""
        ports = dict(list(self._maker.ports().items())[:BOARDS_MAX])
        with self._lock:
            before = dict(self._cards)
            for port, what in ports.items():
                card = self._cards.get(port)
                if card is None or card.state == "gone":
                    self._cards[port] = Card(port=port, what=what, state="ready")
            for port, card in list(self._cards.items()):
                if port not in ports and card.state == "ready":
                    del self._cards[port]
                elif port not in ports and card.state in ("made", "failed"):
                    self._cards[port] = msgspec.structs.replace(card, state="gone")
            self.version += before != self._cards

    def all(self) -> list[Card]:
        with self._lock:
            return [self._cards[port] for port in sorted(self._cards)]

    def start(self, wanted: Make, by: str) -> None:
        """Raises RefusedError. The work goes on in a thread of its own, whoever looks."""
        with self._lock:
            card = self._cards.get(wanted.port)
            if card is None or card.state == "gone":
                raise RefusedError("no_port", port=wanted.port[:60])
            if card.state == "working":
                raise RefusedError("busy_port", port=wanted.port)
            self._cards[wanted.port] = Card(port=card.port, what=card.what, state="working")
            self.version += 1
        threading.Thread(
            target=self._make, args=(wanted, by), name=f"make-{wanted.port}", daemon=True
        ).start()

    def _make(self, wanted: Make, by: str) -> None:
        port = wanted.port
        try:
            said = self._maker.make(
                port,
                wanted.asset or None,
                replace=wanted.replace,
                by=by,
                tell=lambda event: self._tell(port, event),
            )
            self._change(port, state="made", said=said)
        except ProvisionError as error:
            self._change(port, state="failed", said=error.problem, cure=error.cure)
        except InventoryError as error:
            found = error.findings[0]
            said = joined(": ", [found.file, found.key, found.problem])
            self._change(port, state="failed", said=said, cure=found.cure)
        except BaseException as error:
            self._change(port, state="failed", said=type(error).__name__)
            raise

    def _tell(self, port: str, event: Any) -> None:
        step = Step(
            step=str(event.step),
            state=event.state,
            readback=event.readback,
            seconds=round(event.seconds, 1),
            fraction=event.fraction,
            cure=event.cure,
        )
        with self._lock:
            steps = self._cards[port].steps
            if steps and steps[-1].step == step.step:
                steps = steps[:-1]
            self._cards[port] = msgspec.structs.replace(self._cards[port], steps=(*steps, step))
            self.version += 1

    def _change(self, port: str, **values: Any) -> None:
        with self._lock:
            self._cards[port] = msgspec.structs.replace(self._cards[port], **values)
            self.version += 1


def routes(desk: Desk, maker: Maker) -> list[BaseRoute]:
    api = _Api(Cards(maker))
    return [
        Route("/api/workshop/events", guarded(desk, api.events, TECHNICIAN)),
        Route("/api/workshop/make", guarded(desk, api.make, TECHNICIAN), methods=["POST"]),
    ]


class _Api:
    def __init__(self, cards: Cards) -> None:
        self.cards = cards

    async def make(self, request: Request, session: Session, _words: Words) -> Response:
        wanted = await read_json(request, Make)
        self.cards.start(wanted, session.user)
        return answer({}, 202)

    async def events(self, _request: Request, _session: Session, words: Words) -> Response:
        if self.cards.streams >= STREAMS_MAX:
            return answer({}, 503)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            self._stream(words.language), media_type="text/event-stream", headers=headers
        )

    async def _stream(self, language: Language) -> AsyncIterator[bytes]:
        """Every card when one has changed; a line now and then, so that a dead page is noticed."""
        self.cards.streams += 1
        try:
            sent = looked = 0.0
            told = -1
            loop = asyncio.get_running_loop()
            while True:
                if loop.time() - looked >= PORTS_EVERY_S:
                    await run_in_threadpool(self.cards.look)
                    looked = loop.time()
                if self.cards.version != told or loop.time() - sent >= 5 * PORTS_EVERY_S:
                    told, sent = self.cards.version, loop.time()
                    cards = [card.spoken(language) for card in self.cards.all()]
                    yield b"data: " + msgspec.json.encode(cards) + b"\n\n"
                await asyncio.sleep(LOOK_S)
        finally:
            self.cards.streams -= 1
