# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The demo's terminal: one picture of the running system, drawn from a snapshot.

`render(snapshot)` is pure: same snapshot, same picture. `Screen` keeps it on the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node. `value` is ready to read (`11.8 ug/m3`, `occupied`, `63 %`), None before the first
    reading; `age_s` is counted in world time; `battery_class` 0 (empty) to 15 (full)."""

    name: str
    town: str
    kind: str  # air, parking, waste
    joined: bool = False
    value: str | None = None
    age_s: float | None = None
    dr: int | None = None
    battery_class: int | None = None


@dataclass(frozen=True, slots=True)
class RadioGatewayRow:
    name: str
    frames_heard: int = 0
    online: bool = False


@dataclass(frozen=True, slots=True)
class Counters:
    readings_measured: int = 0
    frames_sent: int = 0
    nodes_joined: int = 0
    events_published: int = 0
    feed_messages: int = 0
    gateway_kills: int = 0


@dataclass(frozen=True, slots=True)
class DashboardSnapshot:
    """All that the dashboard shows. `phase` is `starting`, `history`, `live` or `ending`;
    `progress` counts from 0 to 1 while the history catches up; `messages` are oldest first."""

    world_time: datetime
    phase: str
    progress: float = 0.0
    seed: str = ""
    speed: float | None = None  # world seconds for one second of wall time
    page_url: str | None = None
    nodes: Sequence[NodeRow] = ()
    radio_gateways: Sequence[RadioGatewayRow] = ()
    counters: Counters = field(default_factory=Counters)
    messages: Sequence[str] = ()
    trouble: str | None = None  # one line that the person must see


# -- drawing ---------------------------------------------------------------------------------------

MISSING = "–"
KIND_STYLE = {"air": ("●", "blue"), "parking": ("■", "dark_orange3"), "waste": ("▼", "green4")}
PHASES = {
    "starting": "starting",
    "history": "catching up",
    "live": "live",
    "ending": "ending",
}
NARROW = 100  # columns: below, the node table leaves out town and kind (its sign stays)
LOW = 32  # lines: below, the node table has no rules
BATTERY_CLASSES = 15
LATE_S = 2 * 3600


def age_text(age_s: float | None) -> str:
    """Short enough for a column of five: `42 s`, `7 m`, `3 h`."""
    if age_s is None:
        return MISSING
    seconds = max(int(age_s), 0)
    for limit, divisor, unit in ((100, 1, "s"), (6000, 60, "m"), (360_000, 3600, "h")):
        if seconds < limit:
            return f"{seconds // divisor} {unit}"
    return f"{seconds // 86_400} d"


def battery_text(battery_class: int | None) -> str:
    """A bar of five for 0 (empty) to 15 (full)."""
    if battery_class is None:
        return MISSING
    share = min(max(battery_class, 0), BATTERY_CLASSES) / BATTERY_CLASSES
    full = round(share * 5)
    return "▰" * full + "▱" * (5 - full)


class _Picture:
    """Knows the terminal's size only when it is drawn, so that one picture fits every terminal."""

    def __init__(self, snapshot: DashboardSnapshot) -> None:
        self.snapshot = snapshot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        height = options.height or console.height
        parts = [
            _head(self.snapshot, width),
            _nodes(self.snapshot.nodes, width, height),
            _radio_line(self.snapshot.radio_gateways, width),
            _counter_line(self.snapshot.counters, len(self.snapshot.nodes), width),
        ]
        if self.snapshot.trouble:
            parts.insert(
                1, _one_line(Text(f" {self.snapshot.trouble} ", style="bold white on red"))
            )
        lines = [line for part in parts for line in console.render_lines(part, options)]
        room = max(height - len(lines) - 2, 0)  # two lines: the heading, the address
        last = list(self.snapshot.messages)[-room:] if room else []
        if room:
            lines += console.render_lines(_messages(last, room, width), options)
        lines += console.render_lines(_foot(self.snapshot), options)
        for line in lines[:height]:
            yield from line
            yield Segment.line()


def render(snapshot: DashboardSnapshot) -> RenderableType:
    """The picture for this snapshot; it takes the size of the terminal it is drawn on."""
    return _Picture(snapshot)


def _one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _head(snapshot: DashboardSnapshot, width: int) -> RenderableType:
    clock = snapshot.world_time.strftime("%Y-%m-%d %H:%M:%S UTC")
    phase = PHASES.get(snapshot.phase, snapshot.phase)
    style = "bold green" if snapshot.phase == "live" else "bold yellow"
    line = Text.assemble(("Revier", "bold cyan"), "  ", clock, "  ", (phase, style))
    if snapshot.phase == "history":
        share = min(max(snapshot.progress, 0.0), 1.0)
        size = max(min(width - line.cell_len - 22, 24), 4)
        full = round(share * size)
        bar = Text("━" * full, style="yellow") + Text("━" * (size - full), style="grey37")
        line = line + Text("  ") + bar + Text(f" {share:4.0%}")
    if snapshot.speed is not None and snapshot.phase in ("history", "live"):
        line.append(f"  ×{snapshot.speed:,.0f}", style="dim")
    if snapshot.seed and width >= NARROW:
        line.append(f"  seed {snapshot.seed}", style="dim")
    return _one_line(line)


