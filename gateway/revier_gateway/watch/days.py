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
NEVER_MS = -(1 << 62)
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


class _Gathered(msgspec.Struct, gc=False):
    """One asset's day since the last write."""

    readings: int = 0
    newest_ms: int = NEVER_MS
    newest: bytes = b""  # the message of that time; of one time, the last
    battery: bytes = b""  # the last message that tells it
    online_s: float = 0.0
    deaf_s: float = 0.0
    watched_s: float = 0.0


class Days:
    def __init__(self, battery_v: Mapping[str, float] | None = None) -> None:
        """battery_v: by asset, as known from the days before."""
        self.battery_v = dict(battery_v or {})
        self._days: dict[Key, _Gathered] = {}
        self._taken: list[Key] = []

    def take(self, history: Iterable[tuple[str, int, bytes]]) -> None:
        """Observations (asset, t_ms, message) were committed."""
        days = self._days
        for asset, t_ms, payload in history:
            key = (t_ms // DAY_MS, asset)
            day = days.get(key)
            if day is None:
                day = days[key] = _Gathered()
            day.readings += 1
            if t_ms >= day.newest_ms:
                day.newest_ms, day.newest = t_ms, payload
            if b'"battery"' in payload:
                day.battery = payload

    def presence(self, standings: Mapping[str, Standing], now_ms: int, elapsed_s: float) -> None:
        """These were the standings for the time since the last look."""
        for asset, standing in standings.items():
            day = self._days.setdefault((now_ms // DAY_MS, asset), _Gathered())
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
        of = self._days[key]
        day = Day(of.readings, online_s=of.online_s, deaf_s=of.deaf_s, watched_s=of.watched_s)
        if of.newest:
            observation = _decode(of.newest)
            day.dev_eui = observation.prov.dev_eui
            if observation.prov.epoch == WHOLE:
                day.seq_newest = observation.seq
        if of.battery:
            volts = _decode(of.battery).m["battery"].v
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


def day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()
