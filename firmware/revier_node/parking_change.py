# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Has a vehicle come or left? Asked when something large has moved; most wakes do without."""

import os

from revier_node.kinds.parking import (
    DWELL_UNKNOWN,
    F_PORT_EVENT,
    FINE,
    OCCUPIED,
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


SURE_DIGITS = 80  # 12 uT: a smaller change must still be there at a second look
UNDONE = 9  # squares: what came is gone again to within a third of the change
_CAME_MAX = 0x7FFF
REPEAT_S = 36  # after a wake began whose event no downlink followed, it goes out again; up to
REPEAT_MORE_S = 54  # so much later. The event itself left some 2 to 6 s after the beginning
_WARM_CLIP = 4_000


def judge(
    detector: "Detector", field: tuple, off: int, moved: int, empty: tuple, by_pin: bool
) -> bool:
    """True: the state has changed. off, moved: squares, from the empty bay and since.

    What is not sure waits for a second look, and that for the timer: soon after the first the same
    tram or neighbour would be seen again.
    """
    again = False
    if detector.state == VACANT:
        other, sure = _came(detector, off, moved)
    else:
        before = square(detector.start, empty)
        other, sure = _left(detector, field, off, moved, before)
        again = not other and _came_again(off, moved, before)
    changed: bool = again or (other and (sure or (detector.doubt > 0 and not by_pin)))
    detector.doubt = int(other and not changed)
    detector.again = again
    if changed or moved > SURE_DIGITS * SURE_DIGITS:
        detector.came = _change(detector.start, field)
    if changed:
        detector.state = OCCUPIED if again else VACANT + OCCUPIED - detector.state
        detector.start = field
        detector.sure = 1
    return changed


def _change(start: tuple, field: tuple) -> tuple:
    steps = [field[i] - start[i] for i in range(3)]
    return tuple([max(-_CAME_MAX, min(_CAME_MAX, step)) for step in steps])


def _came(detector: "Detector", off: int, moved: int) -> "tuple[bool, bool]":
    if off > PLAIN_DIGITS * PLAIN_DIGITS:
        return True, True
    gone, come = detector.off_digits, detector.on_digits
    came = off > gone * gone and moved > come * come
    return came, moved > SURE_DIGITS * SURE_DIGITS


def _left(
    detector: "Detector", field: tuple, off: int, moved: int, before: int
) -> "tuple[bool, bool]":
    """before: square, how far the field was from the empty bay's before it moved."""
    far = moved > detector.on_digits * detector.on_digits
    if off < detector.off_digits * detector.off_digits:
        return True, far
    if not far:
        return False, False
    undone = tuple([field[i] + detector.came[i] for i in range(3)])
    if UNDONE * square(undone, detector.start) < moved:
        return True, True
    nearer: bool = off < PLAIN_DIGITS * PLAIN_DIGITS and 16 * off < 9 * before
    return nearer, moved > SURE_DIGITS * SURE_DIGITS


def _came_again(off: int, moved: int, before: int) -> bool:
    """So much more stands here than before that what was before was none, or has left unseen."""
    plain = PLAIN_DIGITS * PLAIN_DIGITS
    return moved > plain and before < plain and off > before


def take(detector: "Detector", field: tuple, warm: int) -> None:
    """This is the empty bay."""
    detector.settled = detector.start = field
    detector.fine = tuple([axis * FINE for axis in field])
    detector.warm = max(-_WARM_CLIP, min(_WARM_CLIP, warm))


# -- what a node does then (kinds/parking.py) --


def zero(sensor: "Lis2mdl") -> tuple:
    """No offset yet: gives it as start() does."""
    outcome = sensor.set_offset((0, 0, 0))
    sensor.read()  # what was measured before the offset changed
    return (VALID, (0, 0, 0), "") if outcome[0] == VALID else outcome


def calibrate(wake: "Wake", detector: "Detector", field: tuple, warm: int) -> None:
    """Nobody knows the empty bay: take it as empty, and say so (uncalibrated) unless it was said
    to be empty (setting 34)."""
    take(detector, field, warm)
    if "before" in wake.config:
        from revier_node import empty_bay

        detector.sure = int(empty_bay.asked(wake.config))
    wake.keep = True


def event(bay: "_Bay", now_s: int, confidence: int) -> dict:
    dwell_min = min((now_s - bay.since_s) // 60, DWELL_UNKNOWN - 1)
    dwells = (dwell_min,) + tuple(bay.dwells)
    if bay.detector.again:
        dwells = (DWELL_UNKNOWN,) + dwells
    bay.dwells = dwells[:3]
    bay.since_s = now_s
    bay.confidence = confidence
    bay.repeat_s = 0
    bay.sent = _values(bay)
    return bay.sent


def released(bay: "_Bay", messages: list) -> None:
    """Events that waited go out now, the newest to be repeated; not what was a repetition, nor what
    is told with its own time, for which a repetition would give another."""
    f_port, values = messages[-1]
    if f_port == F_PORT_EVENT and not bay.sent and values.get("seq") != bay.seq:
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
