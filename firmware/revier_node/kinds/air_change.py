# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Report on change, of the air node: setting 16 is 2. Settings 17 and 18, seconds between two
uplinks, at least and at most; 19 and 20, the dead band of PM2.5 and PM10, go before what is here.

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
_REPORT_MIN, _REPORT_MAX, _DEAD_BAND, _DEAD_BAND_SHARE = 17, 18, 19, 20
_NG = 100  # ng/m3 in a step of the message
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
        get = wake.settings.get
        step = get(_DEAD_BAND, BANDS[0][0] * _NG) // _NG
        share = get(_DEAD_BAND_SHARE, BANDS[0][1])
        # a wake comes at its interval, and its clock errs: the nearest wake is the one meant
        age_s = now_s - was[0] + wake.interval_ms // 2000
        if age_s >= 0 and not due(
            sent,
            heard,
            ((step, share), (step * 3 // 2, share)) + BANDS[2:],
            (NOISE_MADS * mads.get("pm25", 0), NOISE_MADS * mads.get("pm10", 0), 0, 0, 0, 0, 0),
            age_s,
            get(_REPORT_MIN, MIN_S),
            get(_REPORT_MAX, MAX_S),
        ):
            say("unchanged")
            return []
    kept = [_NONE if value is None else min(value, 32_767) for value in heard]
    wake.memory = struct.pack(_FORM, now_s, *kept)
    return [(f_port, values)]
