# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import pytest

from revier_bench.measure import parking_accuracy as accuracy
from revier_bench.measure.parking_looks import Bay, Change
from revier_bench.world.parking_signals import ParkingSignals
from revier_node.kinds.parking import OCCUPIED, VACANT


def test_wilson_is_the_textbook_interval():
    low, high = accuracy.wilson(8, 10)
    assert (low, high) == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))
    assert accuracy.wilson(0, 0) == (0.0, 1.0)


def test_what_is_late_is_missed_and_what_nobody_did_is_false():
    signals = ParkingSignals(3, days=1)
    stay = next(s for s in signals.stays if s.leave_s - s.still_s > 600)
    right = [
        Change(change_s, state)
        for s in signals.stays
        for change_s, state in ((s.still_s + 2, OCCUPIED), (s.gone_s + 2, VACANT))
    ]
    perfect = accuracy.score(signals, right)
    assert perfect.arrivals_found == perfect.arrivals > 3
    assert perfect.departures_found == perfect.departures
    assert not perfect.false
    late = [
        Change(stay.still_s + 300, OCCUPIED) if c.at_s == stay.still_s + 2 else c for c in right
    ]
    assert accuracy.score(signals, late).arrivals_found == perfect.arrivals - 1
    empty_s = signals.stays[0].arrive_s - 30
    assert accuracy.score(signals, [Change(empty_s, OCCUPIED), *right]).false == 1
    assert accuracy.score(signals, [*right, Change(stay.still_s + 300, VACANT)]).false == 1


def test_the_shipped_detector_finds_more_than_its_peers():
    totals = {name: accuracy.Score() for name in accuracy.DETECTORS}
    for seed in range(4):
        for name, one in accuracy.judge(seed).items():
            totals[name].add(one)
    own, fixed = totals["revier"], totals["fixed threshold"]
    assert own.arrivals_found / own.arrivals > 0.97
    assert own.arrivals_found >= fixed.arrivals_found
    assert own.false < fixed.false


@pytest.mark.parametrize("seed", range(6))
def test_begun_beside_a_vehicle_it_is_right_once_the_next_has_left(seed):
    signals = ParkingSignals(seed, days=2)
    above, later = signals.stays[2:4]
    wrong = Bay(signals, accuracy.Shipped()).run((above.still_s + above.leave_s) / 2)
    assert wrong[0].state == OCCUPIED, "the vehicle's leaving is taken for an arrival"
    assert above.leave_s <= wrong[0].at_s <= above.gone_s + accuracy.FOUND_S
    judged = accuracy.score(signals, wrong)
    assert judged.arrivals > 10
    assert judged.arrivals - judged.arrivals_found <= 4, "the two before it began, these two"
    assert judged.departures - judged.departures_found == 3, "the next one's is found"
    assert any(c.state == VACANT and later.leave_s <= c.at_s <= later.gone_s + 120 for c in wrong)


def test_a_second_arrival_of_one_vehicle_is_false_and_one_taken_back_is_missed():
    signals = ParkingSignals(3, days=1)
    stay = next(s for s in signals.stays if s.leave_s - s.still_s > 600)
    twice = [Change(stay.still_s + 2, OCCUPIED), Change(stay.still_s + 400, OCCUPIED)]
    assert accuracy.score(signals, twice).false == 1
    back = [Change(stay.still_s + 2, OCCUPIED), Change(stay.still_s + 60, VACANT)]
    judged = accuracy.score(signals, back)
    assert (judged.arrivals_found, judged.false) == (0, 1)
