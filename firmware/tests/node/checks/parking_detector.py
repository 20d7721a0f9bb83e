# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The detector alone: fields in digits of 0.15 uT and temperatures go in, its state comes out."""

from runner import run

from revier_node.kinds.parking import OCCUPIED, VACANT, Detector
from revier_node.parking_change import take

EARTH = (130, -40, 300)
CAR = (150, -90, 60)  # 27 uT
OTHER_CAR = (-120, 200, 90)
WEAK = (50, 30, 0)  # 8.7 uT: no more than two neighbours
KELVIN = 8
MILD = 12 * KELVIN
SLOPE = (1, -1, 1)  # digits per K, 0.15 uT/K


def plus(*fields):
    return tuple([sum(axes) for axes in zip(*fields)])  # noqa: B905 (MicroPython)


def minus(a, b):
    return plus(a, [-axis for axis in b])


def warmed(warm):
    return plus(EARTH, [slope * (warm - MILD) // KELVIN for slope in SLOPE])


def vacant():
    detector = Detector()
    take(detector, EARTH, MILD)
    return detector


def by_pin(detector, field, warm=MILD):
    return detector.look(field, warm, True, False)


def by_timer(detector, field, warm=MILD):
    return detector.look(field, warm, False, False)


def near(a, b, digits):
    return all(abs(x - y) <= digits for x, y in zip(a, b))  # noqa: B905


def learnt():
    """Two weeks of hourly looks at an empty bay."""
    detector = vacant()
    for hour in range(14 * 24):
        warm = MILD + KELVIN * (8 - 4 * abs(12 - hour % 24) // 3)
        assert not by_timer(detector, warmed(warm), warm)
    return detector


def check_the_empty_bay_follows_what_drifts_slowly():
    detector = vacant()
    for step in range(100):
        assert not by_timer(detector, plus(EARTH, (step, 0, 0)))
    assert detector.state == VACANT
    assert near(detector.empty(MILD), plus(EARTH, (99, 0, 0)), 4)


def check_under_a_vehicle_the_empty_bay_stays_what_it_was():
    detector = vacant()
    assert by_pin(detector, plus(EARTH, CAR))
    for step in range(100):
        assert not by_timer(detector, plus(EARTH, CAR, (step, 0, 0)))
    assert detector.state == OCCUPIED
    assert detector.empty(MILD) == EARTH


def check_what_waits_for_a_second_look_is_not_learnt():
    detector = vacant()
    assert not by_pin(detector, plus(EARTH, WEAK))
    assert detector.doubt
    assert detector.empty(MILD) == EARTH


def check_the_drift_with_temperature_is_learnt_and_told_under_a_vehicle():
    detector = learnt()
    assert by_pin(detector, plus(EARTH, CAR))
    for warm in (MILD + 20 * KELVIN, MILD - 15 * KELVIN):
        assert near(detector.empty(warm), warmed(warm), 5), (warm, detector.empty(warm))
    # it has got 15 K colder when the vehicle leaves: 2.2 uT on each axis are no vehicle's
    cold = MILD - 15 * KELVIN
    assert by_pin(detector, warmed(cold), cold)
    assert (detector.state, detector.doubt) == (VACANT, 0)


def check_a_passer_by_teaches_no_drift_with_temperature():
    detector = learnt()
    cold = MILD - 15 * KELVIN
    drift = minus(detector.empty(MILD), detector.empty(cold))
    for _ in range(20):
        assert not by_pin(detector, plus(warmed(cold), (25, 0, 0)), cold)
    assert near(minus(detector.empty(MILD), detector.empty(cold)), drift, 1)
    assert not near(detector.empty(cold), warmed(cold), 15)  # it stays: as a neighbour does


def check_a_small_margin_waits_for_the_timer_whatever_the_interrupt_says():
    detector = vacant()
    weak = plus(EARTH, WEAK)
    assert not by_pin(detector, weak)
    assert (detector.state, detector.doubt) == (VACANT, 1)
    assert not detector.look(plus(weak, (2, 0, 0)), MILD, True, True)
    assert (detector.state, detector.doubt) == (VACANT, 1)
    assert by_timer(detector, weak)
    assert (detector.state, detector.doubt) == (OCCUPIED, 0)


def check_what_has_gone_at_the_second_look_was_none():
    for again in (by_pin, by_timer):
        detector = vacant()
        assert not by_pin(detector, plus(EARTH, WEAK))
        assert not again(detector, EARTH)
        assert (detector.state, detector.doubt) == (VACANT, 0)


def check_a_large_margin_does_not_wait():
    detector = vacant()
    assert by_pin(detector, plus(EARTH, CAR))
    assert by_pin(detector, EARTH)
    assert (detector.state, detector.doubt) == (VACANT, 0)


def check_a_departure_is_the_arrival_undone_wherever_the_empty_bay_is_thought():
    wheel = (60, -40, 50)  # the sensor was pushed by 13 uT when the vehicle rolled in
    detector = vacant()
    assert by_pin(detector, plus(EARTH, CAR, wheel))
    assert by_pin(detector, plus(EARTH, wheel))
    assert detector.state == VACANT
    assert detector.empty(MILD) == plus(EARTH, wheel)


def check_begun_beside_a_vehicle_it_is_right_after_the_next_one():
    """Takes the field with a vehicle for the empty bay; each look below is its only one."""
    detector = Detector()
    take(detector, plus(EARTH, CAR), MILD)
    assert by_pin(detector, EARTH)  # the vehicle leaves: takes that for an arrival
    assert (detector.state, detector.sure) == (OCCUPIED, 1)
    assert not by_pin(detector, plus(EARTH, OTHER_CAR))
    assert by_pin(detector, EARTH)
    assert detector.state == VACANT
    assert near(detector.empty(MILD), EARTH, 0)
    for _ in range(3):
        assert by_pin(detector, plus(EARTH, CAR))
        assert detector.state == OCCUPIED
        assert by_pin(detector, EARTH)
        assert detector.state == VACANT


def check_a_vehicle_upon_a_false_arrival_is_an_arrival():
    detector = vacant()
    by_pin(detector, plus(EARTH, WEAK))  # two neighbours at once
    assert by_timer(detector, plus(EARTH, WEAK))
    assert (detector.state, detector.again) == (OCCUPIED, False)
    assert by_pin(detector, plus(EARTH, WEAK, CAR))
    assert (detector.state, detector.again) == (OCCUPIED, True)
    assert by_pin(detector, plus(EARTH, WEAK))  # and when it leaves nothing is wrong any more
    assert detector.state == VACANT
    assert detector.empty(MILD) == plus(EARTH, WEAK)


def check_a_vehicle_that_shunts_in_its_bay_is_no_second_arrival():
    detector = vacant()
    assert by_pin(detector, plus(EARTH, CAR))
    assert not by_pin(detector, plus(EARTH, CAR, (90, 90, 60)))
    assert (detector.state, detector.doubt) == (OCCUPIED, 0)


def check_a_night_with_the_interrupt_off_is_put_right_by_the_hour():
    detector = vacant()
    assert by_timer(detector, plus(EARTH, CAR))
    assert detector.state == OCCUPIED
    by_timer(detector, EARTH)
    assert detector.state == VACANT


def check_all_of_it_is_kept_between_wakes():
    detector = learnt()
    by_pin(detector, plus(EARTH, CAR))
    kept = detector.pack()
    assert Detector(kept).pack() == kept
    assert Detector(kept).empty(MILD) == detector.empty(MILD)
    assert by_pin(Detector(kept), EARTH)


run(globals())
