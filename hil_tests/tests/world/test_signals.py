# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import itertools
import random
from statistics import fmean, stdev

import pytest

from revier_bench.world.calendar_de import HOUR_US, local_time
from revier_bench.world.signals import (
    DAY_US,
    AirEnvironment,
    ParkingEnvironment,
    WasteEnvironment,
)
from revier_bench.world.weather import Ar1, Weather

START_US = 1_793_577_600_000_000  # 2026-11-02 00:00 UTC, a Monday
SUMMER_US = 1_783_900_800_000_000  # 2026-07-13 00:00 UTC, a Monday
HOURS = [n * HOUR_US for n in range(24 * 14)]


def air(seed: str = "1", name: str = "a", start_us: int = START_US) -> AirEnvironment:
    return AirEnvironment(seed, name, Weather(seed, start_us), start_us)


def bay(seed: str = "1", name: str = "p") -> ParkingEnvironment:
    return ParkingEnvironment(seed, name, Weather(seed, START_US), START_US)


def bin_(seed: str = "1", name: str = "w") -> WasteEnvironment:
    return WasteEnvironment(seed, name, Weather(seed, START_US), START_US, 1500, 250)


def describe(environment, t_us: int) -> list[object]:
    return [
        getattr(environment, name)(t_us)
        for name in (
            "pm_ug_m3",
            "co2_ppm",
            "voc_index",
            "nox_index",
            "humidity_pct",
            "pressure_pa",
            "temperature_c",
            "battery_mv",
            "field_ut",
            "occupied",
            "next_change_us",
            "ground_loss_db",
            "distance_mm",
            "fill_fraction",
        )
        if hasattr(environment, name)
    ]


@pytest.mark.parametrize("make", [air, bay, bin_])
def test_the_order_of_questions_changes_nothing(make) -> None:
    forward, shuffled = make(), make()
    mixed = HOURS.copy()
    random.Random(7).shuffle(mixed)
    answers = {t_us: describe(shuffled, t_us) for t_us in mixed}
    assert [describe(forward, t_us) for t_us in HOURS] == [answers[t_us] for t_us in HOURS]


@pytest.mark.parametrize("make", [air, bay, bin_])
def test_seed_and_name_make_the_difference(make) -> None:
    def fingerprint(environment) -> list[object]:
        return [describe(environment, t_us) for t_us in HOURS[:48]]

    assert fingerprint(make("1", "x")) == fingerprint(make("1", "x"))
    assert fingerprint(make("1", "x")) != fingerprint(make("2", "x"))
    assert fingerprint(make("1", "x")) != fingerprint(make("1", "y"))


def test_local_time_knows_summer_time() -> None:
    assert local_time(SUMMER_US).hour == 2
    assert local_time(START_US).hour == 1
    before, after = 1_774_746_000_000_000 - 1, 1_774_746_000_000_000  # 2026-03-29 01:00 UTC
    assert (int(local_time(before).hour), int(local_time(after).hour)) == (1, 3)
    saturday = local_time(START_US + 5 * DAY_US)
    assert saturday.weekend
    assert not local_time(START_US).weekend


def test_autoregression_has_the_deviation_and_memory_that_were_asked_for() -> None:
    process = Ar1("1", "x", 0.51, 3.3)
    values = [process(t_us) for t_us in range(0, 400 * DAY_US, HOUR_US)]
    assert fmean(values) == pytest.approx(0.0, abs=0.05)
    assert stdev(values) == pytest.approx(0.51, abs=0.04)
    lagged = fmean(a * b for a, b in itertools.pairwise(values)) / stdev(values) ** 2
    assert lagged == pytest.approx(0.74, abs=0.05)  # exp(-1/3.3)


