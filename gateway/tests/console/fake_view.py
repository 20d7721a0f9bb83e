# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A view of twelve nodes in the ten towns, filled by hand: the page's partner in its tests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)

# asset, ags, domain, name, lon, lat
PLACES = [
    ("re-rathausplatz", "05562032", "airquality", "Rathausplatz Recklinghausen", 7.1942, 51.6131),
    ("herten-rathaus-p1", "05562020", "parking", "Rathaus Herten, Bucht 1", 7.1352, 51.5946),
    ("dorsten-markt-glas", "05562012", "waste", "Glascontainer Markt Dorsten", 6.9646, 51.6602),
    ("marl-creiler-platz", "05562024", "airquality", "Creiler Platz Marl", 7.0905, 51.6565),
    ("cas-europaplatz-p1", "05562004", "parking", "Europaplatz, Bucht 1", 7.3107, 51.5590),
    ("waltrop-kirchplatz", "05562036", "waste", "Papiercontainer Kirchplatz", 7.3962, 51.6238),
    ("gladbeck-wbp", "05562014", "airquality", "Willy-Brandt-Platz Gladbeck", 6.9853, 51.5716),
    ("cas-altstadtmarkt-p1", "05562004", "parking", "Altstadtmarkt, Bucht 1", 7.3122, 51.5498),
    ("oe-berliner-platz", "05562028", "waste", "Glascontainer Berliner Platz", 7.2510, 51.6424),
    ("datteln-neumarkt", "05562008", "airquality", "Neumarkt Datteln", 7.3414, 51.6540),
    ("re-sued-p1", "05562032", "parking", "P+R Bahnhof RE-Süd, Bucht 1", 7.1895, 51.5706),
    ("haltern-markt", "05562016", "waste", "Papiercontainer Markt Haltern", 7.1868, 51.7427),
]
RADIO_PLACES = [
    ("0252455600ff0001", "Halde Hoheward, Herten", 7.1670, 51.5670),
    ("0252455600ff0002", "Fernmeldeturm Haltern", 7.1103, 51.7835),
    ("0252455600ff0003", "Halde Schwerin, Castrop-Rauxel", 7.3373, 51.5460),
]


@dataclass
class FakeAsset:
    asset: str
    ags: str
    domain: str
    name: str
    lon: float | None
    lat: float | None
    latest: Mapping[str, Any] | None = None
    status: str | None = None
    cause: str = ""
    last_seen: str | None = None


@dataclass
class FakeRadioGateway:
    id: str
    name: str
    lon: float | None
    lat: float | None
    last_seen: str | None = None
    frames: int = 0


def utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def values(domain: str, hour: float, number: int) -> dict[str, Any]:
    """A plausible reading: fine dust with two rush hours, a bay by day, a filling container."""
    if domain == "airquality":
        rush = math.exp(-(((hour % 24) - 8) ** 2) / 6) + math.exp(-(((hour % 24) - 18) ** 2) / 8)
        pm25 = 6 + number * 0.7 + 9 * rush + 1.2 * math.sin(hour * 5 + number)
        temp = 11 - 6 * math.cos((hour - 3) / 24 * 2 * math.pi)
        return {
            "pm25": {"v": round(pm25, 1), "u": "ug/m3", "q": 1},
            "pm10": {"v": round(pm25 * 1.5, 1), "u": "ug/m3", "q": 1},
            "temp": {"v": round(temp, 1), "u": "Cel", "q": 1},
            "rh": {"v": 62, "u": "%", "q": 1},
            "voc": {"v": None, "q": 9},
        }
    if domain == "parking":
        return {"occupied": {"v": (int(hour) * 7 + number) % 3 != 0, "q": 1}}
    fill = min(((hour + number * 9) % 60) / 60, 1.0)
    return {"fill": {"v": round(fill, 2), "u": "1", "q": 1}, "temp": {"v": 14, "u": "Cel", "q": 1}}


@dataclass
class FakeView:
    items: list[FakeAsset] = field(default_factory=list)
    radios: list[FakeRadioGateway] = field(default_factory=list)
    past: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    feed: list[dict[str, Any]] = field(default_factory=list)
    count: dict[str, int] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    queues: list[asyncio.Queue[dict[str, Any]]] = field(default_factory=list)
    seq: int = 0

    def assets(self) -> list[FakeAsset]:
        return self.items

    def radio_gateways(self) -> list[FakeRadioGateway]:
        return self.radios

    def history(self, asset: str) -> list[tuple[str, dict[str, Any]]]:
        return self.past.get(asset, [])

    def counters(self) -> dict[str, int]:
        return self.count

    def recent(self) -> list[dict[str, Any]]:
        return self.feed[-50:]

    def links(self) -> dict[str, str]:
        return self.state

    def listen(self) -> asyncio.Queue[dict[str, Any]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(100)
        self.queues.append(queue)
        return queue

    def unlisten(self, queue: asyncio.Queue[dict[str, Any]]) -> None:
        self.queues.remove(queue)

    def publish(self, asset: str, moment: datetime, m: dict[str, Any]) -> dict[str, Any]:
        """One observation on its whole way to the page. Call it in the loop of the server."""
        one = next(item for item in self.items if item.asset == asset)
        self.seq += 1
        message = {
            "id": f"00000000-0000-5000-8000-{self.seq:012d}",
            "asset": f"urn:revier:{one.ags}:{one.domain}:{one.asset}",
            "seq": self.seq,
            "t": utc(moment),
            "rx": utc(moment + timedelta(milliseconds=412)),
            "late": False,
            "m": m,
            "prov": {"net": "lorawan", "f_cnt": self.seq, "dr": 5, "rssi": -97, "snr": 7.2},
        }
        one.latest, one.last_seen, one.status = message, utc(moment), "online"
        self.past.setdefault(asset, []).append((utc(moment), m))
        self.feed.append(message)
        self.count["published.readings"] = self.count.get("published.readings", 0) + 1
        for queue in self.queues:
            queue.put_nowait(message)
        return message


def empty_view() -> FakeView:
    return FakeView()


def view_of_twelve(end: datetime = START, hours: int = 24) -> FakeView:
    view = FakeView(
        state={"source": "online", "feed": "online"},
        count={"quarantined.unknown_device": 7, "outbox.waiting": 0, "quarantine.waiting": 2},
    )
    view.items = [FakeAsset(*place) for place in PLACES]
    view.radios = [FakeRadioGateway(*place) for place in RADIO_PLACES]
    steps = hours * 6
    for step in range(steps):
        moment = end - timedelta(minutes=10 * (steps - 1 - step))
        hour = moment.hour + moment.minute / 60
        for number, one in enumerate(view.items):
            if one.domain == "airquality" or step % 6 == number % 6:
                when = moment - timedelta(seconds=23 * number)
                view.publish(one.asset, when, values(one.domain, hour, number))
    for number, radio in enumerate(view.radios):
        radio.frames, radio.last_seen = 400 + 130 * number, utc(end)
    return view
