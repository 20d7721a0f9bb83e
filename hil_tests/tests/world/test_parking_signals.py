# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import math

import pytest

from revier_bench.world import parking_signals
from revier_bench.world.parking_signals import ParkingSignals, Stay, dipole_ut


def test_a_seed_repeats_and_another_differs():
    one, same, other = ParkingSignals(5), ParkingSignals(5), ParkingSignals(6)
    assert one.stays == same.stays
    assert one.field_ut(40_000.0) == same.field_ut(40_000.0)
    assert one.stays != other.stays


def test_a_dipole_on_its_axis_is_twice_the_one_beside_it():
    assert dipole_ut((200.0, 0.0, 0.0), (1.0, 0.0, 0.0))[0] == pytest.approx(40.0)
    assert dipole_ut((200.0, 0.0, 0.0), (0.0, 1.0, 0.0))[0] == pytest.approx(-20.0)
    assert dipole_ut((200.0, 0.0, 0.0), (2.0, 0.0, 0.0))[0] == pytest.approx(5.0)


def test_a_vehicle_halts_half_way_and_goes_on():
    stay = Stay(10.0, 16.0, 100.0, 103.0, (1.0, 0.0, 0.0), (0.0, 0.0, 0.6), pause_s=2.0)
    assert [stay.progress(t) for t in (10.0, 12.0, 13.0, 14.0, 16.0, 50.0)] == [
        0.0,
        0.5,
        0.5,
        0.5,
        1.0,
        1.0,
    ]
    assert stay.progress(103.0) == 0.0


def test_vehicles_and_neighbours_lie_in_their_ranges():
    own, beside, weak = [], [], 0
    for seed in range(40):
        signals = ParkingSignals(seed, days=1)
        for stay in signals.stays:
            moment = math.hypot(*stay.moment)
            weak += moment < parking_signals.MOMENT_A_M2[0] * 0.999
            assert 30 <= moment <= 300.001
            own.append(math.hypot(*dipole_ut(stay.moment, stay.at)))
        beside += [math.hypot(*s.at) for stays, _ in signals._neighbours for s in stays]
    assert 0.05 < weak / len(own) < 0.2
    assert min(own) > 2
    assert max(own) > 100
    assert min(beside) > 0.1
    assert max(beside) < 7.6


def test_the_field_comes_back_when_the_bay_is_empty_but_for_bumps():
    signals = next(s for s in map(ParkingSignals, range(100, 400)) if s.bumps)
    at_s, step = signals.bumps[0]
    assert 1.0 <= math.hypot(*step) <= 10.0
    assert step in signals._parts(at_s)
    assert step not in signals._parts(at_s - 0.001)
