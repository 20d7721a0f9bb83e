# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the reports need of each day, gathered between two writes.

Messages are kept as bytes and decoded when they are written: a catch-up of a million readings pays
for one decoding of each asset and day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from revier_gateway.watch.rows import Day
from revier_gateway.watch.standing import Standing

DAY_MS = 86_400_000
WHOLE = "0"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Measured(msgspec.Struct):
    v: float | int | bool | str | None = None


class _Origin(msgspec.Struct):
    dev_eui: str = ""
    epoch: str = WHOLE


class _Observation(msgspec.Struct):
    seq: int
    prov: _Origin
    m: dict[str, _Measured]


_decode = msgspec.json.Decoder(_Observation).decode
Key = tuple[int, str]  # day since 1970, asset


class Days:
    def __init__(self, battery_v: Mapping[str, float] | None = None) -> None:
        """battery_v: by asset, as known from the days before."""
        self.battery_v = dict(battery_v or {})
        self._days: dict[Key, Day] = {}
        self._newest: dict[Key, tuple[int, bytes]] = {}
        self._battery: dict[Key, bytes] = {}

    def take(self, history: Iterable[tuple[str, int, bytes]]) -> None:
        """Observations (asset, t_ms, message) were committed."""
        for asset, t_ms, payload in history:
            key = (t_ms // DAY_MS, asset)
            self._day(key).readings += 1
            newest = self._newest.get(key)
            if newest is None or newest[0] <= t_ms:
                self._newest[key] = (t_ms, payload)
            if b'"battery"' in payload:
                self._battery[key] = payload

    def presence(self, standings: Mapping[str, Standing], now_ms: int, elapsed_s: float) -> None:
        """These were the standings for the time since the last look."""
        for asset, standing in standings.items():
            day = self._day((now_ms // DAY_MS, asset))
            day.watched_s += elapsed_s
            if standing.state == "unknown":
                day.deaf_s += elapsed_s
            elif standing.state != "offline":
                day.online_s += elapsed_s

    def gathered(self) -> dict[tuple[str, str], Day]:
        """By day and asset; call `written` when it is on the disk."""
        for key, (_, payload) in self._newest.items():
            observation = _decode(payload)
            day = self._day(key)
            day.dev_eui = observation.prov.dev_eui
            if observation.prov.epoch == WHOLE:
                day.seq_newest = observation.seq
        for key, payload in self._battery.items():
            volts = _decode(payload).m["battery"].v
            if isinstance(volts, float | int) and not isinstance(volts, bool):
                self._day(key).battery_v = float(volts)
                self.battery_v[key[1]] = float(volts)
        self._newest.clear()
        self._battery.clear()
        return {(day_text(day), asset): one for (day, asset), one in self._days.items()}

    def written(self) -> None:
        self._days.clear()

    def _day(self, key: Key) -> Day:
        day = self._days.get(key)
        if day is None:
            day = self._days[key] = Day()
        return day


def day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()
