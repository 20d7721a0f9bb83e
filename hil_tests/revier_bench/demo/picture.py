# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From the running parts to one snapshot for the terminal."""

from datetime import datetime
from typing import Any

from revier_bench.demo.dashboard import Counters, DashboardSnapshot, NodeRow, RadioGatewayRow
from revier_bench.demo.observers import Observer, value_text
from revier_bench.demo.stack import Stack
from revier_bench.world.fleet import Fleet
from revier_bench.world.simulation import NodeStatus, Status

MESSAGES_SHOWN = 12
BATTERY_FULL_V, BATTERY_EMPTY_V, BATTERY_STEPS = 3.6, 2.6, 15


def headline(kind: str, measured: dict[str, Any]) -> str | None:
    """The one value by which people know a node of this kind."""
    if kind == "air" and "pm25" in measured:
        return f"PM2.5 {value_text(measured['pm25'])}"
    if kind == "parking" and "occupied" in measured:
        occupied = measured["occupied"].get("v")
        return {True: "occupied", False: "vacant"}.get(occupied, "unknown")
    if kind == "waste":
        fill = measured.get("fill", {}).get("v")
        if fill is not None:
            return f"{fill * 100:.0f} % full"
        return value_text(measured["distance"]) if "distance" in measured else None
    return None


def battery_class(measured: dict[str, Any]) -> int | None:
    """0 (empty) to 15 (full) of the battery's voltage; None where the node did not say."""
    volts = measured.get("battery", {}).get("v")
    if not isinstance(volts, int | float):
        return None
    share = (volts - BATTERY_EMPTY_V) / (BATTERY_FULL_V - BATTERY_EMPTY_V)
    return round(min(max(share, 0.0), 1.0) * BATTERY_STEPS)


def _row(node: NodeStatus, newest: dict[str, Any] | None, now: datetime) -> NodeRow:
    measured = newest["m"] if newest else {}
    age_s = (now - datetime.fromisoformat(newest["t"])).total_seconds() if newest else None
    return NodeRow(
        name=node.name,
        town=node.town,
        kind=node.kind,
        joined=node.joined,
        value=headline(node.kind, measured),
        age_s=None if age_s is None else max(age_s, 0.0),
        dr=node.dr,
        battery_class=battery_class(measured),
    )


def picture(  # noqa: PLR0913 - each part of the demo shows something of its own
    *,
    status: Status,
    fleet: Fleet,
    events: Observer,
    feed: Observer,
    stack: Stack,
    phase: str,
    progress: float,
    speed: float | None,
    seed: str,
) -> DashboardSnapshot:
    """What the dashboard shows now."""
    newest = dict(feed.newest)
    return DashboardSnapshot(
        world_time=status.world_time,
        phase=phase,
        progress=progress,
        seed=seed,
        speed=speed,
        page_url=stack.page_url,
        nodes=[_row(node, newest.get(node.asset), status.world_time) for node in status.nodes],
        radio_gateways=[
            RadioGatewayRow(g.name, status.heard_by.get(g.gateway_id, 0), online=True)
            for g in fleet.radio_gateways
        ],
        counters=Counters(
            readings_measured=status.readings_measured,
            frames_sent=status.frames_sent,
            nodes_joined=status.nodes_joined,
            events_published=events.count,
            feed_messages=feed.count,
            gateway_kills=stack.gateway_kills,
        ),
        messages=list(feed.lines)[-MESSAGES_SHOWN:],
        trouble=stack.watch(),
    )
