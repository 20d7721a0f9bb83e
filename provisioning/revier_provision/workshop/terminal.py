# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the technician sees: one board as a card with its steps, many boards as one line each.

Where nobody looks at a screen (a pipe, a log) each ended step is one line.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from revier_inventory.message import NOTHING, Message, _
from revier_provision.translation import SOURCE, Language, say
from revier_provision.workshop.step_events import NodeStep, StepEvent

REFRESH_PER_S = 8
COUNT = len(NodeStep)
SIGNS = {"begun": "▶", "progress": "▶", "done": "✔", "skipped": "–", "failed": "✘"}
STYLES = {
    "begun": "bold cyan",
    "progress": "bold cyan",
    "done": "green",
    "skipped": "dim",
    "failed": "bold red",
}
BAR_CHARS = 16
ASSET_CHARS_MAX = 24
PORT_CHARS_MAX = 16
READBACK_CHARS_MAX = 300


@dataclass(slots=True)
class BoardView:
    """One board as its events tell it."""

    port: str
    clock: Callable[[], float] = time.monotonic
    began_s: float = 0.0
    ended_s: float | None = None
    begun_at_s: dict[NodeStep, float] = field(default_factory=dict)
    last: dict[NodeStep, StepEvent] = field(default_factory=dict)
    name: str = ""  # of its asset, once it is known
    result: Message = NOTHING  # how it ended, in words; empty: it runs
    ok: bool = False
    cure: Message = NOTHING

    def __post_init__(self) -> None:
        self.began_s = self.clock()

    def hear(self, event: StepEvent) -> None:
        if event.state == "begun":
            self.begun_at_s[event.step] = self.clock()
        self.last[event.step] = event

    def end(self, result: Message, *, ok: bool, cure: Message = NOTHING) -> None:
        self.result, self.ok, self.cure = result, ok, cure
        self.ended_s = self.clock()

    @property
    def seconds(self) -> float:
        return (self.ended_s if self.ended_s is not None else self.clock()) - self.began_s

    @property
    def current(self) -> StepEvent | None:
        return next(reversed(self.last.values()), None) if self.last else None

    def step_seconds(self, event: StepEvent) -> float:
        running = event.state in ("begun", "progress")
        begun_s = self.begun_at_s.get(event.step)
        return self.clock() - begun_s if running and begun_s is not None else event.seconds


class Card:
    """A single board: a big state, and a line for each step."""

    def __init__(self, console: Console, port: str, language: Language = SOURCE) -> None:
        self.view = BoardView(port)
        self._language = language
        self._console = console
        self._live: Live | None = None
        self._lock = threading.Lock()

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        self._live = self._moving()
        try:
            yield
        finally:
            self._live.refresh()
            self._live.stop()
            self._live = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While a question is asked: the card is gone, and comes again below it."""
        if self._live is None:
            yield
            return
        self._live.transient = True
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._moving()

    def _moving(self) -> Live:
        live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=REFRESH_PER_S
        )
        live.start()
        return live

    def hear(self, event: StepEvent) -> None:
        with self._lock:
            self.view.hear(event)
        if self._live is None and event.state in ("done", "failed"):
            step, read = (say(text, self._language) for text in (event.step.words, event.readback))
            text = (
                f"{SIGNS[event.state]} {step}: {read} ({_seconds(event.seconds, self._language)})"
            )
            self._console.print(text, markup=False)

    def _draw(self) -> RenderableType:
        with self._lock:
            return card(self.view, self._language)


class Board:
    """Many boards, one line each."""

    def __init__(self, console: Console, ports: list[str], language: Language = SOURCE) -> None:
        self.views = {port: BoardView(port) for port in ports}
        self._language = language
        self._console = console
        self._lock = threading.Lock()
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=REFRESH_PER_S
        )
        with live:
            self._live = live
            yield
            live.refresh()
        self._live = None

    def hear(self, port: str, event: StepEvent) -> None:
        with self._lock:
            self.views[port].hear(event)
        if self._live is None and event.state == "failed":
            step, read = (say(text, self._language) for text in (event.step.words, event.readback))
            self._console.print(f"{port}: ✘ {step}: {read}", markup=False)

    def end(self, port: str, result: Message, *, ok: bool, cure: Message = NOTHING) -> None:
        with self._lock:
            self.views[port].end(result, ok=ok, cure=cure)
        if self._live is None:
            self._console.print(
                f"{port}: {'✔' if ok else '✘'} {say(result, self._language)}", markup=False
            )

    def _draw(self) -> RenderableType:
        with self._lock:
            return rows(list(self.views.values()), self._language)


def card(view: BoardView, language: Language = SOURCE) -> RenderableType:
    """Pure: what the card shows of this view."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    for step in NodeStep:
        event = view.last.get(step)
        if event is None:
            table.add_row("", Text(say(step.words, language), style="dim"), "", "")
            continue
        style = STYLES[event.state]
        table.add_row(
            Text(SIGNS[event.state], style=style),
            Text(say(step.words, language), style=style),
            Text(_seconds(view.step_seconds(event), language), style="dim"),
            Text(_detail(event, language), style="red" if event.state == "failed" else ""),
        )
    word, style = _state(view)
    head = Text(f" {say(word, language)} ", style=f"bold reverse {style}")
    parts: list[RenderableType] = [head, Text(), table]
    if view.cure:
        parts += [Text(), Text(say(_("Next: {cure}.", cure=view.cure), language), style="bold")]
    title = f"{view.port}  {view.name}".rstrip()
    return Panel(Group(*parts), title=title, title_align="left", border_style=style, expand=True)


