# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from random import Random

import pytest

from revier_bench.measure import air_reporting as m


def test_on_change_is_nearer_to_the_truth_than_a_fixed_interval() -> None:
    result = m.measure(0, 3)
    assert result["holds"], result
    rules = result["n"]["rules"]
    assert rules["every 5 min"]["pm25_mean"] < rules[m.CHANGE]["pm25_mean"], "each frame tells"


def test_the_recording_is_whole() -> None:
    rows = m.recording()
    assert {sensor: len(of) for sensor, of in rows.items()} == {"15092": 2912, "15462": 2820}
    assert max(masses[1] for of in rows.values() for _, masses in of) > 2_000, "the fireworks"


def test_a_gap_has_no_reading() -> None:
    rows = [(0, (10, 20)), (150, (30, 40)), (2_000, (50, 60)), (2_100, (70, 80))]
    assert m.wakes(rows, 10) == [(10, (10, 20)), (310, (30, 40))]


def test_errors_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m, "LOSS", 0.0)
    readings = [(300 * n, (v, 0)) for n, v in enumerate((100, 110, 150, 100, 100, 100))]
    fixed = m.replay(readings, m.every(3), Random(0))
    assert fixed.pm25 == [0.0, 1.0, 5.0, 0.0, 0.0, 0.0]
    change = m.replay(readings, m.on_news(), Random(0))
    assert change.pm25 == [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert change.uplinks_per_day == pytest.approx(3 / 6 * 288)


def test_a_lost_frame_is_mended_within_the_longest_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readings = [(300 * n, (100 if n < 1 else 300, 0)) for n in range(20)]
    monkeypatch.setattr(m, "LOSS", 1.0)
    deaf = m.replay(readings, m.on_news(), Random(0))
    assert deaf.pm25 == [0.0] + [20.0] * 19
    chance = Random(0)
    monkeypatch.setattr(m, "LOSS", 0.5)
    draws = iter((0.1, 0.9))  # lost, heard
    monkeypatch.setattr(chance, "random", lambda: next(draws))
    mended = m.replay(readings, m.on_news(), chance)
    assert mended.pm25 == [0.0] + [20.0] * 12 + [0.0] * 7
