# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""air-reporting: report on change against fixed intervals, on two real sensors of five days.

The recording (data/README.md) holds the nights of the fireworks. A node takes its newest value
every five minutes; what it decides is the firmware's own code (revier_node.robust with the
bands of kinds/air_change.py). The city sees what was heard last. The error is the distance of that
from what the node has just measured, at every wake, wakes with an uplink included.

A seed draws when in its five minutes a node wakes, and which frames are lost (LOSS). The bands are
the sensors' precision from their datasheets and were not tuned on this recording. It is the same
five days under each seed: +- is the scatter over seeds and sensors, not over places. Other seeds:

    python -m revier_bench.measure.air_reporting FIRST LAST
"""

from __future__ import annotations

import csv
import json
import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from random import Random
from statistics import fmean, quantiles, stdev
from typing import Any

from revier_node import robust

air_change: Any = import_module("revier_node.kinds.air_change")  # mypy does without the firmware

RECORDING = Path(__file__).parent / "data" / "sds011_aberdeen_2018-11-02_06.csv"
SEEDS = range(10_000, 10_020)
INTERVAL_S = 300
STALE_S = 300  # an older value is none: the recording has gaps
LOSS = 0.05
DAY_S = 86_400
FIXED = (1, 2, 3, 6, 12)  # every how many wakes
CHANGE = "on change"
BAND_FACTORS = (0.5, 2.0)  # beside the default
Reading = tuple[int, tuple[int, int]]  # seconds, (PM2.5, PM10) in 0.1 ug/m3
Decide = Callable[[int, "Reading | None", Reading], bool]  # number of the wake, sent last, now


@dataclass(frozen=True, slots=True)
class Outcome:
    """One node under one rule; errors in ug/m3, of PM2.5 and PM10 at every wake."""

    uplinks_per_day: float
    pm25: list[float]
    pm10: list[float]


def recording(path: Path = RECORDING) -> dict[str, list[Reading]]:
    """By sensor, in order of time."""
    found: dict[str, list[Reading]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["timestamp_utc"]).replace(tzinfo=UTC)
            masses = round(float(row["P2_pm25"]) * 10), round(float(row["P1_pm10"]) * 10)
            found.setdefault(row["sensor_id"], []).append((int(at.timestamp()), masses))
    return {sensor: sorted(rows) for sensor, rows in found.items()}


def wakes(rows: Sequence[Reading], phase_s: int) -> list[Reading]:
    """What a node reads that wakes every INTERVAL_S; none where the recording has a gap."""
    times = [at_s for at_s, _ in rows]
    found = []
    for at_s in range(times[0] + phase_s, times[-1], INTERVAL_S):
        newest = rows[bisect_right(times, at_s) - 1]
        if at_s - newest[0] <= STALE_S:
            found.append((at_s, newest[1]))
    return found


def every(count: int) -> Decide:
    return lambda number, _sent, _now: number % count == 0


def on_news(factor: float = 1.0) -> Decide:
    bands = [(int(least * factor), int(pct * factor)) for least, pct in air_change.BANDS[:2]]

    def decide(_number: int, sent: Reading | None, now: Reading) -> bool:
        if sent is None:
            return True
        age_s = now[0] - sent[0] + INTERVAL_S // 2
        return bool(
            robust.due(sent[1], now[1], bands, (0, 0), age_s, air_change.MIN_S, air_change.MAX_S)
        )

    return decide


def replay(readings: Sequence[Reading], decide: Decide, chance: Random) -> Outcome:
    """The node does not know which of its frames were lost."""
    sent: Reading | None = None
    heard: Reading | None = None
    uplinks = 0
    errors: tuple[list[float], list[float]] = [], []
    for number, now in enumerate(readings):
        if decide(number, sent, now):
            sent = now
            uplinks += 1
            if heard is None or chance.random() >= LOSS:
                heard = now
        assert heard is not None
        for channel in (0, 1):
            errors[channel].append(abs(now[1][channel] - heard[1][channel]) / 10)
    days = len(readings) * INTERVAL_S / DAY_S
    return Outcome(uplinks / days, *errors)


def lives(seeds: Iterable[int], decide: Decide) -> list[Outcome]:
    """Of each seed and each sensor; every rule meets the same phases."""
    found = []
    for seed in seeds:
        for sensor, rows in recording().items():
            chance = Random(f"{seed}:{sensor}")  # noqa: S311 - repeatable by design
            found.append(replay(wakes(rows, chance.randrange(INTERVAL_S)), decide, chance))
    return found


def _row(rule: str, outcomes: list[Outcome]) -> dict[str, Any]:
    """Uplinks a day, and errors in ug/m3."""
    pm25 = [error for one in outcomes for error in one.pm25]
    means = [fmean(one.pm25) for one in outcomes]
    half = 1.96 * stdev(means) / math.sqrt(len(means)) if len(means) > 1 else 0.0
    return {
        "rule": rule,
        "uplinks": round(fmean(one.uplinks_per_day for one in outcomes), 1),
        "pm25_mean": round(fmean(pm25), 3),
        "+-": round(half, 3),
        "pm25_p99": round(quantiles(pm25, n=100)[98], 1),
        "pm25_max": round(max(pm25), 1),
        "pm10_mean": round(fmean(e for one in outcomes for e in one.pm10), 3),
    }


def measure(first: int = SEEDS.start, last: int = SEEDS.stop - 1) -> dict[str, Any]:
    """Seeds first to last. A few seconds."""
    seeds = range(first, last + 1)
    rows = [_row(CHANGE, lives(seeds, on_news()))]
    rows += [
        _row(f"{CHANGE}, bands x {factor}", lives(seeds, on_news(factor)))
        for factor in BAND_FACTORS
    ]
    change = rows[0]
    # the longest fixed interval that sends at least as often
    matched = max(1, int(DAY_S / INTERVAL_S / change["uplinks"]))
    for count in sorted({*FIXED, matched}):
        rows.append(_row(f"every {count * INTERVAL_S // 60} min", lives(seeds, every(count))))
    peer = next(r for r in rows if r["rule"] == f"every {matched * INTERVAL_S // 60} min")
    return {
        "name": "air-reporting",
        "value": change["pm25_mean"],
        "unit": f"ug/m3 mean error of PM2.5 at {change['uplinks']} uplinks a day",
        "budget": "< the fixed interval's that sends at least as often, also of PM10 and at p99",
        "holds": all(change[key] < peer[key] for key in ("pm25_mean", "pm10_mean", "pm25_p99")),
        "n": {
            "seeds": len(seeds),
            "first_seed": first,
            "sensors": 2,
            "loss": LOSS,
            "recording": RECORDING.name,
            "rules": {row["rule"]: row for row in rows},
        },
        "peer": {
            f"fixed, {peer['rule']}": f"{peer['pm25_mean']} ug/m3 at "
            f"{peer['uplinks']} uplinks a day"
        },
        "rows": rows,
    }


def main(arguments: Sequence[str]) -> None:
    result = measure(*map(int, arguments))
    for row in result["rows"]:
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
