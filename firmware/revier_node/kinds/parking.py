# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Parking node: the magnetometer wakes the chip, the field decides, the hour is the heartbeat.

Two fields are remembered. `vacant` is the bay without a car; `settled` stands in the sensor's
offset registers and is the field after the last event, so that the interrupt means 'it moved',
whether a car came or left. Fields are in the sensor's digits of 0.15 uT.
"""

import struct

from revier_node import board as parts
from revier_node.console import say
from revier_node.kinds import SENSOR_FAULT, UNCALIBRATED, median
from revier_node.sensors import FAULT, VALID
from revier_node.sensors.lis2mdl import Lis2mdl
from revier_payload.parking import PARKING_EVENT, PARKING_HEARTBEAT

MYPY = False
if MYPY:
    from revier_node.kinds import Wake


F_PORT_EVENT = PARKING_EVENT.f_port
F_PORT_HEARTBEAT = PARKING_HEARTBEAT.f_port
MESSAGES = {F_PORT_EVENT: PARKING_EVENT, F_PORT_HEARTBEAT: PARKING_HEARTBEAT}
LINK = (25, 24)  # see link_policy: a car above takes up to 25 dB; at most 24 frames in an hour
HELD = (F_PORT_EVENT,)
INTERVAL_S = 3_600
HEARTBEAT_AFTER_MS = 60_000  # an event has just gone out: its heartbeat can wait so long
VACANT = 1
OCCUPIED = 2
CONFIDENCE_LOW = 1
CONFIDENCE_HIGH = 2

# sensors facts 1.9: a car above the sensor changes the field by several to over 100 uT, one in
# the next bay by 1 to 5 uT
WAKE_DIGITS = 40  # 6 uT on one axis
ON_DIGITS = 80  # 12 uT: occupied above
OFF_DIGITS = 48  # 0.6 of it: vacant below
FOLLOW_DIGITS = 3  # the vacant field follows by 0.45 uT at most in one wake
SAMPLES = 5
SETTLED_DIGITS = 14  # the car stands when five samples lie within 2 uT
SAMPLES_MAX = 50  # 5 s
CHATTER_MAX = 8  # so many wakes without an event: leave the interrupt off until the heartbeat

_MEMORY = "<BB3h3hQQB"


class _Bay:
    """The kind's memory, unpacked."""

    def __init__(self, wake: "Wake") -> None:
        self.state = VACANT
        self.sure = 0  # the vacant field was measured, not assumed
        self.vacant = (0, 0, 0)
        self.settled = (0, 0, 0)
        self.since_ms = wake.started_ms
        self.heartbeat_ms = 0
        self.chatter = 0
        self.known = len(wake.memory) == struct.calcsize(_MEMORY)
        if self.known:
            v = struct.unpack(_MEMORY, wake.memory)
            self.state, self.sure = v[:2]
            self.vacant, self.settled = v[2:5], v[5:8]
            self.since_ms, self.heartbeat_ms, self.chatter = v[8:]
            if self.since_ms > wake.started_ms:  # the clock began anew: power was lost
                self.since_ms = wake.started_ms
                self.heartbeat_ms = 0

    def pack(self) -> bytes:
        return struct.pack(
            _MEMORY,
            self.state,
            self.sure,
            *(
                tuple(self.vacant)
                + tuple(self.settled)
                + (self.since_ms, self.heartbeat_ms, self.chatter)
            ),
        )


def self_test(wake: "Wake") -> list:
    return [("lis2mdl", _sensor(wake).start()[2] or "ok")]


def sense(wake: "Wake") -> list:
    bay = _Bay(wake)
    sensor = _sensor(wake)
    outcome = sensor.start()
    if outcome[0] == VALID and not bay.known:
        outcome = _calibrate(bay, sensor)
        wake.keep = True
    if outcome[0] == VALID:
        outcome = _field(bay, sensor, outcome[1])
    messages = _decide(wake, bay, outcome)
    if outcome[0] == VALID:
        outcome = _arm(bay, sensor, outcome[1])
    if outcome[0] == FAULT:
        say("sensor", "part", "lis2mdl", "state", outcome[0], "reason", outcome[2])
    wake.memory = bay.pack()
    return messages


def next_wake_ms(wake: "Wake") -> int:
    return max(_Bay(wake).heartbeat_ms + wake.interval_ms, wake.started_ms + HEARTBEAT_AFTER_MS)


def wake_pins(wake: "Wake") -> tuple:
    if _Bay(wake).chatter > CHATTER_MAX:
        return ()
    return (wake.wiring["lis2mdl"]["int"],)


