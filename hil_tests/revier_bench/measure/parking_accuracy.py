# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""parking-accuracy: arrivals and departures that the node's detector finds, and what it invents.

The shipped detector, on CPython, looks at the fields of parking_signals. Tuned on the seeds 0 to
299; judged on 10,000 to 10,999 unless others are named. An arrival or departure is found if its
event comes within FOUND_S of the vehicle's standing still or being gone: a state that a later
heartbeat puts right was missed. An event is false if no vehicle came or left since the one before
that agrees with it.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from revier_bench.measure.parking_looks import Bay, Change, Decides, Field
from revier_bench.measure.parking_peers import FixedThreshold, MovingAverage
from revier_bench.world.parking_signals import ParkingSignals
from revier_node.kinds.parking import OCCUPIED, VACANT, Detector
from revier_node.parking_change import take

SEEDS = range(10_000, 11_000)
BUDGET_FOUND = 0.997
BUDGET_FALSE_PER_MONTH = 1.0
FOUND_S = 120.0
MONTH_DAYS = 30.4
Z_95 = 1.96


class Shipped(Detector):  # type: ignore[misc]
    """The firmware's, begun as a first start does."""

    def calibrate(self, field: Field, warm: int) -> None:
        take(self, field, warm)


DETECTORS: dict[str, type[Decides]] = {
    "revier": Shipped,
    "fixed threshold": FixedThreshold,
    "moving average": MovingAverage,
}


@dataclass(slots=True)
class Score:
    """wakes: by the interrupt. vain: looks without an event, beside the hourly ones."""

    arrivals: int = 0
    departures: int = 0
    arrivals_found: int = 0
    departures_found: int = 0
    false: int = 0
    wakes: int = 0
    vain: int = 0
    days: float = 0.0

    def add(self, other: Score) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def wilson(found: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927)."""
    if not of:
        return (0.0, 1.0)
    share, square = found / of, z * z
    centre = share + square / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    scale = 1 + square / of
    return ((centre - half) / scale, (centre + half) / scale)


def poisson(count: int, z: float = Z_95) -> tuple[float, float]:
    """The 95 % confidence interval of a count, by its square root (Anscombe)."""
    root = math.sqrt(count + 3 / 8)
    return (max(0.0, (root - z / 2) ** 2 - 3 / 8), (root + z / 2) ** 2 - 3 / 8)


def score(signals: ParkingSignals, changes: list[Change]) -> Score:
    """What was found of what was there; the last FOUND_S of the signals are not judged."""
    result = Score(days=signals.days)
    end_s = signals.end_s - FOUND_S
    nexts = [stay.arrive_s for stay in signals.stays[1:]] + [math.inf]
    for stay, next_s in zip(signals.stays, nexts, strict=True):
        came = (stay.arrive_s, stay.still_s, stay.leave_s)
        if stay.still_s < end_s:
            result.arrivals += 1
            result.arrivals_found += _found(changes, OCCUPIED, *came)
        left = (stay.leave_s, stay.gone_s, next_s)
        if stay.gone_s < end_s:
            result.departures += 1
            result.departures_found += _found(changes, VACANT, *left)
    result.false = _false(signals, changes)
    return result


def _found(changes: list[Change], state: int, from_s: float, done_s: float, until_s: float) -> bool:
    """An event in time, and not taken back in that time while nothing has moved since."""
    in_time = [c for c in changes if from_s <= c.at_s <= done_s + FOUND_S]
    told = [c for c in in_time if c.at_s < until_s] or in_time[:1]
    return bool(told) and told[-1].state == state


def _false(signals: ParkingSignals, changes: list[Change]) -> int:
    """Events to a state that the bay was not in, nor in the vehicle's movement just then; and a
    second arrival of the same vehicle.
    """
    false = 0
    came_s = -math.inf  # the event before, if it was an arrival
    for change in changes:
        stay = signals.stay_at(change.at_s)
        if stay is None:
            false += change.state == OCCUPIED and not _just_left(signals, change.at_s)
        elif change.state == VACANT:
            false += stay.still_s <= change.at_s <= stay.leave_s
        else:
            false += came_s >= stay.arrive_s
        came_s = change.at_s if change.state == OCCUPIED else -math.inf
    return false


def _just_left(signals: ParkingSignals, at_s: float) -> bool:
    return any(0 <= at_s - stay.gone_s < 5 for stay in signals.stays)


def judge(seed: int) -> dict[str, Score]:
    signals = ParkingSignals(seed)
    scores = {}
    for name, make in DETECTORS.items():
        bay = Bay(signals, make())
        scores[name] = score(signals, bay.run())
        scores[name].wakes, scores[name].vain = bay.wakes, bay.vain
    return scores


def scores(seeds: range) -> dict[str, Score]:
    totals = {name: Score() for name in DETECTORS}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for one in pool.map(judge, seeds, chunksize=8):
            for name, found in one.items():
                totals[name].add(found)
    return totals


def _row(name: str, total: Score) -> dict[str, Any]:
    arrivals = wilson(total.arrivals_found, total.arrivals)
    departures = wilson(total.departures_found, total.departures)
    months = total.days / MONTH_DAYS
    false = poisson(total.false)
    return {
        "detector": name,
        "arrivals found": _percent(total.arrivals_found / total.arrivals, arrivals),
        "departures found": _percent(total.departures_found / total.departures, departures),
        "false / bay and month": f"{total.false / months:.2f} "
        f"({false[0] / months:.2f}..{false[1] / months:.2f})",
        "wakes by interrupt / day": round(total.wakes / total.days, 1),
        "wakes in vain / day": round(total.vain / total.days, 1),
    }


def _percent(share: float, interval: tuple[float, float]) -> str:
    return f"{100 * share:.2f} % ({100 * interval[0]:.2f}..{100 * interval[1]:.2f})"


def measure(seeds: range = SEEDS) -> dict[str, Any]:
    totals = scores(seeds)
    own = totals["revier"]
    found = min(own.arrivals_found / own.arrivals, own.departures_found / own.departures)
    false = own.false / own.days * MONTH_DAYS
    return {
        "name": "parking-accuracy",
        "value": round(100 * found, 2),
        "unit": "% of arrivals or departures found, the lower of the two",
        "budget": f">= {100 * BUDGET_FOUND} and <= {BUDGET_FALSE_PER_MONTH:g} false event per bay "
        "and month",
        "holds": found >= BUDGET_FOUND and false <= BUDGET_FALSE_PER_MONTH,
        "n": {
            "seeds": f"{seeds.start}..{seeds.stop - 1}",
            "arrivals": own.arrivals,
            "departures": own.departures,
            "false": own.false,
            "false_per_bay_and_month": round(false, 3),
            "wakes_in_vain_per_bay_and_day": round(own.vain / own.days, 1),
            "bay_days": own.days,
        },
        "peer": {name: _row(name, total)["arrivals found"] for name, total in totals.items()},
        "rows": [_row(name, total) for name, total in totals.items()],
    }
