# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Waste: the cluster of echoes, temperature, second opinion; fire, tilt, the alarm's repeats."""

from revier_node import bin_alarm, bin_watch, echoes
from revier_node.bin_watch import FIRE, TILT, Bin


def case_cluster_takes_the_most_and_of_equals_the_farthest():
    assert echoes.cluster([]) == (None, 0)
    assert echoes.cluster([700]) == (700, 1)
    assert echoes.cluster([300, 800, 305, 810, 795]) == (800, 3)
    assert echoes.cluster([300, 310, 800, 810]) == (800, 2)
    assert echoes.cluster([1000, 1060]) == (1000, 2)
    assert echoes.cluster([1000, 1061]) == (1061, 1)


def case_water_on_the_face_and_silence_are_no_echo():
    assert echoes.level([30] * 11, 20) == (None, 0)
    assert echoes.level([None] * 11, 20) == (None, 0)
    assert echoes.level([30, 40, 41, None, 30, 30, 30], 20) == (41, 0)


def case_asks_seven_times_at_least_and_eleven_at_most():
    assert echoes.asks_more([800] * 6)
    assert not echoes.asks_more([800] * 7)
    assert not echoes.asks_more([800] * 5 + [None] * 2)
    assert echoes.asks_more([800] * 4 + [None] * 3)
    assert not echoes.asks_more([800] * 4 + [None] * 7)


def case_temperature_by_the_speed_of_sound():
    # -10 degrees and two metres: 11 cm
    assert echoes.level([2000] * 7, -10) == (1892, 5)
    assert echoes.level([2000] * 7, 20) == (2000, 5)
    assert echoes.level([2000] * 7, None) == (2000, 5)
    assert echoes.level([4500] * 7, 85) == (5027, 5)


def case_quality_is_the_share_that_agrees():
    assert echoes.level([800] * 5 + [400, 1200], 20) == (800, 3)
    assert echoes.level([800] * 7 + [None] * 4, 20) == (800, 5)
    assert echoes.level([800] * 2 + [None] * 9, 20) == (800, 1)


def case_second_opinion():
    agreed = [800] * 7
    assert echoes.level(agreed, 20, 850) == (800, 5)
    assert echoes.level(agreed, 20, 861) == (800, 0)
    split = [500] * 4 + [900] * 3
    assert echoes.level(split, 20) == (500, 2)
    assert echoes.level(split, 20, 910) == (900, 2)
    assert echoes.level([500] * 5 + [900] * 2, 20, 910) == (500, 0)
    assert echoes.level([30] * 11, 20, 35) == (35, 2)  # full up to the lid


def heat(steps):
    """[(seconds, degrees)] -> the seconds at which an alarm begins and ends."""
    bin_ = Bin(b"", 0)
    found = []
    for now_s, temperature_c in steps:
        bin_.feel_heat(now_s, temperature_c)
        if bin_.alarm != bin_.said:
            bin_.said = bin_.alarm
            found.append(now_s)
    return found


def case_fire_by_level():
    assert heat([(120, 60), (240, 67), (360, 74)]) == []
    assert heat([(120, 69), (240, 75)]) == [240]
    assert heat([(120, 80)]) == [120]


def case_fire_by_rate():
    assert heat([(120, 20), (240, 29)]) == []
    assert heat([(120, 20), (240, 30)]) == [240]
    assert heat([(120, 20), (123, 27)]) == []  # a woken node: no ramp in three seconds
    assert heat([(120, 20), (1920, 60)]) == []  # 40 K in half an hour is the sun
    # a wake between two looks does not hide the ramp
    assert heat([(120, 20), (180, 25), (240, 30)]) == [240]


def case_fire_ends_when_it_is_cool_for_ten_minutes():
    start = [(120, 20), (240, 40)]
    assert heat(start + [(360, 40), (480, 39), (839, 38)]) == [240]
    assert heat(start + [(360, 40), (480, 39), (840, 38)]) == [240, 840]
    assert heat([(120, 76), (900, 71)]) == [120]
    assert heat([(120, 76), (900, 70)]) == [120, 900]


