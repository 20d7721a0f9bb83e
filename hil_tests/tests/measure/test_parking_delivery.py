# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Arrivals below a vehicle: who is known in time, what counts as known, and what may not hold."""

from dataclasses import replace

import pytest

from revier_bench.measure import parking_delivery as delivery
from revier_bench.measure import parking_delivery_town as street
from revier_bench.measure.parking_delivery_node import ADR, ADR_TWICE, ONCE, OURS, Change
from revier_bench.measure.parking_delivery_town import HOUR_US, PROMPT_US, Outcome, Town, run
from revier_node.kinds.parking import OCCUPIED, VACANT

SECOND_US = 1_000_000
DAY_US = 24 * HOUR_US


@pytest.fixture
def quiet(monkeypatch):
    """Hardly anyone else sends: most of the time goes into them."""
    monkeypatch.setattr(street, "OTHERS_FRAMES_PER_S", 0.005)


@pytest.mark.usefixtures("quiet")
def test_a_reserve_delivers_what_adr_loses_below_the_car():
    ours = run(Town(OURS, 15.0, 5, 6, 1.6))
    assert ours.arrivals > 15
    assert ours.prompt == ours.known == ours.arrivals
    assert ours.violations == 0
    assert sum(ours.frames[1:4]) > 0.8 * sum(ours.frames)
    assert not ours.frames[0]
    adr = run(Town(ADR, 15.0, 5, 6, 1.6))
    assert adr.arrivals == ours.arrivals
    assert adr.prompt < 0.7 * adr.arrivals
    assert adr.prompt < adr.known
    assert sum(adr.frames) < 0.8 * sum(ours.frames)


@pytest.mark.usefixtures("quiet")
def test_same_seed_same_street():
    town = Town(OURS, 20.0, 1, 3, 1.2)
    assert run(town) == run(town)
    assert run(town).by_bay != run(replace(town, seed=2)).by_bay


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("twice", "once"), [(OURS, ONCE), (ADR_TWICE, ADR)])
def test_only_who_repeats_sends_each_event_again(twice, once):
    frames = {policy: sum(run(Town(policy, 10.0, 3, 3, 1.1)).frames) for policy in (twice, once)}
    assert frames[once] + 3 * 5 < frames[twice] < 2 * frames[once]


class Silent:
    data_rates = (0,) * 6

    class radio:  # noqa: N801 - an attribute
        sent = ()


def scored(known_after_us):
    """One arrival, known so long after the vehicle stood still."""
    outcome = Outcome(Town(OURS, 15.0, 0, 1, 2.0))
    at_us = DAY_US + 5 * SECOND_US
    found = [Change(at_us, OCCUPIED), Change(at_us + 3 * HOUR_US, VACANT)]
    known_us = {} if known_after_us is None else {0: at_us + known_after_us}
    street._score(outcome, Silent, found, known_us)
    return outcome.prompt, outcome.known, outcome.arrivals


def test_in_time_is_two_minutes_and_at_last_the_next_heartbeat():
    assert scored(PROMPT_US) == (1, 1, 1)
    assert scored(PROMPT_US + 1) == (0, 1, 1)
    assert scored(HOUR_US + PROMPT_US + 1) == (0, 0, 1)
    assert scored(None) == (0, 0, 1)


def outcome(policy=OURS, car_db=15.0, bays=((30, 30),) * 20, violations=0):
    prompt, arrivals = map(sum, zip(*bays, strict=True))
    return Outcome(
        Town(policy, car_db, 0, len(bays), 2.5),
        arrivals,
        prompt,
        prompt,
        list(bays),
        [0, 3, 2, 1, 0, 0],
        SECOND_US,
        violations,
    )


def test_the_result_can_fail():
    peer = outcome(ADR, bays=((10, 30),) * 20)
    whole = delivery.summary([outcome(), peer])
    assert whole["holds"]
    assert whole["value"] == 100
    assert whole["n"]["interval_95"][0] > 99
    assert whole["peer"] == {"plain ADR, each event once, 15 dB": "33.33 % (33.33..33.33)"}
    missed = outcome(bays=((30, 30),) * 19 + ((22, 30),))
    result = delivery.summary([missed, peer])
    assert not result["holds"]
    low, high = result["n"]["interval_95"]
    assert low < 98 < high == 100  # one bay of twenty: it may as well be none, or three
    assert not delivery.summary([outcome(violations=1), peer])["holds"]
    assert delivery.summary([outcome(), outcome(car_db=25.0, bays=((0, 9),)), peer])["holds"]


def test_each_group_is_run_on_the_same_towns():
    plan = delivery.towns(range(7, 9))
    judged = [(town.policy, town.seed) for town in plan if town.car_db == delivery.CAR_DB]
    assert [seed for policy, seed in judged if policy == OURS] == [7, 8]
    assert [seed for policy, seed in judged if policy == ADR] == [7, 8]
    assert {town.car_db for town in plan if town.policy == ADR} == {10, 15, 20, 25}
