# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""waste-accuracy on a few containers, and that it notices a worse detector."""

from __future__ import annotations

import pytest

from revier_bench.measure import waste_accuracy
from revier_bench.measure.waste_life import Life, live
from revier_node import bin_watch, echoes


def test_intervals() -> None:
    low, high = waste_accuracy.wilson(50, 100)
    assert low == pytest.approx(0.4038, abs=1e-4)
    assert high == pytest.approx(0.5962, abs=1e-4)
    assert waste_accuracy.wilson(0, 0) == (0.0, 1.0)


def test_the_same_range_gives_the_same_figure() -> None:
    first, again = (waste_accuracy.measure(range(3, 7)) for _ in range(2))
    assert first == again
    assert first["value"] < first["peer"]["plain median of 9 echoes, % of height"]


def test_it_notices_what_a_detector_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = range(40, 52)
    good = [live(seed) for seed in seeds]
    assert all(life.fire_late_s for life in good if life.fire)
    assert sum(life.emptyings for life in good) == sum(life.emptyings_found for life in good) > 0

    monkeypatch.setattr(echoes, "SOUND_PER_MILLION_K", 0)
    monkeypatch.setattr(bin_watch, "FIRE_C", 40)
    monkeypatch.setattr(bin_watch, "TILT_DEG", 120)
    worse = [live(seed) for seed in seeds]
    assert sum(life.fires_false for life in worse) > 0
    assert sum(life.emptyings_found for life in worse) == 0

    def error(lives: list[Life]) -> float:
        return waste_accuracy.p95([e for life in lives for e, _ in life.errors if e is not None])

    assert error(worse) > 1.5 * error(good)
