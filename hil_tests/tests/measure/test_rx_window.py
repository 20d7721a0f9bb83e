# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The firmware's windows open on time in a small run, and each part of the budget can be missed."""

from dataclasses import replace

import pytest

from revier_bench.measure import rx_window

GOOD = {
    ("awake", 1): [rx_window.Opening(1, 1_000, 16_000, 7)],
    ("light sleep", 1): [rx_window.Opening(2, -3_000, 197_000, 12)],
}


def test_the_budget_is_kept_to_the_microsecond():
    assert rx_window.judge(GOOD)["holds"]


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("awake", "error_us", -1_001),
        ("awake", "on_us", 16_001),
        ("light sleep", "error_us", 3_001),
        ("light sleep", "on_us", 197_001),
    ],
)
def test_each_part_of_the_budget_can_be_missed(name, field, value):
    late = [replace(one, **{field: value}) for one in GOOD[name, 1]]
    assert not rx_window.judge({**GOOD, (name, 1): late})["holds"]


def test_a_small_run_of_the_firmware():
    openings = rx_window.watch(1_000, 3, 2)
    assert {one.number for one in openings} == {1, 2}
    assert {one.spreading_factor for one in openings} == {7, 8, 9, 10, 11, 12}
    errors = [one.error_us for one in openings]
    assert max(abs(us) for us in errors) <= rx_window.BUDGET_LIGHT_US
    # a light sleep of 1 s whose clock is 1,000 ppm slow ends 1 ms late
    assert sum(errors) / len(errors) > 500
