# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One container's week (world/waste_signals.py) as the node's modules judge it, wake by wake."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

from revier_bench.world.waste_signals import WEEK_S, Tilt, WasteSignals
from revier_node import bin_watch, echoes

INTERVAL_S = 1_800
PIN_S = 1.3  # from the tilt to the wake: a second on the side, and the start
EMPTIED_MIN = 0.25  # of the height, as the detector's
PLAIN_ECHOES = 9


@dataclass(slots=True)
class Life:
    """What came of a week. Errors in share of the height, None: no distance."""

    errors: list[tuple[float | None, int]] = field(default_factory=list)
    plain: list[float | None] = field(default_factory=list)
    plain_warm: list[float | None] = field(default_factory=list)
    emptyings: int = 0
    emptyings_found: int = 0
    emptyings_false: int = 0
    calm_s: float = 0.0
    fire: bool = False
    fire_late_s: float | None = None
    fires_false: int = 0


def live(seed: int, tof: bool = False) -> Life:
    """A week of the container `seed`; with or without the time-of-flight sensor."""
    signals, life = WasteSignals(seed), Life()
    end_s = min(WEEK_S, signals.died_s)
    watch, now_s, found = bin_watch.Bin(b"", 0), 60.0, set[float]()
    tilts = list(signals.tilts)
    while now_s < end_s:
        second = int(now_s)
        burning = bool(watch.alarm & bin_watch.FIRE)
        watch.feel_heat(second, signals.thermometer_c(now_s))
        watch.feel_tilt(second, round(_angle_deg(signals.tilts, now_s)))
        if watch.alarm & bin_watch.FIRE and not burning:
            _alarmed(life, signals, now_s)
        watch.said = watch.alarm
        due = second >= watch.reading_s or watch.moved
        if due and not watch.tilted_s:
            emptied = _read(life, signals, watch, now_s, tof)
            if emptied:
                found.add(now_s)
            watch.moved = 0
            watch.reading_s = second + INTERVAL_S
        next_s = float(watch.next_s(second))
        while tilts and tilts[0].begin_s + PIN_S <= now_s:
            tilts.pop(0)
        if tilts and tilts[0].begin_s + PIN_S < next_s:
            next_s = tilts[0].begin_s + PIN_S
        now_s = next_s
    _count_emptyings(life, signals, found, end_s)
    life.fire = signals.fire_s < WEEK_S
    life.calm_s = min(end_s, signals.fire_s)
    return life


def _angle_deg(tilts: list[Tilt], t_s: float) -> float:
    return next((tilt.angle_deg for tilt in tilts if tilt.begin_s <= t_s < tilt.end_s), 0.0)


def _alarmed(life: Life, signals: WasteSignals, now_s: float) -> None:
    if now_s < signals.fire_s:
        life.fires_false += 1
    elif life.fire_late_s is None:
        life.fire_late_s = now_s - signals.fire_s


def _read(life: Life, signals: WasteSignals, watch: bin_watch.Bin, now_s: float, tof: bool) -> bool:
    """One reading, also by a plain median; True if the node takes it for an emptying."""
    reading = signals.reading(now_s)
    heard = list(reading.echoes_mm)
    count = next(n for n in range(1, 12) if n == len(heard) or not echoes.asks_more(heard[:n]))
    warm_c = watch.temperature_c
    distance_mm, quality = echoes.level(heard[:count], warm_c, reading.tof_mm if tof else None)
    if now_s < signals.fire_s:
        scale = 1 / signals.span_mm
        off = None if distance_mm is None else abs(distance_mm - reading.true_mm) * scale
        life.errors.append((off, quality))
        some = [mm for mm in heard[:PLAIN_ECHOES] if mm is not None]
        middle = statistics.median_low(some) if some else math.nan
        stretch = 1 + 0.0018 * (warm_c - 20)
        life.plain.append(abs(middle - reading.true_mm) * scale if some else None)
        life.plain_warm.append(abs(middle * stretch - reading.true_mm) * scale if some else None)
    return bool(watch.measured(distance_mm, quality))


def _count_emptyings(life: Life, signals: WasteSignals, found: set[float], end_s: float) -> None:
    """An emptying counts if more than a quarter of the height is gone with it."""
    for tilt in signals.tilts:
        if tilt.end_s + 600 > min(end_s, signals.fire_s):
            continue
        gone = signals.fill(tilt.begin_s) * tilt.emptied
        seen = {t_s for t_s in found if tilt.begin_s <= t_s <= tilt.end_s + 600}
        found -= seen
        if gone > EMPTIED_MIN:
            life.emptyings += 1
            life.emptyings_found += bool(seen)
        elif gone < EMPTIED_MIN / 2:
            life.emptyings_false += bool(seen)
    life.emptyings_false += len(found)
