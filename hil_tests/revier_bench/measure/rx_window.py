# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""rx-window: how exactly the firmware opens its receive windows, and for how long.

The error is the opening minus the time that the MAC asked for (rx_window_watch.py says from where
to where). Joined air nodes of every data rate send, and nodes of every data rate try to join;
nobody answers. Light sleep is exact ("awake"), or its clock errs: by 1,000 ppm either way as
calibrated, or by up to 650 ppm drawn for each node and 340 ppm more from one sleep to the next,
which is one count of the crystal in ESP-IDF's calibration over ten cycles of the RC oscillator.
Calls cost what costs.CHIP says, collections and interrupts included, and three times that. The
worst setting is judged, once by its data frames and once by its joins.

Where the network has RX1 after 5 s, a light sleep is off by up to 5 ms until the first downlink
(printed, not judged); the ends of downlinks tell the node its clock's error, then it is judged.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from revier_bench.measure import rx_window_peers
from revier_bench.measure.rx_window_answers import delayed_windows
from revier_bench.measure.rx_window_watch import Opening, Setting, data_windows, join_windows

BUDGET_AWAKE_US = 1_000
BUDGET_LIGHT_US = 3_000
BUDGET_ON_US = {7: 16_000, 12: 197_000}
WINDOWS_MIN = 500
WINDOWS_EACH_MIN = 50  # of each spreading factor in each setting
SPREADING_FACTORS = (7, 8, 9, 10, 11, 12)
SETTINGS = tuple(
    Setting(f"{name}, costs x {factor}", ppm, jitter_ppm, factor)
    for name, ppm, jitter_ppm in (
        ("awake", 0, 0),
        ("light sleep +1,000 ppm", 1_000, 50),
        ("light sleep -1,000 ppm", -1_000, 50),
        ("light sleep 650 + 340 ppm", None, 340),
    )
    for factor in (1, 3)
)

Runs = dict[Setting, list[Opening]]
Delayed = dict[Setting, tuple[list[Opening], list[Opening]]]
"""RX1 after 5 s: before and after the first downlink"""


def percentile(values: Sequence[int], percent: int) -> int:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def p99_us(openings: Sequence[Opening]) -> int:
    return percentile([abs(one.error_us) for one in openings], 99)


def _of(openings: Sequence[Opening], **wanted: int) -> list[Opening]:
    return [one for one in openings if all(getattr(one, k) == v for k, v in wanted.items())]


def row(setting: Setting, openings: Sequence[Opening], window: str = "") -> dict[str, Any]:
    """One setting's RX1 or RX2, of data frames or of joins."""
    errors = [abs(one.error_us) for one in openings]
    first = openings[0]
    by_sf = [(sf, some) for sf in SPREADING_FACTORS if (some := _of(openings, spreading_factor=sf))]
    return {
        "setting": setting.name,
        "window": window or ("join " if first.join else "") + f"RX{first.number}",
        "windows": len(openings),
        "p50_us": round(statistics.median(errors)),
        "p99_us": percentile(errors, 99),
        "max_us": max(errors),
        "late_p50_us": round(statistics.median(one.error_us for one in openings)),
        "SF: windows, p99_us, longest_ms": "; ".join(
            f"{sf}: {len(some)}, {p99_us(some)}, {max(one.on_us for one in some) / 1000:.1f}"
            for sf, some in by_sf
        ),
    }


def _enough(openings: Sequence[Opening]) -> bool:
    """RX1 of each spreading factor, RX2, data frames and joins."""
    groups = [
        _of(openings, join=join, number=1, spreading_factor=sf)
        for join in (False, True)
        for sf in SPREADING_FACTORS
    ]
    groups += [_of(openings, join=join, number=2) for join in (False, True)]
    return min(len(some) for some in groups) >= WINDOWS_EACH_MIN


def worst_us(runs: Runs, awake: bool, join: bool) -> int:
    """The largest p99 of the settings with the plain costs."""
    return max(
        p99_us(_of(openings, join=join))
        for setting, openings in runs.items()
        if setting.factor == 1 and setting.awake == awake
    )


def judge(runs: Runs, delayed: Delayed) -> dict[str, Any]:
    learnt = {setting: after for setting, (_, after) in delayed.items()}
    everything = [one for openings in (*runs.values(), *learnt.values()) for one in openings]
    learnt_us = worst_us(learnt, awake=False, join=False)
    awake_us, light_us, join_awake_us, join_light_us = (
        worst_us(runs, awake, join) for join in (False, True) for awake in (True, False)
    )
    on_us = {
        sf: max(one.on_us for one in _of(everything, spreading_factor=sf)) for sf in BUDGET_ON_US
    }
    enough = (
        len(everything) >= WINDOWS_MIN
        and all(_enough(some) for some in runs.values())
        and all(len(some) >= WINDOWS_EACH_MIN for both in delayed.values() for some in both)
    )
    return {
        "name": "rx-window",
        "value": awake_us,
        "unit": "us, p99 of the opening error awake",
        "budget": f"awake <= {BUDGET_AWAKE_US}, after light sleep <= {BUDGET_LIGHT_US}, joins too; "
        f"windows at SF7 <= 16 ms, at SF12 <= 197 ms; >= {WINDOWS_EACH_MIN} windows of each kind",
        "holds": enough
        and max(awake_us, join_awake_us) <= BUDGET_AWAKE_US
        and max(light_us, join_light_us, learnt_us) <= BUDGET_LIGHT_US
        and all(us <= BUDGET_ON_US[sf] for sf, us in on_us.items()),
        "n": {
            "windows": len(everything),
            "enough": enough,
            "light_p99_us": light_us,
            "join_awake_p99_us": join_awake_us,
            "join_light_p99_us": join_light_us,
            "after_5_s_p99_us": worst_us({k: v[0] for k, v in delayed.items()}, False, False),
            "after_5_s_learnt_p99_us": learnt_us,
            "sf7_on_us": on_us[7],
            "sf12_on_us": on_us[12],
        },
        "rows": [
            row(setting, some)
            for setting, openings in runs.items()
            for join in (False, True)
            for number in (1, 2)
            if (some := _of(openings, join=join, number=number))
        ]
        + [
            row(setting, some, name)
            for setting, both in delayed.items()
            for name, some in zip(("RX1 after 5 s", "the same, learnt"), both, strict=True)
        ],
    }


def watch(setting: Setting) -> list[Opening]:
    return data_windows(setting) + join_windows(setting)


def measure() -> dict[str, Any]:
    """Eight settings of the firmware, each with its data frames and joins; some minutes."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        windows = pool.map(watch, SETTINGS)
        light = [one for one in SETTINGS if not one.awake]
        delayed = dict(zip(light, pool.map(delayed_windows, light), strict=True))
        result = judge(dict(zip(SETTINGS, windows, strict=True)), delayed)
    result["peer"] = rx_window_peers.widths_us()
    result["rows"] += rx_window_peers.rows()
    return result
