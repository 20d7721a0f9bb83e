# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Air node: climate first, then the fan: warm up, ten samples, their median, fan off.

The wiring chooses: one sensor of particulate matter (sensors/particles.py), a BME280 or that
sensor's own climate, an SCD41 for CO2. Setting 16 says what is sent: each reading; on change, what
is news (air_change.py); as a batch, an hour at once (air_batch.py).
Values are raw, humidity beside them: correcting is the receiver's. VOC and NOx are missing: their
indices are learnt over hours of unbroken measuring, and the fan's supply is off between readings.
"""

import time

import machine

from revier_node import board as parts
from revier_node.console import say
from revier_node.kinds import (
    FAN_OR_LASER_FAULT,
    READING_FLAGS,
    REPORT_BATCH,
    REPORT_EACH,
    SETTING_REPORT,
)
from revier_node.robust import median_and_mad, unsteady
from revier_node.sensors import FAULT, FROZEN, VALID, particles
from revier_payload.air import AIR

MYPY = False
if MYPY:
    from typing import Any

    from revier_node.kinds import Wake


F_PORT = AIR.f_port
MESSAGES: dict = {F_PORT: AIR}  # and those of the modules that a wake asks for
LINK = None  # network ADR: it stands still and in the open
HELD = ()
WATCHES = ""
INTERVAL_S = 300
POWER_UP_MS = 100  # SPS30 datasheet table 3: its UART is up by then, all others before
SAMPLES = 10
SAMPLES_MIN = 5
SAMPLE_EVERY_MS = 1_020  # the sensor has a new value every 1 s of its own clock
WEEK_MS = 604_800_000  # SPS30 datasheet 4.2: between two cleanings of the fan
CLEANED_AT = 60  # that wake of a week: the first ones are those of a supply that fails
MASSES = ("pm1", "pm25", "pm4", "pm10")
NOISE = 50  # 5 ug/m3: SPS30 datasheet table 1


def self_test(wake: "Wake") -> list:
    from revier_node.kinds import air_parts  # which few wakes need

    _switch(wake, True)
    results: list = air_parts.self_test(wake)
    _switch(wake, False)
    return results


def sense(wake: "Wake") -> list:
    wiring = wake.wiring
    report = wake.settings.get(SETTING_REPORT, REPORT_EACH)
    if report == REPORT_BATCH or "before" in wake.config:  # the settings are new
        from revier_node.kinds import air_batch

        block: list = (air_batch.due if report == REPORT_BATCH else air_batch.rest)(wake)
        if block:
            return block
    values: dict = {"battery": wake.battery_mv()}  # before the fan's load
    mads: dict = {}
    f_port = F_PORT
    _switch(wake, True)
    if "bme280" in wiring:
        from revier_node.sensors.bme280 import Bme280

        sensor = Bme280(parts.i2c(wake.board), wiring["bme280"]["addr"])
        climate(wake, values, "bme280", sensor.read())
    if "scd41" in wiring:
        from revier_node.kinds import air_parts

        f_port = air_parts.co2(wake, values)
    name = particles.wired(wiring)
    if name:
        _particles(wake, name, values, mads)
    _switch(wake, False)
    values["status"] = wake.flags & READING_FLAGS
    messages = [(f_port, values)]
    if report != REPORT_EACH:  # each in a module that few wakes need
        name = "air_batch" if report == REPORT_BATCH else "air_change"
        module = __import__("revier_node.kinds." + name, None, None, ("report",))
        messages = module.report(wake, f_port, values, mads)
    return messages


def told(_wake: "Wake", message: tuple, outcome: str) -> None:
    from revier_node.kinds import air_hour  # whose messages alone ask for it

    air_hour.told(message, outcome)


def next_wake_ms(wake: "Wake") -> int:
    """An hour's block goes out right after its last reading; the next reading keeps its time."""
    due_ms: int = wake.started_ms + wake.interval_ms if wake.kept is None else wake.kept
    return due_ms


def wake_pins(_wake: "Wake") -> tuple:
    return ()


def _switch(wake: "Wake", on: bool) -> None:
    wiring = wake.wiring
    for name in ("power", "boost") if on else ("boost", "power"):
        parts.switch(wiring.get(name), on)
    if on:
        time.sleep_ms(POWER_UP_MS)


def climate(wake: "Wake", values: dict, part: str, outcome: tuple) -> None:
    """A driver's (0.01 Cel, 0.01 Pa, 1/1024 %) as 0.1 Cel, 0.1 hPa, %."""
    state, measured, reason = outcome
    if state != VALID:
        complain(wake, part, state, reason)
        return
    temperature, pressure, humidity = measured
    values["temperature"] = (temperature + 5) // 10
    if pressure is not None:
        values["pressure"] = (pressure + 500) // 1000
    if humidity is not None:
        values["humidity"] = (humidity + 512) // 1024


def _particles(wake: "Wake", name: str, values: dict, mads: dict) -> None:
    """The median of the samples, in 0.1 ug/m3; nothing where they are too few."""
    sensor = particles.make(wake.board, name, wake.wiring[name])
    state, _, reason = sensor.start()
    if state != VALID:
        complain(wake, name, state, reason)
        return
    samples = _samples(wake, name, sensor)
    if "temperature" not in values and hasattr(sensor, "climate"):
        climate(wake, values, name, sensor.climate())
    if sensor.status()[1]:
        wake.flags |= FAN_OR_LASER_FAULT
    # a week of wakes; its own count of a week ends with its supply
    node, wakes = wake.node, WEEK_MS // wake.interval_ms
    if node and node.state.boots % wakes == min(CLEANED_AT, wakes - 1):
        from revier_node.kinds import air_parts

        air_parts.clean(sensor)
    sensor.stop()
    if len(samples) < SAMPLES_MIN:
        complain(wake, name, FAULT, "samples")
        return
    for i in range(4):
        values[MASSES[i]], mads[MASSES[i]] = median_and_mad([s[i] for s in samples])
    if unsteady(values["pm25"], mads["pm25"], NOISE):
        complain(wake, name, FAULT, "unsteady")


def _samples(wake: "Wake", name: str, sensor: "Any") -> list:
    machine.lightsleep(sensor.WARM_UP_MS)
    sensor.read()
    if sensor.more_warm_up_ms > 0:
        machine.lightsleep(sensor.more_warm_up_ms)
    samples: list = []
    for _ in range(SAMPLES):
        machine.lightsleep(SAMPLE_EVERY_MS)
        state, values, reason = sensor.read()
        if state == VALID:
            samples.append(values)
        elif state == FAULT:
            complain(wake, name, state, reason)
        if reason == FROZEN:
            return []
    return samples


def complain(wake: "Wake", part: str, state: str, reason: str) -> None:
    if state == FAULT:
        wake.failed(part)
    say("sensor", "part", part, "state", state, "reason", reason)
