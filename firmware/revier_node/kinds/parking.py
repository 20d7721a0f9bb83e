# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Parking node: the magnetometer wakes the chip, the field decides, the hour is the heartbeat.

Detector decides: pure, integers, no clock, no chip; tuned on the seeds 0 to 299 of the bench's
parking_signals. Fields are (x, y, z) in the magnetometer's digits of 0.15 uT, temperatures eighths
of a K. The sensor's offset registers hold the field of the last look, so that the interrupt means
'it moved', whether a car came or left. docs/sensing-parking.md
"""

import struct

from revier_node.console import say
from revier_node.kinds import UNCALIBRATED, median
from revier_node.sensors import FAULT, VALID
from revier_payload.pack import Packer
from revier_payload.parking import PARKING_EVENT, PARKING_HEARTBEAT

MYPY = False
if MYPY:
    from typing import Any

    from revier_node.kinds import Wake
    from revier_node.sensors.lis2mdl import Lis2mdl


F_PORT_EVENT = PARKING_EVENT.f_port
F_PORT_HEARTBEAT = PARKING_HEARTBEAT.f_port
# with all their extras, which repeat what happened before
MESSAGES = {
    F_PORT_EVENT: Packer(F_PORT_EVENT, 4, PARKING_EVENT.table),
    F_PORT_HEARTBEAT: Packer(F_PORT_HEARTBEAT, 3, PARKING_HEARTBEAT.table),
}
LINK = (25, 24)  # see link_policy: a car above takes up to 25 dB; at most 24 frames in an hour
HELD = (F_PORT_EVENT, 5)  # 5: such a one, late (waiting.py)
WATCHES = ""
INTERVAL_S = 3_600
HEARTBEAT_AFTER_MS = 60_000  # an event has just gone out: its heartbeat can wait so long
SECOND_LOOK_MS = 45_000  # a tram has passed by then
EARLY_MS = 5_000  # a timer may end so much before the heartbeat that it is for
VACANT = 1
OCCUPIED = 2
CONFIDENCE_LOW = 1
CONFIDENCE_HIGH = 2
SAMPLES_MAX = 50  # 5 s
DWELL_UNKNOWN = 0xFFFF

WAKE_DIGITS = 20  # 3 uT on one axis; a weak vehicle gives little more
ON_DIGITS = 48  # 7.2 uT at once: a vehicle, which a neighbour seldom reaches
OFF_DIGITS = 29  # 0.6 of ON: as the empty bay
PLAIN_DIGITS = 110  # 16 uT from the empty bay: occupied however it came about
SOON_MS = 30_000  # looks that follow each other sooner see one movement
SAMPLES = 5
REST_DIGITS = 14  # the car stands when five samples lie within 2 uT
CHATTER_MAX = 8  # wakes without an event between two heartbeats; above, the threshold doubles
CHATTER_OFF = 24  # above, the interrupt stays off until the heartbeat
FINE = 16  # the empty bay's field is kept in sixteenths of a digit
_WARM = 64  # 8 K: its drift is kept per this
_WARM_MAX = 320
_DRIFT_MAX = 256  # 2 digits/K, 0.3 uT/K


_FIELDS = "<4B9h3i4h"
_FIELDS_SIZE = struct.calcsize(_FIELDS)
_MEMORY = "<3I4H2B"
_SIZE = struct.calcsize(_MEMORY)


def rest(samples: list) -> bool:
    """The last five samples lie together."""
    if len(samples) < SAMPLES:
        return False
    for i in range(3):
        axis = [sample[i] for sample in samples[-SAMPLES:]]
        if max(axis) - min(axis) > REST_DIGITS:
            return False
    return True


def middle(samples: list) -> tuple:
    return tuple([median([sample[i] for sample in samples[-SAMPLES:]]) for i in range(3)])


def square(a: "tuple[int, int, int]", b: "tuple[int, int, int]") -> int:
    """Of the distance."""
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return x * x + y * y + z * z


class Detector:
    """`state`, `sure` (the empty bay was seen, not assumed), `doubt` (look again soon).

    Begins with parking_change.take(), which takes the bay as empty.
    """

    def __init__(self, memory: bytes = b"") -> None:
        v: tuple = (VACANT,) + (0,) * 19
        if len(memory) == _FIELDS_SIZE:
            v = struct.unpack(_FIELDS, memory)
        self.state, self.sure, self.doubt, self.chatter = v[:4]
        self.settled = v[4:7]  # the field after the last look: in the sensor's offset registers
        self.start = v[7:10]  # the field before this movement
        self.before = v[10:13]  # the field before the last large change
        self.fine = v[13:16]
        self._drift = v[16:19]
        self.warm = v[19]
        self._off: int = 0

    def pack(self) -> bytes:
        fields = tuple(self.settled) + tuple(self.start) + tuple(self.before)
        fields += tuple(self.fine) + tuple(self._drift) + (self.warm,)
        return struct.pack(_FIELDS, self.state, self.sure, self.doubt, self.chatter, *fields)

    def empty(self, warm: int) -> tuple:
        """The empty bay's field at this temperature."""
        return tuple([(fine + FINE // 2) // FINE for fine in self._told(self._away(warm))])

    def look(self, field: tuple, warm: int, by_pin: bool, soon: bool) -> bool:
        """A field at rest; True: the state has changed.

        by_pin: the interrupt asked for the look. soon: not SOON_MS after the one before.
        """
        if not (soon or self.doubt):
            self.start = self.settled
        empty = self.empty(warm)
        self._off = off = square(field, empty)
        moved = square(field, self.start)
        other = sure = False
        if moved > ON_DIGITS * ON_DIGITS or self.doubt or self._unlike(off):
            from revier_node import parking_change  # which most wakes do without

            other, sure = parking_change.other(self, field, off, moved, empty)
        self.settled = field
        changed: bool = other and (sure or self.doubt > 0)
        self.doubt = int(other and not changed)
        if changed:
            self.state = VACANT + OCCUPIED - self.state
            self.sure = 1
            self.start = field
        if self.state == VACANT and not self.doubt:
            self._follow(field, warm, changed, by_pin)
        self.chatter = min(self.chatter + 1, 255) if by_pin and not changed else 0
        return changed

    def _unlike(self, off: int) -> bool:
        """The field is not as the state says, however it came about."""
        if self.state == VACANT:
            return off > PLAIN_DIGITS * PLAIN_DIGITS
        return off < OFF_DIGITS * OFF_DIGITS

    def clear(self) -> bool:
        """The newest field leaves no doubt: far beyond a threshold."""
        off = self._off
        return off > 4 * ON_DIGITS * ON_DIGITS or 4 * off < OFF_DIGITS * OFF_DIGITS

    def wake_digits(self) -> int:
        """For the interrupt's threshold; 0: leave it off."""
        if self.chatter > CHATTER_OFF:
            return 0
        return 2 * WAKE_DIGITS if self.chatter > CHATTER_MAX else WAKE_DIGITS

    def _follow(self, field: tuple, warm: int, changed: bool, by_pin: bool) -> None:
        """Normalised least mean squares: offset and drift take half of what they did not tell.

        What a vehicle leaves behind is the empty bay: all of it.
        """
        away = self._away(warm)
        told = self._told(away)
        drifts = list(self._drift)
        offsets = []
        for i in range(3):
            step = field[i] * FINE - told[i]
            if not changed:
                step = step * 2_048 // (4_096 + away * away)
                if not by_pin:
                    drift = drifts[i] + step * away // _WARM
                    drifts[i] = max(-_DRIFT_MAX, min(_DRIFT_MAX, drift))
            offsets.append(self.fine[i] + step)
        self.fine, self._drift = tuple(offsets), tuple(drifts)

    def _told(self, away: int) -> list:
        return [self.fine[i] + self._drift[i] * away // _WARM for i in range(3)]

    def _away(self, warm: int) -> int:
        away: int = max(-_WARM_MAX, min(_WARM_MAX, warm - self.warm))
        return away


class _Bay:
    """The kind's memory, unpacked. The newest event: `since_s`, `dwells`, newest first, `seq`,
    `confidence`; `repeat_s`: it goes out again so long after it, 0 no more. `looked_s`: low bits.
    """

    def __init__(self, wake: "Wake") -> None:
        memory = wake.memory
        self.known = len(memory) == _SIZE + _FIELDS_SIZE
        self.detector = Detector(memory[_SIZE:])
        self.sent: dict = {}  # the event of this wake
        now_s = wake.started_ms // 1_000
        v: tuple = (now_s, 0, 0, DWELL_UNKNOWN, DWELL_UNKNOWN, DWELL_UNKNOWN, 0, 0, 0)
        if self.known:
            v = struct.unpack(_MEMORY, memory[:_SIZE])
        self.since_s, self.heartbeat_s, self.seq = v[:3]
        self.dwells = v[3:6]
        self.looked_s, self.repeat_s, self.confidence = v[6:]
        if self.since_s > now_s:  # the clock began anew: power was lost
            self.since_s = now_s
            self.heartbeat_s = self.repeat_s = 0

    def pack(self) -> bytes:
        times = (self.since_s, self.heartbeat_s, self.seq)
        rest = tuple(self.dwells) + (self.looked_s, self.repeat_s, self.confidence)
        return struct.pack(_MEMORY, *(times + rest)) + self.detector.pack()


def self_test(wake: "Wake") -> list:
    return [("lis2mdl", _sensor(wake).start()[2] or "ok")]


def sense(wake: "Wake") -> list:
    bay = wake.kept = _Bay(wake)
    detector = bay.detector
    sensor = _sensor(wake)
    outcome = sensor.start()
    if outcome[0] == VALID and not bay.known:
        outcome = _change().zero(sensor)
    offset = outcome[1]
    if outcome[0] == VALID:
        outcome = _field(sensor, offset)
    warm = sensor.temperature_eighths_c() if outcome[0] == VALID else None
    if outcome[0] == VALID and warm is None:
        outcome = (FAULT, None, "no temperature")
    messages = _decide(wake, bay, outcome, warm)
    if outcome[0] == VALID:
        outcome = _arm(detector, sensor, offset)
    if outcome[0] == FAULT:
        say("sensor", "part", "lis2mdl", "state", outcome[0], "reason", outcome[2])
    wake.memory = bay.pack()
    return messages


def next_wake_ms(wake: "Wake") -> int:
    """After the messages have gone out: notes what the event's repetition needs."""
    bay = wake.kept
    if bay.sent:
        _change().sent(wake, bay)
    due_ms: int = max(
        bay.heartbeat_s * 1_000 + wake.interval_ms, wake.started_ms + HEARTBEAT_AFTER_MS
    )
    if bay.repeat_s:
        due_ms = min(due_ms, (bay.since_s + bay.repeat_s) * 1_000)
    if bay.detector.doubt:
        due_ms = min(due_ms, wake.started_ms + SECOND_LOOK_MS)
    return due_ms


def wake_pins(wake: "Wake") -> tuple:
    if not wake.kept.detector.wake_digits():
        return ()
    return (wake.wiring["lis2mdl"]["int"],)


def _change() -> "Any":
    from revier_node import parking_change

    return parking_change


def _sensor(wake: "Wake") -> "Lis2mdl":
    from revier_node import board as parts
    from revier_node.sensors.lis2mdl import Lis2mdl  # here: the detector is for any Python

    parts.switch(wake.wiring.get("power"), True)
    return Lis2mdl(parts.i2c(wake.board), wake.wiring["lis2mdl"]["addr"])


def _field(sensor: "Lis2mdl", offset: tuple) -> tuple:
    """The whole field once it is at rest, or after SAMPLES_MAX.

    offset: what stands in the sensor's registers; with its supply cut they count, not the memory.
    """
    last: list = []
    for _ in range(SAMPLES_MAX):
        outcome = sensor.read()
        if outcome[0] != VALID:
            return outcome
        last = last[1 - SAMPLES :] + [outcome[1]]
        if rest(last):
            break
    field = middle(last)
    return (VALID, tuple([field[i] + offset[i] for i in range(3)]), "")


def _decide(wake: "Wake", bay: "_Bay", outcome: tuple, warm: "int | None") -> list:
    """Event if the state has changed, or again; heartbeat if an hour has passed; else nothing."""
    detector = bay.detector
    now_s = wake.started_ms // 1_000
    asked = detector.doubt or bay.repeat_s  # what a timer before the heartbeat is for
    changed = False
    confidence = None
    if outcome[0] == VALID and warm is not None:
        if bay.known:
            soon = (now_s - bay.looked_s) & 0xFFFF < SOON_MS // 1_000
            changed = detector.look(outcome[1], warm, wake.by_pin, soon)
        else:
            _change().calibrate(wake, detector, outcome[1], warm)
        bay.looked_s = now_s & 0xFFFF
        confidence = CONFIDENCE_HIGH if detector.clear() else CONFIDENCE_LOW
    else:
        wake.failed("lis2mdl")
    if not detector.sure:
        wake.flags |= UNCALIBRATED
    if changed:
        return [(F_PORT_EVENT, _change().event(bay, now_s, confidence))]
    messages: list = []
    if bay.repeat_s and now_s >= bay.since_s + bay.repeat_s:
        messages.append((F_PORT_EVENT, _change().again(bay)))
    early_ms = bay.heartbeat_s * 1_000 + wake.interval_ms - wake.started_ms
    if early_ms > EARLY_MS and (wake.by_pin or asked):
        return messages
    detector.chatter = 0
    bay.heartbeat_s = now_s
    seen = confidence is not None
    values = {
        "state": detector.state if seen else None,
        "confidence": confidence,
        "battery": wake.battery_mv(),
        "status": wake.flags,
        "lasting": (now_s - bay.since_s) // 60 if seen else None,
    }
    messages.append((F_PORT_HEARTBEAT, values))
    return messages


def _arm(detector: "Detector", sensor: "Lis2mdl", offset: tuple) -> tuple:
    """From now on the field of this look is no change; what is further from it wakes the chip."""
    field = tuple(detector.settled)
    if field != tuple(offset):
        outcome = sensor.set_offset(field)
        if outcome[0] != VALID:
            return outcome
        sensor.read()  # let one sample with the new offset pass before the interrupt is cleared
    return sensor.arm(detector.wake_digits() or WAKE_DIGITS)
