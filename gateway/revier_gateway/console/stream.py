# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The event stream: the whole state first, afterwards what has changed, at most twice a second.

A burst of feed messages (the demo's history, a backlog) becomes one event. A reader that comes
back after an outage gets the whole state again, so nothing needs to be replayed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import contextmanager, suppress
from typing import Any

from .interfaces import ConsoleSettings, View
from .present import State, frame_state, full_state, message_state, nodes_state
from .texts import Words

STREAMS_MAX = 64
GATHER_S = 0.5
SHARED_S = 0.25
IDLE_S = 2.0  # also how soon the page notices a dead connection: it waits for 5 of these
RETRY_MS = 1000
BURST_MAX = 50


class TooManyStreamsError(RuntimeError):
    def __init__(self) -> None:
        super().__init__(f"more than {STREAMS_MAX} pages are open; close one and reload")


class Streams:
    """Counts the open streams and ends them when the gateway stops."""

    def __init__(self, limit: int = STREAMS_MAX) -> None:
        self.limit = limit
        self.count = 0
        self.closing = asyncio.Event()
        self._nodes: dict[str, tuple[float, list[State]]] = {}

    def nodes(self, view: View, words: Words) -> list[State]:
        """All nodes, worked out once for all streams of a language; up to SHARED_S old."""
        now = asyncio.get_running_loop().time()
        made, nodes = self._nodes.get(words.language, (-SHARED_S, []))
        if now - made >= SHARED_S:
            nodes = nodes_state(view, words)
            self._nodes[words.language] = (now, nodes)
        return nodes

    def check(self) -> None:
        if self.count >= self.limit:
            raise TooManyStreamsError

    @contextmanager
    def one_more(self) -> Any:
        self.check()
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


def event(state: State) -> bytes:
    """One server-sent event; JSON has no bare line breaks, so one data line holds it."""
    data = json.dumps(state, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"event: state\ndata: {data}\n\n".encode()


async def events(
    view: View, settings: ConsoleSettings, words: Words, streams: Streams
) -> AsyncIterator[bytes]:
    with streams.one_more():
        queue = view.listen()
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            state = full_state(view, settings, words)
            sent = {node["asset"]: node for node in state["nodes"]}
            yield event(state)
            while not streams.closing.is_set():
                burst = await _gather(queue, streams.closing)
                yield event(
                    _changes(view, settings, words, streams.nodes(view, words), sent, burst)
                )
        finally:
            view.unlisten(queue)


def _changes(
    view: View,
    settings: ConsoleSettings,
    words: Words,
    nodes: list[State],
    sent: dict[str, State],
    burst: list[dict[str, Any]],
) -> State:
    changed = [node for node in nodes if sent.get(node["asset"]) != node]
    sent.update({node["asset"]: node for node in changed})
    names = {node["asset"]: node["name"] for node in nodes}
    messages = [message_state(one, names, words) for one in reversed(burst[-BURST_MAX:])]
    return {
        **frame_state(view, settings, nodes, words),
        "changed": changed,
        "fresh": messages,
    }


async def _gather(queue: asyncio.Queue[dict[str, Any]], closing: asyncio.Event) -> list[Any]:
    """What comes within GATHER_S of the first message, or nothing after IDLE_S."""
    first = asyncio.create_task(queue.get(), name="console-stream-next")
    stop = asyncio.create_task(closing.wait(), name="console-stream-stop")
    try:
        await asyncio.wait({first, stop}, timeout=IDLE_S, return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            return []
        burst = [first.result()]
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), GATHER_S)
        while not queue.empty():
            burst.append(queue.get_nowait())
        return burst
    finally:
        first.cancel()
        stop.cancel()
