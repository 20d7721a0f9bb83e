# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Has a vehicle come or left? Asked when something large has moved; most wakes do without."""

import os

from revier_node.kinds.parking import (
    FINE,
    PLAIN_DIGITS,
    VACANT,
    square,
)
from revier_node.sensors import VALID

MYPY = False
if MYPY:
    from revier_node.kinds import Wake
    from revier_node.kinds.parking import Detector, _Bay
    from revier_node.sensors.lis2mdl import Lis2mdl


SURE_DIGITS = 80  # a smaller change must still be there at a second look
SHIFTED_DIGITS = 110  # a vehicle may leave such a field, if it was 4/3 as far itself
RETURN_DIGITS = 107  # 16 uT there and back, to within
BACK_DIGITS = 12  # 1.8 uT: only the empty bay does that
REPEAT_S = 30  # an event that no downlink followed goes out again; up to
REPEAT_MORE_S = 60  # so much later than that
DWELL_UNKNOWN = 0xFFFF
_WARM_CLIP = 4_000


def other(
    detector: "Detector", field: tuple, off: int, moved: int, empty: tuple
) -> "tuple[bool, bool]":
    """(the state is the other one, surely). off, moved: squares, from the empty bay and since."""
    if detector.state == VACANT:
        found = _came(detector, off, moved)
    else:
        found = _left(detector, field, off, moved, empty)
    if moved > RETURN_DIGITS * RETURN_DIGITS:
        detector.before = detector.start
    return found


def _came(detector: "Detector", off: int, moved: int) -> "tuple[bool, bool]":
    if off > PLAIN_DIGITS * PLAIN_DIGITS:
        return True, True
    gone, come = detector.off_digits, detector.on_digits
    came = off > gone * gone and moved > come * come
    return came, moved > SURE_DIGITS * SURE_DIGITS


def _left(
    detector: "Detector", field: tuple, off: int, moved: int, empty: tuple
) -> "tuple[bool, bool]":
    far = moved > detector.on_digits * detector.on_digits
    if off < detector.off_digits * detector.off_digits:
        return True, far
    if far and off < SHIFTED_DIGITS * SHIFTED_DIGITS:
        nearer: bool = 16 * off < 9 * square(detector.start, empty)
        return nearer, True
    there = moved > RETURN_DIGITS * RETURN_DIGITS
    back = there and square(field, detector.before) < BACK_DIGITS * BACK_DIGITS
    return back, back


def take(detector: "Detector", field: tuple, warm: int) -> None:
    """This is the empty bay."""
    detector.settled = detector.start = detector.before = field
    detector.fine = tuple([axis * FINE for axis in field])
    detector.warm = max(-_WARM_CLIP, min(_WARM_CLIP, warm))


# -- what a node does then (kinds/parking.py) --


def zero(sensor: "Lis2mdl") -> tuple:
    """No offset yet: gives it as start() does."""
    outcome = sensor.set_offset((0, 0, 0))
    sensor.read()  # what was measured before the offset changed
    return (VALID, (0, 0, 0), "") if outcome[0] == VALID else outcome


def calibrate(wake: "Wake", detector: "Detector", field: tuple, warm: int) -> None:
    """First start: nobody knows the empty bay; take it as empty and say so (uncalibrated)."""
    take(detector, field, warm)
    wake.keep = True


def event(bay: "_Bay", now_s: int, confidence: int) -> dict:
    dwell_min = min((now_s - bay.since_s) // 60, DWELL_UNKNOWN - 1)
    bay.dwells = (dwell_min,) + tuple(bay.dwells[:2])
    bay.since_s = now_s
    bay.confidence = confidence
    bay.repeat_s = 0
    bay.sent = _values(bay)
    return bay.sent


def sent(wake: "Wake", bay: "_Bay") -> None:
    """The event has gone out: note what its repetition needs. A draw keeps neighbours apart."""
    bay.seq = bay.sent["seq"]
    bay.repeat_s = 0 if wake.heard else REPEAT_S + os.urandom(1)[0] * REPEAT_MORE_S // 255
    bay.sent = {}
    wake.memory = bay.pack()


def again(bay: "_Bay") -> dict:
    bay.repeat_s = 0
    values = _values(bay)
    values["seq"] = bay.seq
    return values


def _values(bay: "_Bay") -> dict:
    values: dict = {"state": bay.detector.state, "confidence": bay.confidence}
    for i in range(3):
        if bay.dwells[i] != DWELL_UNKNOWN:
            values[("dwell", "dwell_2", "dwell_3")[i]] = bay.dwells[i]
    return values
