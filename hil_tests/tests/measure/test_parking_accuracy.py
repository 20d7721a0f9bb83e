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


def test_a_state_that_was_wrong_is_put_right_by_the_next_vehicle():
    signals = ParkingSignals(3, days=1)
    detector = accuracy.Shipped()
    bay = Bay(signals, detector)
    detector.calibrate = lambda field, warm: accuracy.take(
        detector, (field[0] + 300, *field[1:]), warm
    )
    bay.run()
    assert bay.changes[0].state == OCCUPIED  # calibrated beside a car: inverted
    assert accuracy.score(signals, bay.changes[1:]).departures_found >= len(signals.stays) - 4
