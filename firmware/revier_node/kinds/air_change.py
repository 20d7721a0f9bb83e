# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Report on change, of the air node: {"report": "change"} in /node.json, with, as wished,

    "report_min_s", "report_max_s"   seconds between two uplinks, at least and at most
    "bands"                          {"pm25": [least, percent], ...} instead of BANDS, in the units
                                     of the message: 0.1 ug/m3, 0.1 Cel, %, 0.1 hPa, ppm

A reading that is not sent takes no number of the reading sequence.
The kind's memory: seconds of the chip's clock when a reading was last handed over, its values.
"""

import struct

from revier_node import kinds
from revier_node.console import say
from revier_node.robust import due

MYPY = False
if MYPY:
    from revier_node.kinds import Wake


CHANNELS = ("pm25", "pm10", "temperature", "humidity", "pressure", "co2", "status")
# SPS30 datasheet table 1: +-5 ug/m3 or 5 % between two parts, much less from hour to hour of one
BANDS = ((20, 15), (30, 15), (10, 0), (5, 0), (10, 0), (50, 5), (0, 0))
MIN_S, MAX_S = 0, 3_600
NOISE_MADS = 2  # ten samples' median scatters by 0.6 of their MAD: 2 is beyond two medians' scatter
_FORM, _SIZE = "<Ihhhhhhh", 18
_NONE = -32_768
_FAULTS = kinds.SENSOR_FAULT | kinds.FAN_OR_LASER_FAULT  # the other flags are no news


def report(wake: "Wake", f_port: int, values: dict, mads: dict) -> list:
    """The messages of this wake: one or none."""
    now_s = wake.started_ms // 1000 & 0xFFFFFFFF
    heard = [values.get(name) for name in CHANNELS]
    heard[-1] = values["status"] & _FAULTS
    if len(wake.memory) == _SIZE:
        was = struct.unpack(_FORM, wake.memory)
        sent = [None if value == _NONE else value for value in was[1:]]
        get = wake.config.get
        bands = get("bands", {})
        # a wake comes at its interval, and its clock errs: the nearest wake is the one meant
        age_s = now_s - was[0] + wake.interval_ms // 2000
        if age_s >= 0 and not due(
            sent,
            heard,
            [bands.get(name, band) for name, band in zip(CHANNELS, BANDS)],  # noqa: B905
            (NOISE_MADS * mads.get("pm25", 0), NOISE_MADS * mads.get("pm10", 0), 0, 0, 0, 0, 0),
            age_s,
            get("report_min_s", MIN_S),
            get("report_max_s", MAX_S),
        ):
            say("unchanged")
            return []
    kept = [_NONE if value is None else min(value, 32_767) for value in heard]
    wake.memory = struct.pack(_FORM, now_s, *kept)
    return [(f_port, values)]