def test_air_stays_in_the_ranges_of_the_ruhr_area() -> None:
    for start_us in (START_US, SUMMER_US):
        environment = air(start_us=start_us)
        readings = [environment.pm_ug_m3(t_us) for t_us in HOURS]
        for pm1, pm25, pm4, pm10 in readings:
            assert 0 <= pm1 <= pm25 <= pm4 <= pm10 < 600
        assert 2 < sorted(pm25 for _, pm25, _, _ in readings)[len(readings) // 2] < 30
        assert all(15 <= environment.humidity_pct(t_us) <= 100 for t_us in HOURS)
        assert all(95_000 < environment.pressure_pa(t_us) < 105_000 for t_us in HOURS)
    summer, autumn = air(start_us=SUMMER_US), air()
    mean_summer = fmean(summer.temperature_c(t_us) for t_us in HOURS)
    mean_autumn = fmean(autumn.temperature_c(t_us) for t_us in HOURS)
    assert mean_summer > mean_autumn + 4
    afternoon = fmean(summer.temperature_c(n * DAY_US + 14 * HOUR_US) for n in range(14))
    night = fmean(summer.temperature_c(n * DAY_US + 3 * HOUR_US) for n in range(14))
    assert afternoon > night + 3


def test_bays_are_as_occupied_as_the_car_parks_were() -> None:
    bays = [bay("1", f"p{n}") for n in range(30)]
    workdays = [day for day in range(14) if day % 7 < 5]

    def share(hour_utc: int) -> float:
        moments = [day * DAY_US + hour_utc * HOUR_US for day in workdays]
        return fmean(b.occupied(t_us) for b in bays for t_us in moments)

    assert share(11) == pytest.approx(0.62, abs=0.14)  # 12 h local
    assert share(2) < 0.28  # 3 h local: the profile says 0.07, long stays linger
    assert share(11) > share(20) + 0.2


def test_vehicles_show_in_field_and_radio_loss() -> None:
    environment = bay()
    environment.occupied(14 * DAY_US)
    checked = 0
    for stay in environment._stays[:20]:
        before, during = stay.arrive_us - 1, (stay.still_us + stay.leave_us) // 2
        assert not environment.occupied(before)
        assert environment.occupied(during)
        moved = [
            abs(a - b)
            for a, b in zip(
                environment.field_ut(before), environment.field_ut(stay.still_us), strict=True
            )
        ]
        assert sum(d * d for d in moved) ** 0.5 > 4
        assert environment.ground_loss_db(before) == 3.0
        assert 13 <= environment.ground_loss_db(during) <= 28
        checked += 1
    assert checked == 20


def test_every_change_of_the_field_is_announced() -> None:
    environment = bay()
    t_us, seen = 0, set()
    while t_us < 3 * DAY_US:
        following_us = environment.next_change_us(t_us)
        assert following_us > t_us
        t_us = following_us
        seen.add(t_us)
    for stay in environment._stays:
        if stay.gone_us < 3 * DAY_US:
            assert {stay.arrive_us, stay.still_us, stay.leave_us, stay.gone_us} <= seen


def test_a_container_fills_settles_and_is_emptied() -> None:
    environment = bin_()
    fills = [environment.fill_fraction(t_us) for t_us in range(0, 28 * DAY_US, HOUR_US)]
    assert all(0 <= fill <= 1 for fill in fills)
    drops = [b - a for a, b in itertools.pairwise(fills)]
    assert sum(drop < -0.25 for drop in drops) in (3, 4, 5)  # weekly
    assert max(fills) > 0.5
    assert any(-0.01 < drop < 0 for drop in drops)


def test_a_container_is_tilted_while_it_is_emptied() -> None:
    environment = bin_()
    t_us, motions = 0, []
    while t_us < 28 * DAY_US:
        t_us = environment.next_motion_us(t_us)
        motions.append((t_us, environment.acceleration_mg(t_us)))
    emptyings, ends = motions[0::2], motions[1::2]
    assert len(emptyings) in (4, 5)
    for (begin_us, lying), (end_us, upright) in zip(emptyings, ends, strict=False):
        assert lying[2] <= 500  # mg; 60 degrees or more
        assert upright == (0.0, 0.0, 1_000.0)
        assert end_us - begin_us == 20_000_000
        assert environment.fill_fraction(begin_us) < environment.fill_fraction(begin_us - 1)


def test_echoes_have_the_stated_mixture() -> None:
    environment = bin_()
    true_mm = 1500 - environment.fill_fraction(0) * 1250
    echoes = [environment.distance_mm(t_us) for t_us in range(4000)]
    none = sum(echo is None for echo in echoes) / len(echoes)
    good = sum(echo is not None and abs(echo - true_mm) < 40 for echo in echoes) / len(echoes)
    assert none == pytest.approx(0.03, abs=0.01)
    assert good == pytest.approx(0.84, abs=0.03)


def test_batteries_are_batteries() -> None:
    for make in (air, bay, bin_):
        environment = make()
        assert all(3300 < environment.battery_mv(t_us) < 3700 for t_us in HOURS)
