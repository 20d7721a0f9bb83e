# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the reports need of each day, gathered between two writes.

Messages are kept as bytes and decoded when they are written: a catch-up of a million readings pays
for one decoding of each asset and day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

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
        self._taken: list[Key] = []
        self._newest: dict[Key, tuple[int, bytes]] = {}
        self._battery: dict[Key, bytes] = {}

    def take(self, history: Iterable[tuple[str, int, bytes]]) -> None:
        """Observations (asset, t_ms, message) were committed."""
        days, known = self._days, self._newest
        for asset, t_ms, payload in history:
            key = (t_ms // DAY_MS, asset)
            day = days.get(key)
            if day is None:
                day = self._day(key)
            day.readings += 1
            newest = known.get(key)
            if newest is None or newest[0] <= t_ms:
                known[key] = (t_ms, payload)
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

    def gathered(self, limit: int) -> dict[tuple[str, str], Day]:
        """By day and asset, so many of them; call `written` when they are on the disk."""
        self._taken = list(islice(self._days, limit))
        return {(day_text(key[0]), key[1]): self._whole(key) for key in self._taken}

    def _whole(self, key: Key) -> Day:
        day = self._days[key]
        newest, battery = self._newest.pop(key, None), self._battery.pop(key, None)
        if newest is not None:
            observation = _decode(newest[1])
            day.dev_eui = observation.prov.dev_eui
            if observation.prov.epoch == WHOLE:
                day.seq_newest = observation.seq
        if battery is not None:
            volts = _decode(battery).m["battery"].v
            if isinstance(volts, float | int) and not isinstance(volts, bool):
                day.battery_v = float(volts)
                self.battery_v[key[1]] = float(volts)
        return day

    def written(self) -> None:
        for key in self._taken:
            del self._days[key]
        self._taken.clear()

    def __len__(self) -> int:
        return len(self._days)

    def _day(self, key: Key) -> Day:
        day = self._days.get(key)
        if day is None:
            day = self._days[key] = Day()
        return day


def day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()
