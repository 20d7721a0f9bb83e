# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""Uplinks with typed attributes in physical units: what typed.read() answers."""

from revier_payload.typed import Reading


class Diagnosis(Reading):
    """State of the node, first uplink after every join: fPort 1."""

    seq: int
    reset_cause: str | None
    battery: float | None  # V
    fw_major: int | None
    fw_minor: int | None
    fw_patch: int | None
    boots: int | None
    error: int | None
    status: tuple[str, ...]
    config_hash: int | None
    joins: int | None
    battery_tx: float | None  # V
    errors_1: int | None
    errors_2: int | None
    errors_3: int | None
    errors_4: int | None
    join_silent: int | None
    join_replayed: int | None
    not_ours: int | None
    mic_wrong: int | None
    oversized: int | None
    downlink_lost: int | None
    unacknowledged: int | None
    command_unknown: int | None
    command_refused: int | None
    duty: int | None
    aborted: int | None
    time_error: int | None  # s


class ConfigurationAnswer(Reading):
    """What became of a configuration: fPort 3."""

    request_hash: int
    config_hash: int | None
    result: str | None
    setting: int | None


class Backfill(Reading):
    """Readings from the node's memory, each as it was or would have been sent: fPort 5."""

    seq: int
    time: int | None  # s
    port: int | None
    size: int | None  # B


class Alarm(Reading):
    """Something happens that cannot wait; with no flag set it is over: fPort 6."""

    seq: int
    alarm: tuple[str, ...]
    temperature: int | None  # Cel
    tilt_angle: int | None  # deg
    battery: float | None  # V


class Air(Reading):
    """Air quality reading: fPort 10."""

    seq: int
    pm1: float | None  # ug/m3
    pm25: float | None  # ug/m3
    pm4: float | None  # ug/m3
    pm10: float | None  # ug/m3
    temperature: float | None  # Cel
    humidity: int | None  # %
    pressure: float | None  # hPa
    voc: int | None
    nox: int | None
    battery: float | None  # V
    status: tuple[str, ...]


class AirBatch(Reading):
    """Readings at even distances with consecutive sequence numbers, packed as a block: fPort 11."""

    seq: int
    time: int | None  # s
    samples: int | None
    interval: int | None  # s
    level: int | None
    battery: float | None  # V
    status: tuple[str, ...]
    channels: tuple[str, ...]
    gaps: tuple[str, ...]


class AirCo2(Reading):
    """Air quality reading of a node with a CO2 sensor instead of VOC and NOx: fPort 12."""

    seq: int
    pm1: float | None  # ug/m3
    pm25: float | None  # ug/m3
    pm4: float | None  # ug/m3
    pm10: float | None  # ug/m3
    temperature: float | None  # Cel
    humidity: int | None  # %
    pressure: float | None  # hPa
    co2: int | None  # [ppm]
    battery: float | None  # V
    status: tuple[str, ...]


class ParkingEvent(Reading):
    """A bay has changed: fPort 20."""

    seq: int
    state: str | None
    confidence: str | None
    dwell: int | None  # min
    dwell_2: int | None  # min
    dwell_3: int | None  # min


class ParkingHeartbeat(Reading):
    """A bay has not changed: fPort 21."""

    seq: int
    state: str | None
    confidence: str | None
    battery: float | None  # V
    status: tuple[str, ...]
    lasting: int | None  # min


class Waste(Reading):
    """Fill level reading: fPort 30."""

    seq: int
    distance: int | None  # mm
    temperature: int | None  # Cel
    tilt: int | None  # deg
    quality: int | None
    battery: float | None  # V
    flags: tuple[str, ...]


class WasteEmptied(Reading):
    """Fill level reading of a container that was emptied since the reading before: fPort 31."""

    seq: int
    distance: int | None  # mm
    temperature: int | None  # Cel
    tilt: int | None  # deg
    quality: int | None
    battery: float | None  # V
    flags: tuple[str, ...]
    emptied_from: int | None  # mm


CLASSES: dict[str, type[Reading]] = {
    "diagnosis": Diagnosis,
    "configuration_answer": ConfigurationAnswer,
    "backfill": Backfill,
    "alarm": Alarm,
    "air": Air,
    "air_batch": AirBatch,
    "air_co2": AirCo2,
    "parking_event": ParkingEvent,
    "parking_heartbeat": ParkingHeartbeat,
    "waste": Waste,
    "waste_emptied": WasteEmptied,
}
