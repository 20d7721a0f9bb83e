# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How the waste node's container stands: measured now and then, and after each interrupt.

Armed, the accelerometer wakes the node a second after the container was tipped over.
"""

from revier_node.sensors import VALID, missing
from revier_node.sensors.lis3dh import TIPPED, Lis3dh, tilt_deg

MYPY = False
if MYPY:
    from machine import I2C

    from revier_node.bin_watch import Bin
    from revier_node.kinds import Wake


REST_MG = (850, 1_150)  # of gravity alone: nobody is moving it


def look(wake: "Wake", watched: "Bin", now_s: int, bus: "I2C", address: int) -> tuple:
    """Outcomes of the acceleration and of the temperature; the part is armed thereafter."""
    sensor = Lis3dh(bus, address)
    outcome = _acceleration(watched, sensor)
    heat = sensor.temperature_c()  # before it is armed, which begins a new sample
    if outcome[0] != VALID:
        return outcome, heat
    if not any(watched.upright):
        square = sum([axis * axis for axis in outcome[1]])
        if not REST_MG[0] * REST_MG[0] < square < REST_MG[1] * REST_MG[1]:
            return missing("moving"), heat
        watched.upright = outcome[1]
        wake.keep = True  # a new battery does not make a fallen container an upright one
    watched.feel_tilt(now_s, tilt_deg(outcome[1], watched.upright))
    return sensor.arm(watched.upright, 0), heat


def _acceleration(watched: "Bin", sensor: "Lis3dh") -> tuple:
    events = sensor.events()
    if events[0] == VALID and events[1] & TIPPED and any(watched.upright):
        watched.moved = 1
    outcome = sensor.start()
    return sensor.read() if outcome[0] == VALID else outcome