def case_tilt_is_an_alarm_only_when_it_lasts():
    bin_ = Bin(b"", 0)
    bin_.feel_tilt(100, 30)
    assert not bin_.tilted_s
    assert not bin_.moved
    bin_.feel_tilt(100, 31)
    assert bin_.tilted_s == 100
    assert bin_.moved
    bin_.feel_tilt(399, 90)
    assert bin_.alarm == 0
    bin_.feel_tilt(400, 90)
    assert bin_.alarm == TILT
    bin_.feel_tilt(500, 3)
    assert bin_.alarm == 0
    assert not bin_.tilted_s
    assert bin_.moved


def sent(outcomes, until_s=3_000):
    """When the alarm goes out; None in outcomes: the wakes between."""
    bin_ = Bin(b"", 0)
    bin_.feel_heat(100, 80)
    times = []
    now_s = 100
    while now_s < until_s:
        if bin_.alarm_due(now_s):
            times.append(now_s)
            assert bin_.seq_after == (0 if len(times) == 1 else 8)
            _, values, how = bin_alarm.message(bin_, 80 + len(times), 3_600)
            assert how == "confirmed"
            assert values.get("seq") == (None if len(times) == 1 else 7)
            assert values["temperature"] == 81  # of the first
            bin_alarm.told(bin_, now_s, outcomes[min(len(times), len(outcomes)) - 1], 7)
        bin_.reading_s = now_s + 1_800
        bin_ = Bin(bin_.pack(), now_s)
        now_s = bin_.next_s(now_s)
    return times


def case_alarm_goes_out_four_times_in_ten_minutes():
    times = sent(["unacknowledged"])
    assert times == [100, 160, 310, 610]
    assert times[-1] - times[0] <= 600
    assert sent(["acked"]) == [100]
    assert sent(["unacknowledged", "acked"]) == [100, 160]
    assert sent(["aborted", "unacknowledged", "acked"]) == [100, 160, 310]


def case_what_was_never_on_the_air_does_not_count():
    assert sent(["", "deferred", "unacknowledged"]) == [100, 160, 220, 280, 430, 730]


def case_a_change_is_a_new_alarm():
    bin_ = Bin(b"", 0)
    bin_.feel_heat(100, 80)
    assert bin_.alarm_due(100)
    bin_alarm.told(bin_, 100, "unacknowledged", 7)
    assert not bin_.alarm_due(159)
    bin_.alarm |= TILT
    assert bin_.alarm_due(159)
    assert bin_.said == FIRE | TILT
    assert bin_.seq_after == 0


def case_emptied_needs_the_tilt_and_a_sixth():
    for moved, after_mm, found in ((1, 600, True), (0, 600, False), (1, 599, False)):
        bin_ = Bin(b"", 0)
        assert not bin_.measured(500, 5)
        bin_.moved = moved
        assert not bin_.measured(None, 0)
        assert not bin_.measured(1400, 1)  # doubtful
        assert bin_.measured(after_mm, 2) is found


def case_tilt_is_looked_at_every_six_hours_and_when_there_is_cause():
    bin_ = Bin(b"", 0)
    assert bin_.looks(10)
    bin_.feel_tilt(10, 12)
    assert bin_.tilt_deg == 12
    assert not bin_.looks(11)
    assert not bin_.looks(10 + bin_watch.LOOK_S - 1)
    assert bin_.looks(10 + bin_watch.LOOK_S)
    bin_.moved = 1
    assert bin_.looks(11)


def case_memory():
    bin_ = Bin(b"", 0)
    bin_.upright = (-12, 3, 998)
    bin_.feel_heat(100_000, -31)
    bin_alarm.told(bin_, 100_000, "acked", 0xFFFFFFFE)
    data = bin_.pack()
    assert len(data) <= 64
    again = Bin(data, 100_000)
    assert again.pack() == data
    assert again.temperature_c == -31
    assert again.seq_after == 0xFFFFFFFF
    # a power loss: the copy in flash, the clock from zero
    lost = Bin(data, 5)
    assert lost.upright == (-12, 3, 998)
    assert lost.temperature_s == lost.reading_s == lost.seq_after == 0
    assert Bin(b"other", 0).upright == (0, 0, 0)


def case_wakes_often_while_something_goes_on():
    bin_ = Bin(b"", 0)
    bin_.reading_s = 1_800
    assert bin_.next_s(100) == 100 + bin_watch.WATCH_S
    assert bin_.next_s(1_750) == 1_800
    assert bin_.next_s(1_900) == 1_901
    bin_.moved = 1
    assert bin_.next_s(100) == 100 + bin_watch.SOON_S