def rows(views: list[BoardView], language: Language = SOURCE) -> RenderableType:
    """Pure: one line a board, and how many are through."""
    table = Table(box=None, pad_edge=False, expand=True)
    states = [f" {say(_state(view)[0], language)} " for view in views]
    table.add_column("", no_wrap=True, min_width=max(map(len, states), default=0))
    ports = [_short_port(view.port) for view in views]
    table.add_column(
        say(_("port"), language), no_wrap=True, min_width=max(map(len, ports), default=0)
    )
    assets = max((len(view.name) for view in views), default=0)
    table.add_column(
        say(_("asset"), language), no_wrap=True, min_width=min(assets, ASSET_CHARS_MAX)
    )
    table.add_column(say(_("step"), language), no_wrap=True, min_width=20)
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column("", ratio=1, no_wrap=True, overflow="ellipsis")
    for view, state, port in zip(views, states, ports, strict=True):
        _word, style = _state(view)
        event = view.current
        done = sum(e.state in ("done", "skipped") for e in view.last.values())
        step = (
            ""
            if event is None
            else f"{min(done + 1, COUNT)}/{COUNT} {say(event.step.words, language)}"
        )
        text = say(view.result, language) or ("" if event is None else _detail(event, language))
        table.add_row(
            Text(state, style=f"bold reverse {style}"),
            port,
            view.name,
            Text("" if view.ok else step),
            Text(f"{view.seconds:.0f}", style="dim"),
            Text(text, style="red" if view.result and not view.ok else ""),
        )
    through = sum(view.ok for view in views)
    stopped = sum(bool(view.result) and not view.ok for view in views)
    stand = _("{through} of {count} nodes stand", through=through, count=len(views))
    foot = Text(say(stand, language), style="bold")
    if stopped:
        foot.append(say(_(", {stopped} stopped", stopped=stopped), language), style="bold red")
    return Group(table, Text(), foot)


def _short_port(port: str) -> str:
    """What tells ports apart stands at their end."""
    return port if len(port) <= PORT_CHARS_MAX else "…" + port[1 - PORT_CHARS_MAX :]


def _seconds(seconds: float, language: Language) -> str:
    return say(_("{seconds:.1f} s", seconds=seconds), language)


def _state(view: BoardView) -> tuple[Message, str]:
    if view.ok:
        return _("READY"), "green"
    if view.result:
        return _("STOPPED"), "red"
    return _("WORKING"), "cyan"


def _detail(event: StepEvent, language: Language) -> str:
    text = say(event.readback, language)[:READBACK_CHARS_MAX]
    if event.fraction is None:
        return text
    full = round(max(0.0, min(1.0, event.fraction)) * BAR_CHARS)
    bar = "█" * full + "░" * (BAR_CHARS - full)
    return f"{bar} {event.fraction:4.0%} {text}"
