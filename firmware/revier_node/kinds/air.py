# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Air node: climate first, then the fan: warm up, ten samples, their median, fan off."""

import time

import machine

from revier_node import board as parts
from revier_node.console import say
from revier_node.kinds import FAN_OR_LASER_FAULT, SENSOR_FAULT, median
from revier_node.sensors import FAULT, FROZEN, VALID, sps30
from revier_node.sensors.bme280 import Bme280
from revier_payload.air import AIR

MYPY = False
if MYPY:
    from machine import I2C

    from revier_node.kinds import Wake


F_PORT = AIR.f_port
MESSAGES = {F_PORT: AIR}
LINK = None  # network ADR: it stands still and in the open
HELD = ()
INTERVAL_S = 300
POWER_UP_MS = 50  # SPS30 datasheet table 3 and BME280 1.1: both are up before
SAMPLES = 10
SAMPLES_MIN = 5
SAMPLE_EVERY_MS = 1_020  # the sensor has a new value every 1 s of its own clock


def self_test(wake: "Wake") -> list:
    i2c = _power(wake)
    sensor = sps30.Sps30(i2c, wake.wiring["sps30"]["addr"])
    outcome = sensor.start()
    sensor.stop()
    climate = Bme280(i2c, wake.wiring["bme280"]["addr"]).read()
    _off(wake)
    return [("sps30", outcome[2] or "ok"), ("bme280", climate[2] or "ok")]


def sense(wake: "Wake") -> list:
    battery_mv = wake.battery_mv()  # before the fan's load
    i2c = _power(wake)
    temperature, pressure, humidity = _climate(wake, i2c)
    masses = _particles(wake, sps30.Sps30(i2c, wake.wiring["sps30"]["addr"]))
    _off(wake)
    values = {
        "pm1": masses[0],
        "pm25": masses[1],
        "pm4": masses[2],
        "pm10": masses[3],
        "temperature": temperature,
        "humidity": humidity,
        "pressure": pressure,
        "battery": battery_mv,
        "status": wake.flags,
    }
    return [(F_PORT, values)]


def next_wake_ms(wake: "Wake") -> int:
    return wake.started_ms + wake.interval_ms


def wake_pins(_wake: "Wake") -> tuple:
    return ()


def _power(wake: "Wake") -> "I2C":
    parts.switch(wake.wiring.get("power"), True)
    parts.switch(wake.wiring.get("boost"), True)
    time.sleep_ms(POWER_UP_MS)
    return parts.i2c(wake.board)


def _off(wake: "Wake") -> None:
    parts.switch(wake.wiring.get("boost"), False)
    parts.switch(wake.wiring.get("power"), False)


def _climate(wake: "Wake", i2c: "I2C") -> tuple:
    """(0.1 Cel, 0.1 hPa, %), each None if not measured."""
    state, values, reason = Bme280(i2c, wake.wiring["bme280"]["addr"]).read()
    if state != VALID:
        _complain(wake, "bme280", state, reason)
        return None, None, None
    temperature, pressure, humidity = values
    return (
        (temperature + 5) // 10,
        None if pressure is None else (pressure + 500) // 1000,
        None if humidity is None else (humidity + 512) // 1024,
    )


def _particles(wake: "Wake", sensor: "sps30.Sps30") -> "list | tuple":
    """PM1, PM2.5, PM4, PM10 in 0.1 ug/m3: the median of the samples, or four times None."""
    nothing = (None, None, None, None)
    state, _, reason = sensor.start()
    if state != VALID:
        _complain(wake, "sps30", state, reason)
        return nothing
    samples = _samples(wake, sensor)
    if sensor.status()[1]:
        wake.flags |= FAN_OR_LASER_FAULT
    sensor.stop()
    if len(samples) < SAMPLES_MIN:
        _complain(wake, "sps30", FAULT, "%d samples" % len(samples))
        return nothing
    return [median([s[i] for s in samples]) for i in range(4)]


def _samples(wake: "Wake", sensor: "sps30.Sps30") -> list:
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
            _complain(wake, "sps30", state, reason)
        if reason == FROZEN:
            return []
    return samples


def _complain(wake: "Wake", part: str, state: str, reason: str) -> None:
    if state == FAULT:
        wake.flags |= SENSOR_FAULT
    say("sensor", "part", part, "state", state, "reason", reason)
