# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensor drivers. Each read returns (state, value, reason), made by the three functions below.

A driver never blocks past its named limit, checks what the chip lets it check, and tells a value
that is not there (missing: no echo, not measured yet) from a part that does not work (fault).
Bytes to values is a function without a bus, parse(); so recorded bytes are plain calls.

Sensors of particulate matter (sps30, sps30_uart, sen55, pms5003, sds011; particles.py chooses)
have one surface:

WARM_UP_MS        from start() to the first reading worth keeping
more_warm_up_ms   what the newest reading asks for on top of that (clean air), else 0
start()           fan and laser on
read()            value: masses (PM1, PM2.5, PM4, PM10) in 0.1 ug/m3, None where it has none;
                  the fault FROZEN when the same bytes came too often
status()          value: the part's own error bits, 0 if it knows of none
stop()            fan and laser off, as low as the part goes

Those of temperature and humidity (bme280, sen55, pms5003 as PMS5003T, scd41) give climate():
(0.01 Cel, 0.01 Pa, 1/1024 %), None where it has none; for the BME280 that is read().
"""

VALID = "valid"
MISSING = "missing"
FAULT = "fault"
FROZEN = "frozen"
NO_ANSWER = "no answer"  # NACK or silence: absent, asleep, or asked too early


def valid(value: object) -> tuple:
    return (VALID, value, "")


def missing(reason: str) -> tuple:
    return (MISSING, None, reason)


def fault(reason: str) -> tuple:
    return (FAULT, None, reason)


class Repeats:
    """Finds a frozen part: `limit` times in a row the same bytes as the time before."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last: "bytes | bytearray" = b""
        self._times = 0

    def frozen(self, raw: "bytes | bytearray") -> bool:
        self._times = self._times + 1 if raw == self._last else 0
        self._last = raw
        return self._times >= self._limit
