# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""waste-accuracy: level, emptyings and fire alarms of a thousand containers, a week each.

As shipped: with what the boards' descriptions wire. The node's own echoes.py and bin_watch.py on
the signals of world/waste_signals.py, whose ranges
were committed before. Tuned on seeds 0 to 999, reported on 10,000 to 10,999; --seeds FIRST:LAST
takes any. The error is in share of the height from the floor to a full load. Shares with their
95 % interval by Wilson; quantiles by the spread over twenty groups of containers.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any

from revier_bench.measure.waste_life import Life, Parts, live
from revier_bench.virtual_board.wiring import BOARDS_DIR

SEEDS = range(10_000, 11_000)
BUDGET = 0.02
QUALITY_MIN = 2  # the gateway marks less as suspect
GROUPS = 20
YEAR_S = 365.25 * 86_400
PROCESSES = 2
Z = 1.96
PLAIN = "plain median of 9"
WATCHED = "without time-of-flight and thermostat"
OTHERS = {WATCHED: Parts(), "without thermometer": Parts(thermometer=False)}


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    share, z2 = hits / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * (share * (1 - share) / of + z2 / (4 * of * of)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


Errors = Callable[[Life], Iterable[float]]


def _quantile(name: str, lives: Sequence[Life], errors: Errors) -> dict[str, Any]:
    values = [error for life in lives for error in errors(life)]
    groups = [[e for life in lives[i::GROUPS] for e in errors(life)] for i in range(GROUPS)]
    each = [p95(group) for group in groups if group]
    half = Z * statistics.stdev(each) / len(each) ** 0.5 if len(each) > 1 else float("nan")
    middle = p95(values)
    asked = sum(len(life.errors) for life in lives)
    return {
        "what": name,
        "value": f"{middle:.2%}",
        "95 % interval": f"{middle - half:.2%} to {middle + half:.2%}",
        "of": f"{len(values)} of {asked} readings",
        "number": middle,
    }


def _share(name: str, hits: int, of: int) -> dict[str, Any]:
    low, high = wilson(hits, of)
    value = f"{hits / of:.2%}" if of else "-"
    return {"what": name, "value": value, "95 % interval": f"{low:.2%} to {high:.2%}", "of": of}


def _good(life: Life) -> Iterable[float]:
    return (e for e, quality in life.errors if e is not None and quality >= QUALITY_MIN)


def _any(life: Life) -> Iterable[float]:
    return (e for e, _ in life.errors if e is not None)


def shipped() -> Parts:
    """What every shipped board's description wires beside the ultrasonic sensor."""
    wirings = [
        json.loads(path.read_text("utf-8"))["kinds"]["waste"] for path in BOARDS_DIR.glob("*.json")
    ]
    return Parts(
        thermometer=all("lis3dh" in wiring for wiring in wirings),
        tof=all("vl53l1x" in wiring for wiring in wirings),
        thermostat=sum("thermostat" in wiring for wiring in wirings) > len(wirings) / 2,
    )


def _table(lives: Sequence[Life], others: Mapping[str, Sequence[Life]]) -> list[dict[str, Any]]:
    years = sum(life.calm_s for life in lives) / YEAR_S
    false = sum(life.fires_false for life in lives)
    return [
        _quantile("level error p95, quality >= 2", lives, _good),
        _quantile("the same, every distance", lives, _any),
        *[
            _quantile(f"quality >= 2, {name}", of_others, _good)
            for name, of_others in others.items()
        ],
        _quantile(PLAIN, lives, lambda v: (e for e in v.plain if e is not None)),
        _quantile(
            "plain median of 9, by temperature",
            lives,
            lambda v: (e for e in v.plain_warm if e is not None),
        ),
        _share(
            "emptyings found",
            sum(life.emptyings_found for life in lives),
            sum(life.emptyings for life in lives),
        ),
        {
            "what": "emptyings reported that were none",
            "value": sum(life.emptyings_false for life in lives),
            "of": f"{years:.1f} container years",
        },
        *_fires("as shipped", lives),
        *_fires("by looks every two minutes", others[WATCHED]),
        {
            "what": "false fire alarms",
            "value": false,
            "95 % interval": f"up to {_poisson_high(false) / years:.2f} a container year",
            "of": f"{years:.1f} container years",
        },
    ]


def _fires(name: str, lives: Sequence[Life]) -> list[dict[str, Any]]:
    late = [life.fire_late_s for life in lives if life.fire_late_s is not None]
    told = f"fire alarms before the node dies, {name}"
    return [
        _share(told, len(late), sum(life.fire for life in lives)),
        {
            "what": "after the fire's begin, median and longest",
            "value": f"{statistics.median(late):.0f} s, {max(late):.0f} s" if late else "-",
            "of": len(late),
        },
    ]


def _poisson_high(count: int) -> float:
    """Upper 97.5 % limit of a count (Byar's approximation of the exact one); 3.69 for none."""
    n = count + 1
    high: float = n * (1 - 1 / (9 * n) + Z / (3 * n**0.5)) ** 3
    return high


def measure(seeds: range = SEEDS) -> dict[str, Any]:
    parts = shipped()
    with ProcessPoolExecutor(PROCESSES) as pool:
        lives, *others = (
            list(pool.map(partial(live, parts=one), seeds, chunksize=25))
            for one in (parts, *OTHERS.values())
        )
    rows = _table(lives, dict(zip(OTHERS, others, strict=True)))
    span = f"{seeds.start}:{seeds.stop - 1}"
    best = rows[0].pop("number")
    plain = next(row["number"] for row in rows if row["what"] == PLAIN)
    for row in rows:
        row.pop("number", None)
    return {
        "name": "waste-accuracy",
        "value": round(100 * best, 2),
        "unit": "% of height, level error p95",
        "budget": f"<= {BUDGET:.0%} of height",
        "holds": best <= BUDGET,
        "n": {
            "seeds": span,
            "parts": asdict(parts),
            "readings": sum(len(life.errors) for life in lives),
        },
        "peer": {"plain median of 9 echoes, % of height": round(100 * plain, 2)},
        "rows": rows,
        "command": f"revier-bench measure waste-accuracy --seeds {span}",
    }
