# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What cannot wait for the next reading: any node. Rules in schema/__init__.py."""

from revier_payload.schema.fields import Flags, Linear, Message, battery, seq

ALARM = Message(
    6,
    "alarm",
    "alarm",
    "Something happens that cannot wait; with no flag set it is over",
    (
        seq(8),
        Flags("alarm", 4, "what happens", ("fire", "tilt", "tamper")),
        Linear("temperature", 8, "Cel", "temperature at the sensor", 1, -40),
        Linear("tilt_angle", 5, "deg", "angle between the sensor and the vertical", 10, 0, 180),
        battery(),
    ),
)
