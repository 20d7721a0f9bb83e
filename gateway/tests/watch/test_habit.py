# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The learned interval: what it says, and what it forgives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revier_gateway.watch.habit import CLASSES, STEPS_MAX, STEPS_MIN, Habit

STEP_S = st.floats(8.0, 500_000.0)
CLASS = 2 ** (1 / 4)


def of(*steps_s: float) -> Habit:
    habit = Habit()
    for step_s in steps_s:
        habit.note(step_s)
    return habit


def test_nothing_is_known_before_three_steps() -> None:
    assert of(*[300.0] * (STEPS_MIN - 1)).p99_s() is None
    assert of(*[300.0] * (STEPS_MIN - 1)).median_s() is None
    assert of(*[300.0] * STEPS_MIN).p99_s() is not None


@given(STEP_S, st.integers(STEPS_MIN, 500))
def test_a_steady_interval_is_found_to_a_class_and_never_below(step_s: float, n: int) -> None:
    for found in (of(*[step_s] * n).p99_s(), of(*[step_s] * n).median_s()):
        assert found is not None
        assert step_s * 0.999 <= found <= step_s * CLASS * 1.001


@given(st.lists(STEP_S, min_size=STEPS_MIN, max_size=STEPS_MAX))
def test_p99_is_the_nearest_rank_but_one_odd_step_is_forgiven(steps_s: list[float]) -> None:
    ranked = sorted(steps_s)
    true_s = ranked[min(math.ceil(0.99 * len(ranked)), len(ranked) - 1) - 1]
    found = of(*steps_s).p99_s()
    assert found is not None
    assert true_s * 0.999 <= found <= true_s * CLASS * 1.001


def test_one_outage_of_three_days_changes_nothing() -> None:
    assert of(*[300.0] * 5, 259_200.0).p99_s() == of(*[300.0] * 5).p99_s()


def test_a_new_interval_is_learned_and_the_old_one_forgotten() -> None:
    habit = of(*[300.0] * 100, *[3600.0] * 3)
    p99_s = habit.p99_s()
    assert p99_s is not None
    assert p99_s >= 3600
    for _ in range(5 * STEPS_MAX):
        habit.note(60.0)
    p99_s = habit.p99_s()
    assert p99_s is not None
    assert p99_s < 72


@given(st.lists(st.floats(0, 1e9), max_size=600))
def test_it_is_bounded_and_survives_as_bytes(steps_s: list[float]) -> None:
    habit = of(*steps_s)
    assert habit.steps <= STEPS_MAX
    assert len(bytes(habit)) == CLASSES
    assert Habit(bytes(habit)).p99_s() == habit.p99_s()


@pytest.mark.parametrize("step_s", [0.0, -5.0, 8.0, 1e12])
def test_impossible_steps_have_a_class(step_s: float) -> None:
    assert of(step_s).steps == 1
