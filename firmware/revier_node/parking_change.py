# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Has a vehicle come or left? Asked when something large has moved; most wakes do without."""

import os

from revier_node.kinds.parking import (
    FINE,
    OFF_DIGITS,
    ON_DIGITS,
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
REPEAT_S = 36  # after a wake began whose event no downlink followed, it goes out again; up to
REPEAT_MORE_S = 54  # so much later. The event itself left some 2 to 6 s after the beginning
DWELL_UNKNOWN = 0xFFFF
_WARM_CLIP = 4_000


def other(
    detector: "Detector", field: tuple, off: int, moved: int, empty: tuple
) -> "tuple[bool, bool]":
    """(the state is the other one, surely). off, moved: squares, from the empty bay and since."""
    if detector.state == VACANT:
        found = _came(off, moved)
    else:
        found = _left(detector, field, off, moved, empty)
    if moved > RETURN_DIGITS * RETURN_DIGITS:
        detector.before = detector.start
    return found


def _came(off: int, moved: int) -> "tuple[bool, bool]":
    if off > PLAIN_DIGITS * PLAIN_DIGITS:
        return True, True
    came = off > OFF_DIGITS * OFF_DIGITS and moved > ON_DIGITS * ON_DIGITS
    return came, moved > SURE_DIGITS * SURE_DIGITS


def _left(
    detector: "Detector", field: tuple, off: int, moved: int, empty: tuple
) -> "tuple[bool, bool]":
    far = moved > ON_DIGITS * ON_DIGITS
    if off < OFF_DIGITS * OFF_DIGITS:
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


def released(bay: "_Bay", messages: list) -> None:
    """Events that waited go out now, the newest to be repeated; not what was a repetition."""
    values = messages[-1][1]
    if not bay.sent and values.get("seq") != bay.seq:
        bay.sent = values


def sent(wake: "Wake", bay: "_Bay") -> None:
    """The event has gone out: note what its repetition needs. A draw keeps neighbours apart."""
    bay.seq = bay.sent["seq"]
    bay.sent = {}
    bay.repeat_s = 0
    if not wake.heard:
        draw_s = os.urandom(1)[0] * REPEAT_MORE_S // 255
        bay.repeat_s = wake.started_ms // 1_000 + REPEAT_S + draw_s & 255 or 1
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
