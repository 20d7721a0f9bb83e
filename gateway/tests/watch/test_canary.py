# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Connected but silent."""

from __future__ import annotations

from revier_gateway.watch.canary import UNDER_WAY_MAX, Canary


def test_one_each_minute() -> None:
    canary = Canary(60, 0)
    sent = [canary.due(at_s * 1000) for at_s in range(0, 180, 10)]
    assert [number for number in sent if number is not None] == [1, 2, 3]


def test_a_round_trip_is_measured_once() -> None:
    canary = Canary(60, 0)
    assert canary.due(0) == 1
    canary.came_back(1, 40)
    assert canary.round_trip_s == 0.04
    canary.came_back(1, 9000)
    canary.came_back(7, 9000)
    assert (canary.round_trip_s, canary.back_ms) == (0.04, 40)


def test_it_is_lost_after_three_intervals_with_open_ways_only() -> None:
    canary = Canary(60, 0)
    canary.due(0)
    assert canary.lost_s(10_000_000) is None  # never connected: another alert says so
    canary.online(True, 1_000)
    assert canary.lost_s(181_000) is None
    assert canary.lost_s(181_001) == 180.001
    canary.came_back(1, 181_002)
    assert canary.lost_s(361_002) is None
    assert canary.lost_s(361_003) == 180.001
    canary.online(False, 361_003)
    assert canary.lost_s(900_000) is None
    canary.online(True, 900_000)
    assert canary.lost_s(1_000_000) is None


def test_a_short_interval_gives_the_reader_time_to_come_back() -> None:
    canary = Canary(1, 0)
    canary.online(True, 0)
    assert canary.lost_s(35_000) is None
    assert canary.lost_s(35_001) == 35.001


def test_another_interval_judges_only_what_comes() -> None:
    canary = Canary(600, 0)
    canary.online(True, 0)
    canary.due(0)
    canary.came_back(1, 50)
    canary.set_every(20, 500_000)
    assert canary.lost_s(500_000) is None
    assert canary.due(500_000) == 2
    assert canary.lost_s(560_001) == 60.001


def test_it_is_bounded() -> None:
    canary = Canary(1, 0)
    numbers = [canary.due(n * 1000) for n in range(UNDER_WAY_MAX + 10)]
    canary.came_back(1, 0)
    assert canary.back_ms is None  # forgotten
    canary.came_back(UNDER_WAY_MAX, 500)
    assert canary.back_ms == 500
    assert None not in numbers
