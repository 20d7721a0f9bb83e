# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The air node's decisions that need no machine: what samples agree on, what is news."""

from revier_node.robust import due, median_and_mad, unsteady

BANDS = ((20, 15), (10, 0))


def news(sent, values, age_s=600, min_s=0, max_s=3_600, noise=(0, 0)):
    return due(sent, values, BANDS, noise, age_s, min_s, max_s)


def case_median_and_mad_of_few():
    assert median_and_mad([7]) == (7, 0)
    assert median_and_mad([3, 1]) == (1, 0)
    assert median_and_mad([5, 1, 3]) == (3, 2)
    assert median_and_mad([-4, -1, -2, -9]) == (-4, 2)


def case_less_than_half_of_the_samples_cannot_move_either():
    good = [100, 101, 99, 100, 102, 98]
    for wild in (0, 10_000):
        middle, mad = median_and_mad(good + [wild] * 4)
        assert 98 <= middle <= 102
        assert mad <= 4


def case_a_channel_that_the_part_lacks():
    assert median_and_mad([None] * 10) == (None, 0)


def case_the_values_are_left_as_they_were():
    values = [3, 1, 2]
    median_and_mad(values)
    assert values == [3, 1, 2]


def case_unsteady_only_where_half_of_the_samples_are_far_off():
    assert not unsteady(*median_and_mad([100] * 6 + [900] * 4), 50)
    assert unsteady(*median_and_mad([0, 100, 900, 100, 800, 300, 900, 5, 700, 20]), 50)
    assert not unsteady(100, 50, 50)
    assert not unsteady(102, 51, 50)
    assert unsteady(101, 51, 50)


def case_a_dead_band_ends_beyond_its_least():
    assert not news((50, 200), (70, 210))
    assert not news((50, 200), (30, 190))
    assert news((50, 200), (71, 200))
    assert news((50, 200), (29, 200))
    assert news((50, 200), (50, 211))


def case_a_dead_band_is_a_share_of_large_values():
    assert not news((1000, 200), (1150, 200))
    assert news((1000, 200), (1151, 200))
    assert news((1000, 200), (849, 200))


def case_the_samples_scatter_widens_the_band():
    assert news((50, 200), (80, 200), noise=(29, 0))
    assert not news((50, 200), (80, 200), noise=(30, 0))


def case_a_value_that_comes_or_goes_is_news():
    assert news((50, 200), (None, 200))
    assert news((50, None), (50, 0))
    assert not news((None, 200), (None, 200))
    assert not news((0, 0), (0, 0))


def case_the_intervals():
    assert not news((50, 200), (500, 200), age_s=299, min_s=300)
    assert news((50, 200), (500, 200), age_s=300, min_s=300)
    assert not news((50, 200), (50, 200), age_s=3_599)
    assert news((50, 200), (50, 200), age_s=3_600)
    assert news((50, 200), (50, 200), age_s=3_600, min_s=7_200)


def case_random_walks_are_never_further_off_than_their_band():
    """Whatever is not sent is within the band of what was; same walk on each interpreter."""
    state, value, sent, uplinks = 1, 300, None, 0
    for _ in range(2_000):
        state = state * 1103 % 65_521
        value = max(0, value + state % 41 - 20)
        if sent is None or news((sent, 0), (value, 0)):
            sent = value
            uplinks += 1
        assert abs(value - sent) <= max(20, sent * 15 // 100)
    assert 100 < uplinks < 1_000
    return uplinks
