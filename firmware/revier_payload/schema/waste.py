# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a waste node sends. Rules in schema.py."""

from revier_payload.schema.fields import Flags, Linear, Message, battery, seq

_LEVEL = (
    seq(7),
    Linear("distance", 11, "mm", "distance from the sensor to the waste", 3),
    Linear("temperature", 7, "Cel", "temperature in the container", 1, -40),
    Linear("tilt", 5, "deg", "angle between the sensor and the vertical", 10, maximum=180),
    Linear("quality", 3, "1", "echo quality, 5 is best"),
    battery(),
    Flags("flags", 3, "events", ("fire", "moved", "sensor_fault")),
)
WASTE = Message(30, "waste", "waste", "Fill level reading", _LEVEL)
WASTE_EMPTIED = Message(
    31,
    "waste_emptied",
    "waste",
    "Fill level reading of a container that was emptied since the reading before",
    _LEVEL + (Linear("emptied_from", 8, "mm", "distance before it was emptied", 25),),
)
