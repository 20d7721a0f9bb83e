# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Waste node: several echoes, their median, and how many of them agree."""

import time

from revier_node import board as parts
from revier_node.console import say
from revier_node.kinds import median
from revier_node.sensors import FAULT, VALID
from revier_node.sensors.a02yyuw import BAUD, A02yyuw
from revier_payload.waste import WASTE

MYPY = False
if MYPY:
    from revier_node.kinds import Wake


F_PORT = WASTE.f_port
MESSAGES = {F_PORT: WASTE}
LINK = None  # network ADR
HELD = ()
INTERVAL_S = 1_800
POWER_UP_MS = 500
ECHOES = 9
AGREE_MM = 30  # sensors facts: the mode of a bin's echoes within 3 cm
QUALITY_BEST = 5
FLAG_SENSOR_FAULT = 4


def self_test(wake: "Wake") -> list:
    outcomes = _echoes(wake, 1)
    return [("a02yyuw", outcomes[0][2] if outcomes[0][0] == FAULT else "ok")]


def sense(wake: "Wake") -> list:
    battery_mv = wake.battery_mv()
    outcomes = _echoes(wake, ECHOES)
    distances = [value for state, value, _ in outcomes if state == VALID]
    values = {"battery": battery_mv, "flags": 0, "quality": 0}
    if distances:
        middle = median(distances)
        agreeing = sum(1 for mm in distances if abs(mm - middle) <= AGREE_MM)
        values["distance"] = middle
        values["quality"] = agreeing * QUALITY_BEST // ECHOES
    else:
        state, _, reason = outcomes[-1]
        say("sensor", "part", "a02yyuw", "state", state, "reason", reason)
        if state == FAULT:
            values["flags"] = FLAG_SENSOR_FAULT
    return [(F_PORT, values)]


def next_wake_ms(wake: "Wake") -> int:
    return wake.started_ms + wake.interval_ms


def wake_pins(_wake: "Wake") -> tuple:
    return ()


def _echoes(wake: "Wake", count: int) -> list:
    """Outcomes of `count` reads; a silent sensor is asked only once more."""
    parts.switch(wake.wiring.get("power"), True)
    time.sleep_ms(POWER_UP_MS)
    sensor = A02yyuw(parts.uart(wake.board, BAUD))
    outcomes = []
    for _ in range(count):
        outcome = sensor.read()
        outcomes.append(outcome)
        if outcome[0] == FAULT and len(outcomes) > 1 and outcomes[-2][0] == FAULT:
            break
    parts.switch(wake.wiring.get("power"), False)
    return outcomes