def _nodes(nodes: Sequence[NodeRow], width: int, height: int) -> RenderableType:
    wide, box = width >= NARROW, SIMPLE_HEAD if height >= LOW else None
    table = Table(box=box, expand=True, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("node", ratio=3, no_wrap=True, overflow="ellipsis")
    if wide:
        table.add_column("town", ratio=2, no_wrap=True, overflow="ellipsis")
        table.add_column("kind", width=7, no_wrap=True)
    table.add_column("latest", ratio=2, min_width=16, no_wrap=True, overflow="ellipsis")
    table.add_column("age", width=5, justify="right", no_wrap=True)
    table.add_column("dr", width=2, justify="right")
    table.add_column("batt", width=5, no_wrap=True)
    table.add_column("joined", width=6, no_wrap=True)
    for node in nodes:
        table.add_row(*_node_cells(node, wide))
    if not nodes:
        table.add_row(Text("no node yet", style="dim"))
    return table


def _node_cells(node: NodeRow, wide: bool) -> list[RenderableType]:
    sign, colour = KIND_STYLE.get(node.kind, ("◆", "magenta"))
    name = Text.assemble((sign, colour), " ", node.name)
    value = Text(node.value or MISSING, style="bold" if node.value else "dim")
    old = node.age_s is not None and node.age_s > LATE_S
    age = Text(age_text(node.age_s), style="yellow" if old else "")
    joined = Text("yes", style="green") if node.joined else Text("no", style="yellow")
    rate = Text(MISSING if node.dr is None else str(node.dr))
    battery = Text(battery_text(node.battery_class))
    where: list[RenderableType] = [Text(node.town), Text(node.kind)] if wide else []
    return [name, *where, value, age, rate, battery, joined]


def _radio_line(radio_gateways: Sequence[RadioGatewayRow], width: int) -> RenderableType:
    line = Text().append("radio gateways  " if width >= NARROW else "", style="dim")
    for index, one in enumerate(radio_gateways):
        sign, style = ("▲", "green") if one.online else ("△", "red")
        line.append("   " if index else "")
        line.append(sign, style=style).append(f" {one.name.split(',')[0]} ")
        line.append(f"{one.frames_heard:,}", style="bold")
    if not radio_gateways:
        line.append("no radio gateway yet", style="dim")
    return _one_line(line)


def _counter_line(counters: Counters, nodes: int, width: int) -> RenderableType:
    joined_all = nodes > 0 and counters.nodes_joined == nodes
    figures = [
        ("readings", f"{counters.readings_measured:,}", ""),
        ("frames", f"{counters.frames_sent:,}", ""),
        ("joined", f"{counters.nodes_joined}/{nodes}", "green" if joined_all else "yellow"),
        ("events", f"{counters.events_published:,}", ""),
        ("feed", f"{counters.feed_messages:,}", ""),
    ]
    if counters.gateway_kills:
        figures.append(("kills", f"{counters.gateway_kills:,}", "red"))
    line, gap = Text(), "   " if width >= NARROW else "  "
    for index, (label, value, colour) in enumerate(figures):
        line.append(gap if index else "").append(f"{label} ", style="dim")
        line.append(value, style=f"bold {colour}".strip())
    return _one_line(line)


def _messages(messages: Sequence[str], room: int, width: int) -> RenderableType:
    heading = Rule(Text("feed", style="dim"), style="grey37", align="left")
    lines = [_one_line(Text(message[:width])) for message in messages]
    blank = [Text("")] * (room - len(lines))
    return Group(heading, *lines, *blank)


def _foot(snapshot: DashboardSnapshot) -> RenderableType:
    line = Text().append("page ", style="dim")
    if snapshot.page_url:
        line.append(snapshot.page_url, style=f"bold cyan underline link {snapshot.page_url}")
    else:
        line.append("not yet up")
    return _one_line(line.append("   Ctrl-C ends the demo", style="dim"))


class Screen:
    """The dashboard on the terminal: `with Screen() as screen: screen.show(snapshot)`.

    On a pipe nothing is drawn; the headless mode prints `result_table` at the end.
    """

    REFRESH_HZ = 4

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._live: Live | None = None

    def __enter__(self) -> Screen:
        if self.console.is_terminal:
            self._live = Live(
                console=self.console,
                screen=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, snapshot: DashboardSnapshot) -> None:
        if self._live is not None:
            self._live.update(render(snapshot), refresh=True)


# -- the end ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to. `missing` and `duplicated` come from an independent subscriber: readings
    that a radio gateway heard and that are not on the feed, or there twice in effect."""

    readings_measured: int
    frames_sent: int
    nodes: int
    nodes_joined: int
    events_published: int
    feed_messages: int
    missing: int
    duplicated: int
    gateway_kills: int = 0
    seed: str = ""

    @property
    def holds(self) -> bool:
        return (
            self.nodes_joined == self.nodes
            and self.missing == 0
            and self.duplicated == 0
            and self.feed_messages > 0
        )


def result_table(result: Result) -> Table:
    """The table at the end of a headless run."""
    seed = f", seed {result.seed}" if result.seed else ""
    table = Table(box=SIMPLE_HEAD, title=f"Revier demo{seed}", title_justify="left")
    table.add_column("what")
    table.add_column("count", justify="right")
    rows: list[tuple[str, str, bool]] = [
        ("readings measured", f"{result.readings_measured:,}", True),
        ("frames sent", f"{result.frames_sent:,}", True),
        (
            "nodes joined",
            f"{result.nodes_joined} of {result.nodes}",
            result.nodes_joined == result.nodes,
        ),
        ("events published", f"{result.events_published:,}", True),
        ("feed messages", f"{result.feed_messages:,}", result.feed_messages > 0),
        ("missing", f"{result.missing:,}", result.missing == 0),
        ("duplicated in effect", f"{result.duplicated:,}", result.duplicated == 0),
    ]
    if result.gateway_kills:
        rows.append(("gateway kills", f"{result.gateway_kills:,}", True))
    for label, value, is_good in rows:
        table.add_row(label, Text(value, style="bold" if is_good else "bold red"))
    return table
