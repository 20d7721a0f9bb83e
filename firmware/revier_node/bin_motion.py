# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The waste node's accelerometer: its thermometer at each wake, tilt when there is cause.

Armed, it takes 10 samples a second on its own and wakes the node a second after it is tipped over.
"""

from revier_node import board as parts
from revier_node.console import say
from revier_node.kinds import RESTARTED
from revier_node.sensors import VALID, missing, valid
from revier_node.sensors.lis3dh import TIPPED, Lis3dh, tilt_deg

MYPY = False
if MYPY:
    from revier_node.bin_watch import Bin
    from revier_node.kinds import Wake


FLAG_SENSOR_FAULT = 4  # of the waste message
REST_MG = (850, 1_150)  # of gravity alone: nobody is moving it


def chip(wake: "Wake") -> "Lis3dh":
    return Lis3dh(parts.i2c(wake.board), wake.wiring["lis3dh"]["addr"])


def feel(wake: "Wake", watched: "Bin", now_s: int) -> tuple:
    """(temperature in degrees, tilt in degrees, fault) and what `watched` makes of them.

    A quiet look takes the temperature only (tilt None): the armed part would tell of a tilt, and
    a reading of the acceleration takes 0.7 s.
    """
    sensor = chip(wake)
    quiet = not wake.by_pin and not wake.flags & RESTARTED and any(watched.upright)
    if quiet and not watched.moved and not watched.alarm and now_s < watched.reading_s:
        outcome, angle_deg = valid(None), None
        heat = sensor.temperature_c()
    else:
        outcome, angle_deg = _tilt(wake, watched, sensor)
        heat = sensor.temperature_c()  # before it is armed, which begins a new sample
        if angle_deg is not None:
            watched.feel_tilt(now_s, angle_deg)
            outcome = sensor.arm(watched.upright, 0)
    if heat[0] == VALID:
        watched.feel_heat(now_s, heat[1])
    for state, _, reason in (outcome, heat):
        if state != VALID:
            say("sensor", "part", "lis3dh", "state", state, "reason", reason)
            return heat[1], angle_deg, FLAG_SENSOR_FAULT
    return heat[1], angle_deg, 0


def _tilt(wake: "Wake", watched: "Bin", sensor: "Lis3dh") -> tuple:
    """(outcome, degrees from upright or None); where it first stands still is upright."""
    events = sensor.events()
    if events[0] == VALID and events[1] & TIPPED and any(watched.upright):
        watched.moved = 1
    outcome = sensor.start()
    if outcome[0] == VALID:
        outcome = sensor.read()
    if outcome[0] != VALID:
        return outcome, None
    if not any(watched.upright):
        square = sum([axis * axis for axis in outcome[1]])
        if not REST_MG[0] * REST_MG[0] < square < REST_MG[1] * REST_MG[1]:
            return missing("moving"), None
        watched.upright = outcome[1]
        wake.keep = True  # a new battery does not make a fallen container an upright one
    return outcome, tilt_deg(outcome[1], watched.upright)
