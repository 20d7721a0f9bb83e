# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The times in which we could not have heard: silence then says nothing about a device.

A scope is SOURCE (everything) or a radio gateway's id. A device is out of hearing while the source
is, or while all the radio gateways that heard it last are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

SOURCE = "source"
PERIODS_MAX = 200  # of a scope; the oldest go
KEPT_MS = 30 * 86_400_000

Span = tuple[int, int]  # from, until, in ms; never empty


class Period(msgspec.Struct, frozen=True):
    scope: str
    cause: str
    from_ms: int
    until_ms: int | None  # None: still


class Deafness:
    def __init__(self, periods: Iterable[Period] = ()) -> None:
        self._periods: dict[str, list[Period]] = {}
        for period in sorted(periods, key=lambda one: one.from_ms):
            self._periods.setdefault(period.scope, []).append(period)

    def periods(self) -> list[Period]:
        return [period for periods in self._periods.values() for period in periods]

    def cause(self, scope: str) -> str:
        """Why the scope is deaf now; empty where it hears."""
        periods = self._periods.get(scope)
        return periods[-1].cause if periods and periods[-1].until_ms is None else ""

    def begin(self, scope: str, cause: str, from_ms: int) -> None:
        """While it is deaf already, the cause that is told last stands."""
        periods = self._periods.setdefault(scope, [])
        if periods and periods[-1].until_ms is None:
            periods[-1] = msgspec.structs.replace(periods[-1], cause=cause)
            return
        if periods and periods[-1].until_ms is not None:
            from_ms = max(from_ms, periods[-1].until_ms)
        periods.append(Period(scope, cause, from_ms, None))
        del periods[:-PERIODS_MAX]

    def end(self, scope: str, until_ms: int) -> None:
        periods = self._periods.get(scope)
        if not periods or periods[-1].until_ms is not None:
            return
        last = periods.pop()
        if until_ms > last.from_ms:
            periods.append(msgspec.structs.replace(last, until_ms=until_ms))

    def forget(self, now_ms: int) -> None:
        for scope, periods in list(self._periods.items()):
            kept = [p for p in periods if p.until_ms is None or p.until_ms > now_ms - KEPT_MS]
            self._periods[scope] = kept
            if not kept:
                del self._periods[scope]

    def touches(self, scope: str, from_ms: int) -> bool:
        """Was the scope deaf at any time since?"""
        periods = self._periods.get(scope)
        if not periods:
            return False
        until_ms = periods[-1].until_ms
        return until_ms is None or until_ms > from_ms

    def deaf(self, gateways: Sequence[str], from_ms: int, until_ms: int) -> list[Span]:
        """The spans within [from, until) in which a device behind these radio gateways could not be
        heard; apart from each other, in order."""
        spans = self._spans(SOURCE, from_ms, until_ms)
        known = self._periods
        if gateways and all(gateway in known for gateway in gateways):  # else one always heard
            behind = self._spans(gateways[0], from_ms, until_ms)
            for gateway in gateways[1:]:
                behind = _both(behind, self._spans(gateway, from_ms, until_ms))
            spans = _either(spans, behind)
        return spans

    def last_cause(self, gateways: Sequence[str], from_ms: int, until_ms: int) -> str:
        """What kept us from hearing last in that time, as SOURCE's cause or a radio gateway's."""
        newest: tuple[int, int, str] = (-1, 0, "")
        for scope in (SOURCE, *gateways):
            rank = int(scope == SOURCE)
            for period in self._periods.get(scope, ()):
                end_ms = until_ms if period.until_ms is None else period.until_ms
                if period.from_ms < until_ms and end_ms > from_ms:
                    newest = max(newest, (end_ms, rank, period.cause))
        return newest[2]

    def _spans(self, scope: str, from_ms: int, until_ms: int) -> list[Span]:
        spans = []
        for period in self._periods.get(scope, ()):
            start_ms = max(period.from_ms, from_ms)
            end_ms = until_ms if period.until_ms is None else min(period.until_ms, until_ms)
            if start_ms < end_ms:
                spans.append((start_ms, end_ms))
        return spans


def length_ms(spans: Iterable[Span]) -> int:
    return sum(end_ms - start_ms for start_ms, end_ms in spans)


def _either(one: list[Span], other: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start_ms, end_ms in sorted(one + other):
        if merged and start_ms <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_ms))
        else:
            merged.append((start_ms, end_ms))
    return merged


def _both(one: list[Span], other: list[Span]) -> list[Span]:
    spans = [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) < min(b, d)]
    return sorted(spans)
