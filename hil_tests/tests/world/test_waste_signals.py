# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The generator keeps to its own shares."""

from __future__ import annotations

import itertools
import math
import statistics

from revier_bench.world.waste_signals import BLIND_MM, WEEK_S, WasteSignals

HOUR_S = 3_600


def readings(seed: int) -> list[tuple[float, int | None]]:
    bin_ = WasteSignals(seed)
    return [
        (reading.true_mm, echo)
        for reading in (bin_.reading(n * HOUR_S) for n in range(160))
        for echo in reading.echoes_mm
    ]


def test_a_seed_says_everything() -> None:
    assert readings(3) == readings(3)
    assert readings(3) != readings(4)


def test_shares_of_echoes() -> None:
    every = [item for seed in range(40) for item in readings(seed)]
    heard = [(true, mm) for true, mm in every if mm is not None and mm != BLIND_MM]
    silent = sum(mm is None for _, mm in every) / len(every)
    assert 0.10 < silent < 0.22, "the mean of 3 to 30 %"
    near = sum(mm < true * 0.9 - 40 for true, mm in heard) / len(heard)
    assert 0.06 < near < 0.22, "wall and near echoes, and cold air"
    assert any(mm == BLIND_MM for _, mm in every), "condensation"


def test_an_emptying_lowers_the_level_and_settles_nothing_else() -> None:
    for seed in range(20):
        bin_ = WasteSignals(seed)
        for tilt in bin_.tilts:
            assert 60 <= tilt.angle_deg <= 110
            before, after = bin_.fill(tilt.begin_s - 1), bin_.fill(tilt.end_s + 1)
            assert math.isclose(after, before * (1 - tilt.emptied), abs_tol=0.16)


def test_half_of_the_containers_burn_and_no_sun_looks_like_it() -> None:
    bins = [WasteSignals(seed) for seed in range(200)]
    burning = [bin_ for bin_ in bins if bin_.fire_s < math.inf]
    assert 70 < len(burning) < 130
    lives = [bin_.died_s - bin_.fire_s for bin_ in burning]
    assert min(lives) > 100
    assert max(lives) < 900
    assert statistics.median(bin_.temperature_c(bin_.died_s) for bin_ in burning) > 99
    for bin_ in bins:
        end_s = min(bin_.fire_s, WEEK_S)
        steps = [bin_.temperature_c(t) for t in range(0, int(end_s) - 120, 120)]
        assert max(abs(b - a) for a, b in itertools.pairwise(steps)) < 6
        assert max(steps) < 61
