# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What an air quality node sends. Rules in schema.py."""

from revier_payload.fields import NODE_FLAGS, Flags, Linear, Log, Message, battery, seq


def _pm(name: str, size: str) -> Log:
    # SPS30 datasheet: precision is the larger of 5 ug/m3 and 5 % (10 % for PM4 and PM10);
    # steps of 0.3 ug/m3 up to 19 and of 1.6 to 3.1 % above lose nothing that was measured.
    meaning = "particles up to " + size + ", mass"
    return Log(name, 8, "ug/m3", meaning, mantissa_bits=5, step=3, denominator=10)


AIR = Message(
    10,
    "air",
    "air",
    "Air quality reading",
    (
        seq(9),
        _pm("pm1", "1 um"),
        _pm("pm25", "2.5 um"),
        _pm("pm4", "4 um"),
        _pm("pm10", "10 um"),
        Linear("temperature", 9, "Cel", "air temperature", 2, -300, denominator=10),
        Linear("humidity", 7, "%", "relative humidity", maximum=100),
        Linear("pressure", 9, "hPa", "air pressure", 5, 8500, denominator=10),
        Linear("voc", 7, "1", "VOC index", 4, maximum=500),
        Log("nox", 6, "1", "NOx index", mantissa_bits=3, maximum=500),
        battery(),
        Flags("status", 5, "node status", NODE_FLAGS + ("fan_or_laser_fault",)),
    ),
)
