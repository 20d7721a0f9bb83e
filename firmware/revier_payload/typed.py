# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Uplinks as objects whose attributes a type checker knows.

    reading = read(f_port, data)
    if isinstance(reading, Air) and reading.pm25 is not None: ...      # classes: readings.py

Values are physical; None is no value, and `decoded.states` says why. What cannot be read is an
Unreadable with `errors`.
"""

from revier_payload.codec import decode
from revier_payload.decoded import Decoded
from revier_payload.physical import physical
from revier_payload.schema import MESSAGES
from revier_payload.schema.air import CHANNELS


class Reading:
    """decoded: states, warnings, raw integers. rows: of a batch or a backfill, its readings."""

    seq: int

    def __init__(self, decoded: Decoded) -> None:
        self.decoded = decoded
        self.time = decoded.time  # of a row, as in Decoded
        self.rows: "list[Reading]" = []


class Sample(Reading):
    """One of a batch's readings, or `means_before`."""

    pm1: "float | None"  # ug/m3
    pm25: "float | None"
    pm4: "float | None"
    pm10: "float | None"
    temperature: "float | None"  # Cel
    humidity: "int | None"  # %
    pressure: "float | None"  # hPa
    voc: "int | None"
    nox: "int | None"
    co2: "int | None"  # [ppm]


class Unreadable(Reading):
    @property
    def errors(self) -> "list[str]":
        return self.decoded.errors


def read(f_port: int, data: bytes) -> Reading:
    """Never raises, whatever the port and the bytes."""
    return _typed(decode(f_port, data))


def _typed(decoded: Decoded) -> Reading:
    from revier_payload.readings import CLASSES

    if decoded.errors:
        return Unreadable(decoded)
    made = CLASSES.get(decoded.name, Sample)(decoded)
    fields = MESSAGES[decoded.f_port].fields + MESSAGES[decoded.f_port].extras
    for field in fields + CHANNELS if isinstance(made, Sample) else fields:
        if field.name in decoded.values:
            value = physical(field, decoded.values[field.name])
            setattr(made, field.name, tuple(value) if isinstance(value, list) else value)
    made.rows = [_typed(row) for row in decoded.rows]
    return made
