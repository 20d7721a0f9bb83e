# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One container's week (world/waste_signals.py) as the node's modules judge it, wake by wake."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

from revier_bench.chips import thermostat
from revier_bench.world.chance import stream
from revier_bench.world.waste_signals import WEEK_S, Tilt, WasteSignals
from revier_node import bin_watch, echoes

INTERVAL_S = 1_800
PIN_S = 1.3  # from the tilt to the wake: a second on the side, and the start
EMPTIED_MIN = 0.25  # of the height, as the detector's
PLAIN_ECHOES = 9
THERMOSTAT_ERROR_K = 5.0  # KSD9700: of the temperature at which it closes
THERMOSTAT_LAG_S = 20  # its metal cap in moving air
THERMOSTAT_LOOK_S = 600  # of the model, while nothing burns


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


@dataclass(frozen=True, slots=True)
class Parts:
    """What a node has beside the ultrasonic sensor."""

    thermometer: bool = True  # the accelerometer's
    tof: bool = False
    thermostat: bool = False


def live(seed: int, parts: Parts = Parts()) -> Life:
    """A week of the container `seed`."""
    signals, life = WasteSignals(seed), Life()
    end_s = min(WEEK_S, signals.died_s)
    watch, now_s, found = bin_watch.Bin(b"", 0), 60.0, set[float]()
    watch_s = INTERVAL_S if parts.thermostat else bin_watch.WATCH_S
    wakes = [tilt.begin_s + PIN_S for tilt in signals.tilts]
    closed = _closed(signals, seed) if parts.thermostat else []
    wakes = sorted(wakes + [begin_s for begin_s, _ in closed])
    while now_s < end_s:
        second = int(now_s)
        burning = bool(watch.alarm & bin_watch.FIRE)
        hot = any(begin_s <= now_s < over_s for begin_s, over_s in closed)
        felt_c = signals.thermometer_c(now_s)
        watch.feel_heat(second, max(felt_c, bin_watch.FIRE_C) if hot else felt_c)
        watch.feel_tilt(second, round(_angle_deg(signals.tilts, now_s)))
        if watch.alarm & bin_watch.FIRE and not burning:
            _alarmed(life, signals, now_s)
        watch.said = watch.alarm
        due = second >= watch.reading_s or watch.moved
        if due and not watch.tilted_s:
            if _read(life, signals, watch, now_s, parts):
                found.add(now_s)
            watch.moved = 0
            watch.reading_s = second + INTERVAL_S
        wakes = [wake_s for wake_s in wakes if wake_s > now_s]
        now_s = min([float(watch.next_s(second, watch_s)), *wakes[:1]])
    _count_emptyings(life, signals, found, end_s)
    life.fire = signals.fire_s < WEEK_S
    life.calm_s = min(end_s, signals.fire_s)
    return life


def _closed(signals: WasteSignals, seed: int) -> list[tuple[float, float]]:
    """When the thermostat's contact is closed: it follows the air by THERMOSTAT_LAG_S."""
    limit_c = thermostat.CLOSES_C + stream(f"thermostat:{seed}", "part").uniform(
        -THERMOSTAT_ERROR_K, THERMOSTAT_ERROR_K
    )
    times = [float(t_s) for t_s in range(0, WEEK_S, THERMOSTAT_LOOK_S)]
    if signals.fire_s < WEEK_S:
        times += [signals.fire_s + t_s for t_s in range(int(signals.died_s - signals.fire_s) + 1)]
    found: list[tuple[float, float]] = []
    begin_s: float | None = None
    for t_s in sorted(times):
        felt_c = signals.temperature_c(max(0.0, t_s - THERMOSTAT_LAG_S))
        if begin_s is None and felt_c >= limit_c:
            begin_s = t_s
        elif begin_s is not None and felt_c < limit_c - (thermostat.CLOSES_C - thermostat.OPENS_C):
            found.append((begin_s, t_s))
            begin_s = None
    return [*found, (begin_s, math.inf)] if begin_s is not None else found


def _angle_deg(tilts: list[Tilt], t_s: float) -> float:
    return next((tilt.angle_deg for tilt in tilts if tilt.begin_s <= t_s < tilt.end_s), 0.0)


def _alarmed(life: Life, signals: WasteSignals, now_s: float) -> None:
    if now_s < signals.fire_s:
        life.fires_false += 1
    elif life.fire_late_s is None:
        life.fire_late_s = now_s - signals.fire_s


def _read(
    life: Life, signals: WasteSignals, watch: bin_watch.Bin, now_s: float, parts: Parts
) -> bool:
    """One reading, also by a plain median; True if the node takes it for an emptying."""
    reading = signals.reading(now_s)
    heard = list(reading.echoes_mm)
    count = next(n for n in range(1, 12) if n == len(heard) or not echoes.asks_more(heard[:n]))
    warm_c = watch.temperature_c
    distance_mm, quality = echoes.level(
        heard[:count], warm_c if parts.thermometer else None, reading.tof_mm if parts.tof else None
    )
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
