# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The view as the page shows it: one JSON-able state, every text in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from .interfaces import Asset, ConsoleSettings, RadioGateway, View
from .quantities import (
    canonical,
    decimals,
    headline,
    mark,
    number_of,
    order,
    reading,
    readings,
)
from .texts import Words

State = dict[str, Any]
STATIC: Final = Path(__file__).parent / "static"
MESSAGES_MAX = 50
NAME_LENGTH_MAX = 80
_KINDS = {"airquality": "air", "parking": "parking", "waste": "waste"}
# Counters are named `group.detail`; these stand at the head of the page: groups summed up, and what
# is so now.
_FIGURES = {
    "events": "events",
    "published": "published",
    "outbox": "outbox.waiting",
    "quarantined": "quarantine.waiting",
}
_SIGNAL = ("dr", "rssi", "snr", "f_cnt", "gw_n")


@cache
def towns() -> dict[str, str]:
    """ags -> name, from the map."""
    features = json.loads((STATIC / "district.geojson").read_text("utf-8"))["features"]
    return {one["properties"]["ags"]: one["properties"]["name"] for one in features}


def short(text: object) -> str:
    return str(text or "")[:NAME_LENGTH_MAX]


def kind_of(domain: str) -> str:
    return _KINDS.get(domain, "other")


def node_state(asset: Asset, words: Words) -> State:
    latest = asset.latest
    kind = kind_of(asset.domain)
    found = readings(latest, words)
    first = headline(kind, found)
    text, mark_state = mark(kind, first, words)
    status = asset.status or ("online" if latest else "unknown")
    origin = latest.get("prov") if latest else None
    signal = origin if isinstance(origin, Mapping) else {}
    return {
        "asset": asset.asset,
        "ags": asset.ags,
        "town": towns().get(asset.ags, asset.ags),
        "kind": kind,
        "name": short(asset.name or asset.asset),
        "lon": asset.lon,
        "lat": asset.lat,
        "status": status,
        "status_text": _status_text(status, asset.cause, words),
        "t": latest.get("t") if latest else None,
        "id": latest.get("id") if latest else None,
        "last_seen": asset.last_seen,
        "headline": first.as_json() if first else None,
        "readings": [one.as_json() for one in found],
        "mark": text,
        "mark_state": mark_state,
        "signal": {key: signal[key] for key in _SIGNAL if key in signal},
    }


def _status_text(status: str, cause: str, words: Words) -> str:
    text = words.get(f"node_{status}", short(status))
    kind, _, name = cause.partition(":")
    return words.get(f"node_{status}_{kind}", text).format(name=short(name))


def radio_gateway_state(one: RadioGateway) -> State:
    return {
        "id": one.id,
        "name": short(one.name or one.id),
        "lon": one.lon,
        "lat": one.lat,
        "last_seen": one.last_seen,
        "frames": one.frames,
    }


def message_state(message: Mapping[str, Any], names: Mapping[str, str], words: Words) -> State:
    """One line of the live list. Takes the bare message or `{"topic": ..., "payload": ...}`."""
    inner = message.get("payload")
    body = inner if isinstance(inner, Mapping) else message
    urn = str(body.get("asset", "")).split(":")
    asset, kind = short(urn[-1]), kind_of(urn[-2] if len(urn) > 1 else "")
    said = readings(body, words)
    first = headline(kind, said)
    rest = [one for one in said if one is not first]
    return {
        "id": short(body.get("id")),
        "asset": asset,
        "name": names.get(asset, asset),
        "kind": kind,
        "t": body.get("t"),
        "rx": body.get("rx"),
        "seq": body.get("seq"),
        "late": bool(body.get("late")),
        "text": " · ".join(str(one) for one in ([first] if first else []) + rest[:3]),
    }


def links_state(view: View, words: Words) -> dict[str, State]:
    """Source and feed: online, offline, or unknown when the view does not say."""
    known: Callable[[], Mapping[str, str]] | None = getattr(view, "links", None)
    states = known() if known else {}
    found = {}
    for name in ("source", "feed"):
        state = states.get(name, "unknown")
        state = state if state in ("online", "offline") else "unknown"
        found[name] = {"state": state, "text": words[f"link_{state}"]}
    return found


def figures_state(view: View, nodes: list[State], words: Words) -> list[State]:
    online = sum(node["status"] == "online" for node in nodes)
    found = [
        {"key": "nodes_online", "label": words["nodes_online"], "text": f"{online}/{len(nodes)}"},
        {
            "key": "radio_gateways",
            "label": words["radio_gateways_seen"],
            "text": str(sum(one.last_seen is not None for one in view.radio_gateways())),
        },
    ]
    counted = view.counters()
    for name, what in _FIGURES.items():
        total = sum(value for key, value in counted.items() if what in (key, key.split(".")[0]))
        found.append({"key": name, "label": words[name], "text": words.number(total, 0)})
    return found


def utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def frame_state(view: View, settings: ConsoleSettings, nodes: list[State], words: Words) -> State:
    """What changes with every event: clock, links, counters, radio gateways."""
    return {
        "now": utc_text(settings.now()),
        "lang": words.language,
        "gateway": settings.gateway_id,
        "links": links_state(view, words),
        "figures": figures_state(view, nodes, words),
        "counters": {key: words.number(value, 0) for key, value in view.counters().items()},
        "radio_gateways": [radio_gateway_state(one) for one in view.radio_gateways()],
    }


def nodes_state(view: View, words: Words) -> list[State]:
    return [node_state(asset, words) for asset in view.assets()]


def messages_state(view: View, nodes: list[State], words: Words) -> list[State]:
    """The last messages, newest first."""
    names = {node["asset"]: node["name"] for node in nodes}
    recent = list(view.recent())[-MESSAGES_MAX:]
    return [message_state(message, names, words) for message in reversed(recent)]


def full_state(view: View, settings: ConsoleSettings, words: Words) -> State:
    nodes = nodes_state(view, words)
    return {
        **frame_state(view, settings, nodes, words),
        "nodes": nodes,
        "messages": messages_state(view, nodes, words),
    }


def history_state(view: View, asset: str, key: str, words: Words) -> State:
    """One quantity of one asset as `[t, number or null]`, oldest first, and what else there is.

    Where the asset has no quantity `key`, its first one is given; `key` in the answer says which.
    """
    rows = sorted(view.history(asset), key=lambda row: row[0])
    found: dict[str, tuple[str, Any]] = {}  # canonical name: its name in the feed, newest value
    for _, measured in rows:
        for name, entry in measured.items():
            if number_of(name, entry)[0] is not None:
                found[canonical(name)] = (name, entry)
    names = sorted(found, key=order)
    state: State = {
        "asset": asset,
        "key": key if key in found else names[0] if names else "",
        "offered": [{"key": name, "label": reading(*found[name], words).label} for name in names],
        "unit": "",
        "decimals": 0,
        "points": [],
    }
    if names:
        feed_name, newest = found[state["key"]]
        unit = number_of(feed_name, newest)[1]
        points = [[t, number_of(feed_name, m.get(feed_name))[0]] for t, m in rows]
        state.update(unit=unit, decimals=decimals(state["key"], unit), points=points)
    return state