def _sensor(wake: "Wake") -> "Lis2mdl":
    parts.switch(wake.wiring.get("power"), True)
    return Lis2mdl(parts.i2c(wake.board), wake.wiring["lis2mdl"]["addr"])


def _calibrate(bay: "_Bay", sensor: "Lis2mdl") -> tuple:
    """First start: nobody knows the empty bay; take it as empty now and say so (uncalibrated)."""
    outcome = sensor.set_offset((0, 0, 0))
    if outcome[0] == VALID:
        sensor.read()  # what was measured before the offset changed
        bay.settled = (0, 0, 0)
        outcome = _field(bay, sensor, bay.settled)
    if outcome[0] == VALID:
        field = bay.vacant = bay.settled = outcome[1]
        outcome = sensor.set_offset(field)
        sensor.read()
        if outcome[0] == VALID:
            return (VALID, field, "")
    return outcome


def _field(bay: "_Bay", sensor: "Lis2mdl", offset: tuple) -> tuple:
    """The whole field once it stands still, or after SAMPLES_MAX: median of the last five.

    offset: what stands in the sensor's offset registers.
    """
    if offset != tuple(bay.settled):
        bay.settled = offset  # its supply was cut: the registers count, not what we remember
    last = []
    for _ in range(SAMPLES_MAX):
        outcome = sensor.read()
        if outcome[0] != VALID:
            return outcome
        last.append(outcome[1])
        last = last[-SAMPLES:]
        if len(last) == SAMPLES and _spread(last) <= SETTLED_DIGITS:
            break
    return (VALID, tuple([median([s[i] for s in last]) + offset[i] for i in range(3)]), "")


def _spread(samples: list) -> int:
    axes = [[sample[i] for sample in samples] for i in range(3)]
    spread: int = max([max(axis) - min(axis) for axis in axes])
    return spread


def _decide(wake: "Wake", bay: "_Bay", outcome: tuple) -> list:
    """Event if the state has changed, heartbeat if an hour has passed, else nothing."""
    confidence = None
    before = bay.state
    if outcome[0] == VALID:
        square = sum((a - b) * (a - b) for a, b in zip(outcome[1], bay.vacant))  # noqa: B905
        if square > ON_DIGITS * ON_DIGITS:
            bay.state = OCCUPIED
        elif square < OFF_DIGITS * OFF_DIGITS:
            bay.state = VACANT
            _follow(bay, outcome[1])
        clear = square > 4 * ON_DIGITS * ON_DIGITS or 4 * square < OFF_DIGITS * OFF_DIGITS
        confidence = CONFIDENCE_HIGH if clear else CONFIDENCE_LOW
    else:
        wake.flags |= SENSOR_FAULT
    if not bay.sure:
        wake.flags |= UNCALIBRATED
    if bay.state != before:
        bay.chatter = 0
        dwell_min = (wake.started_ms - bay.since_ms) // 60_000
        bay.since_ms = wake.started_ms
        bay.sure = 1
        values = {"state": bay.state, "confidence": confidence, "dwell": dwell_min}
        return [(F_PORT_EVENT, values)]
    if wake.by_pin and wake.started_ms - bay.heartbeat_ms < wake.interval_ms:
        bay.chatter = min(bay.chatter + 1, 255)
        return []
    bay.chatter = 0
    bay.heartbeat_ms = wake.started_ms
    values = {
        "state": bay.state if outcome[0] == VALID else None,
        "confidence": confidence,
        "battery": wake.battery_mv(),
        "status": wake.flags,
    }
    return [(F_PORT_HEARTBEAT, values)]


def _follow(bay: "_Bay", field: tuple) -> None:
    """The empty bay's field drifts with temperature; a car does not come this slowly."""
    bay.vacant = tuple(
        [
            v + max(-FOLLOW_DIGITS, min(FOLLOW_DIGITS, f - v))
            for v, f in zip(bay.vacant, field)  # noqa: B905 (MicroPython has no strict)
        ]
    )


def _arm(bay: "_Bay", sensor: "Lis2mdl", field: tuple) -> tuple:
    """From now on this field is no change; anything WAKE_DIGITS away from it is."""
    if field != tuple(bay.settled):
        outcome = sensor.set_offset(field)
        if outcome[0] != VALID:
            return outcome
        bay.settled = field
        sensor.read()  # let one sample with the new offset pass before the interrupt is cleared
    return sensor.arm(WAKE_DIGITS)
