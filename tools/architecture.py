# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Draw docs/architecture.svg: the rooms, who really imports whom, and one reading's way.

The arrows between rooms are read from the code (grimp, the engine of import-linter); a test compares
the committed picture with what this prints, so it cannot go stale.
Usage: python tools/architecture.py > docs/architecture.svg
"""

import sys
from html import escape

import grimp

ROOMS: dict[str, tuple[int, int, str, str]] = {
    # room: x, y, what it knows, where it runs
    "revier_payload": (40, 300, "reading <-> bits", "chip and host"),
    "revier_mac": (290, 300, "LoRaWAN 1.0.4 class A", "chip"),
    "revier_inventory": (540, 300, "owners, assets, periods", "host"),
    "revier_node": (165, 170, "sensors, radio, wake cycle", "chip"),
    "revier_gateway": (415, 170, "events to feed, nothing lost", "host"),
    "revier_provision": (665, 170, "a board becomes a node", "host"),
    "revier_bench": (
        40,
        40,
        "virtual boards and chips, air, radio gateways, stand-in network server, worlds",
        "developer's machine",
    ),
}
WIDTH, WIDE, HEIGHT = 210, 835, 66
DROPS = {
    "revier_payload": 100,
    "revier_mac": 395,
    "revier_inventory": 645,
}  # x of the bench's arrows
WAY = ["sensor", "node", "air", "radio gateway", "ChirpStack", "MQTT", "gateway", "outbox", "feed"]
STYLE = """
text{font:13px system-ui,sans-serif;fill:#1d2b36}.name{font-weight:600}.small{font-size:11px;fill:#52646f}
.room{fill:#fff;stroke:#2f6f8f;stroke-width:1.5}.import{stroke:#8aa2b0;stroke-width:1.3;fill:none}
.way{fill:#e7f1ec;stroke:#3b7d5c}.flow{stroke:#3b7d5c;stroke-width:1.6;fill:none}
"""


def real_imports() -> list[tuple[str, str]]:
    """Pairs (importer, imported) of rooms, read from the code."""
    graph = grimp.build_graph(*ROOMS)
    return [
        (one, other)
        for one in ROOMS
        for other in ROOMS
        if one != other
        and graph.find_shortest_chain(one, other, as_packages=True)
        and graph.direct_import_exists(importer=one, imported=other, as_packages=True)
    ]


def middle(name: str) -> int:
    """x of the middle of a room."""
    return ROOMS[name][0] + width(name) // 2


def width(name: str) -> int:
    """The bench spans all the others."""
    return WIDE if name == "revier_bench" else WIDTH


def arrow(one: str, other: str) -> str:
    """A line from one room down to another; from the bench straight down, between the rooms."""
    y1, y2 = ROOMS[one][1] + HEIGHT, ROOMS[other][1] - 3
    x2 = DROPS.get(other, middle(other)) if one == "revier_bench" else middle(other)
    x1 = x2 if one == "revier_bench" else middle(one)
    return f'<path class="import" marker-end="url(#a)" d="M{x1} {y1}C{x1} {y1 + 40} {x2} {y2 - 40} {x2} {y2}"/>'


def box(name: str) -> str:
    """One room: its name, what it knows, where it runs."""
    x, y, knows, runs = ROOMS[name]
    return (
        f'<rect class="room" x="{x}" y="{y}" width="{width(name)}" height="{HEIGHT}" rx="6"/>'
        f'<text class="name" x="{x + 10}" y="{y + 20}">{name}</text>'
        f'<text class="small" x="{x + 10}" y="{y + 38}">{escape(knows)}</text>'
        f'<text class="small" x="{x + 10}" y="{y + 55}">{escape(runs)}</text>'
    )


def way(y: int) -> list[str]:
    """The strip at the foot: one reading's way from the chip to the data platform."""
    parts = [f'<text class="small" x="40" y="{y - 10}">one reading\'s way</text>']
    step, wide = 95, 84
    for i, station in enumerate(WAY):
        x = 40 + i * step
        parts.append(f'<rect class="way" x="{x}" y="{y}" width="{wide}" height="30" rx="4"/>')
        parts.append(
            f'<text x="{x + wide // 2}" y="{y + 19}" text-anchor="middle" style="font-size:11px">{station}</text>'
        )
        if i:
            parts.append(
                f'<path class="flow" marker-end="url(#f)" d="M{x - step + wide} {y + 15}H{x - 3}"/>'
            )
    return parts


def draw() -> str:
    """The whole picture as SVG text."""
    marker = '<marker id="{}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{}"/></marker>'
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 470" role="img" aria-label="Rooms of Revier and who imports whom">',
        "<!-- SPDX-FileCopyrightText: 2026 The Revier authors; SPDX-License-Identifier: EUPL-1.2 -->",
        f"<style>{STYLE}</style>",
        "<defs>" + marker.format("a", "#8aa2b0") + marker.format("f", "#3b7d5c") + "</defs>",
        '<rect width="920" height="470" fill="#f7f9fa"/>',
        *(arrow(one, other) for one, other in real_imports()),
        *(box(name) for name in ROOMS),
        *way(425),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(draw())
