# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the usual air wake does without: the self-test, cleaning the fan, CO2 by an SCD41."""

import machine

from revier_node import board as parts
from revier_node.console import say
from revier_node.kinds import air
from revier_node.sensors import VALID, particles, scd41
from revier_node.sensors.bme280 import Bme280
from revier_payload.air_co2 import AIR_CO2

MYPY = False
if MYPY:
    from typing import Any

    from revier_node.kinds import Wake

CLEAN_MS = 10_500  # SPS30 datasheet 4.2, SEN5x datasheet 5.2: 10 s


def self_test(wake: "Wake") -> list:
    """(part, "ok" or reason) of each wired part; the supplies are on."""
    wiring, results = wake.wiring, []
    name = particles.wired(wiring)
    if name:
        sensor = particles.make(wake.board, name, wiring[name])
        results.append((name, sensor.start()[2] or "ok"))
        sensor.stop()
    if "scd41" in wiring:
        gas = scd41.Scd41(parts.i2c(wake.board), wiring["scd41"]["addr"])
        results.append(("scd41", gas.start()[2] or "ok"))
        gas.stop()
    if "bme280" in wiring:
        part = Bme280(parts.i2c(wake.board), wiring["bme280"]["addr"])
        results.append(("bme280", part.read()[2] or "ok"))
    return results


def clean(sensor: "Any") -> None:
    """Ten seconds of full fan, where the part knows that; there are no values meanwhile."""
    if hasattr(sensor, "clean") and sensor.clean()[0] == VALID:
        say("clean")
        machine.lightsleep(CLEAN_MS)


def co2(wake: "Wake", values: dict) -> int:
    """Into values; the fPort of the message that has room for it.

    Two single shots, the first of which is thrown away (SCD4x datasheet 3.10).
    """
    air.MESSAGES[AIR_CO2.f_port] = AIR_CO2
    sensor = scd41.Scd41(parts.i2c(wake.board), wake.wiring["scd41"]["addr"])
    state, _, reason = sensor.start(scd41.SINGLE_SHOT)
    measured = None
    if state == VALID:
        machine.lightsleep(scd41.SINGLE_SHOT_MS + 50)  # light sleep's clock may run fast
        sensor.read()
        if "pressure" in values:
            sensor.set_pressure(values["pressure"] * 10)
        sensor.trigger()
        machine.lightsleep(scd41.SINGLE_SHOT_MS + 50)
        state, measured, reason = sensor.read()
        if "temperature" not in values:
            air.climate(wake, values, "scd41", sensor.climate())
        sensor.stop()
    if state == VALID and measured:
        values["co2"] = measured[0]
    else:
        air.complain(wake, "scd41", state, reason)
    return AIR_CO2.f_port
