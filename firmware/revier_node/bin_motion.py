# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the waste node's accelerometer says at a wake: the temperature, and when due the tilt."""

from machine import Pin

from revier_node import board as parts
from revier_node.bin_watch import FIRE_C
from revier_node.console import say
from revier_node.kinds import RESTARTED
from revier_node.sensors import FAULT, VALID
from revier_node.sensors.lis3dh_heat import temperature_c

MYPY = False
if MYPY:
    from revier_node.bin_watch import Bin
    from revier_node.kinds import Wake


FLAG_SENSOR_FAULT = 4  # of the waste message


def thermostat(wake: "Wake") -> bool:
    """Its contact has closed; False where there is none."""
    part = wake.wiring.get("thermostat")
    return bool(part and Pin(part["int"], Pin.IN).value())


def feel(wake: "Wake", watched: "Bin", now_s: int) -> tuple:
    """(temperature in degrees or None, flags of the waste message): what `watched` makes of them.

    A quiet look takes the temperature only; that of the tilt takes 0.7 s, and the armed part tells
    of a large one by itself.
    """
    bus = parts.i2c(wake.board)
    address = wake.wiring["lis3dh"]["addr"]
    if wake.by_pin or wake.flags & RESTARTED or watched.looks(now_s):
        from revier_node import bin_tilt

        outcome, heat = bin_tilt.look(wake, watched, now_s, bus, address)
    else:
        outcome = heat = temperature_c(bus, address)
    felt_c = heat[1] if heat[0] == VALID else None
    if thermostat(wake):
        felt_c = max(FIRE_C, felt_c or FIRE_C)
    if felt_c is not None:
        watched.feel_heat(now_s, felt_c)
    for state, _, reason in (outcome, heat):
        if state != VALID:
            say("sensor", "part", "lis3dh", "state", state, "reason", reason)
            if state == FAULT:
                wake.failed("lis3dh")
            return heat[1], FLAG_SENSOR_FAULT
    return heat[1], 0
