# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Waste node: echoes to one distance; with an accelerometer also tilt, emptying and fire.

What the numbers mean: echoes.py and bin_watch.py; why: docs/sensing-waste.md. The accelerometer
and the time-of-flight sensor are used where the board's description has them.
"""

import machine

from revier_node import board as parts
from revier_node import echoes
from revier_node.bin_watch import WATCH_S
from revier_node.console import say
from revier_node.kinds import RESTARTED
from revier_node.sensors import FAULT, VALID
from revier_node.sensors.a02yyuw import BAUD, RANGE_MAX_MM, A02yyuw
from revier_payload.waste import WASTE

MYPY = False
if MYPY:
    from typing import Any

    from revier_node.bin_watch import Bin
    from revier_node.kinds import Wake


F_PORT = WASTE.f_port
MESSAGES: dict = {F_PORT: WASTE}  # and those that few wakes need
LINK = None  # network ADR
HELD = ()  # an alarm that found no way out is repeated from the container's memory
WATCHES = "lis3dh"  # a fire asks no network
INTERVAL_S = 1_800
POWER_UP_MS = 500
FLAG_FIRE, FLAG_MOVED, FLAG_SENSOR_FAULT = 1, 2, 4
SETTING_EMPTY, SETTING_NEAREST = 48, 52


def self_test(wake: "Wake") -> list:
    outcomes = [("a02yyuw", _echoes(wake, 1)[0])]
    if "vl53l1x" in wake.wiring:
        outcomes.append(("vl53l1x", _tof(wake)))
    parts.switch(wake.wiring.get("power"), False)
    if "lis3dh" in wake.wiring:
        from revier_node.sensors.lis3dh import Lis3dh

        address = wake.wiring["lis3dh"]["addr"]
        outcomes.append(("lis3dh", Lis3dh(parts.i2c(wake.board), address).start()))
    return [(part, outcome[2] if outcome[0] == FAULT else "ok") for part, outcome in outcomes]


def sense(wake: "Wake") -> list:
    """An alarm goes first and alone: the fire that it tells of may end the node."""
    if "lis3dh" not in wake.wiring:
        return [_reading(wake, None, None)]
    now_s = wake.started_ms // 1000
    watched = _bin(wake)
    from revier_node import bin_motion

    temperature_c, fault = bin_motion.feel(wake, watched, now_s)
    if watched.alarm_due(now_s):
        message = _alarms().message(watched, temperature_c, wake.battery_mv())
        MESSAGES[message[0]] = _alarms().ALARM
        wake.memory = watched.pack()
        return [message]
    messages = []
    righted = watched.moved and not watched.tilted_s
    # The interval may be another; what was read before a join is in the log alone
    new = "before" in wake.config or wake.joined
    if _reads(watched, now_s) or wake.flags & RESTARTED or righted or new:
        message = _reading(wake, watched, temperature_c)
        message[1]["flags"] |= fault
        messages.append(message)
        watched.reading_s = now_s + wake.interval_ms // 1000
    wake.memory = watched.pack()
    return messages


def _reads(watched: "Bin", now_s: int) -> bool:
    """The reading is due. In a wake that has measured the tilt it waits for the next one, a second
    later: one wake's heap has no room for every sensor and the radio."""
    busy = watched.moved or watched.alarm
    return now_s >= watched.reading_s and bool(busy or watched.looked_s != now_s)


def told(wake: "Wake", message: tuple, outcome: str) -> None:
    watched = _bin(wake)
    _alarms().told(watched, wake.started_ms // 1000, outcome, message[1]["seq"])
    wake.memory = watched.pack()


def next_wake_ms(wake: "Wake") -> int:
    if "lis3dh" in wake.wiring:
        now_s = wake.started_ms // 1000
        watch_s = wake.interval_ms // 1000 if "thermostat" in wake.wiring else WATCH_S
        return wake.started_ms + (_bin(wake).next_s(now_s, watch_s) - now_s) * 1000
    return wake.started_ms + wake.interval_ms


def wake_pins(wake: "Wake") -> tuple:
    """The accelerometer's, unless it has just woken the node or lies on its side; the
    thermostat's, unless it has told of the fire that burns."""
    part = wake.wiring.get("lis3dh")
    if not part:
        return ()
    watched = _bin(wake)
    pins = () if wake.by_pin or watched.tilted_s else (part["int"],)
    if "thermostat" in wake.wiring and not watched.alarm & FLAG_FIRE:
        pins += (wake.wiring["thermostat"]["int"],)
    return pins


def _bin(wake: "Wake") -> "Bin":
    """What is known of the container, in a node that has an accelerometer."""
    from revier_node.bin_watch import Bin

    return Bin(wake.memory, wake.started_ms // 1000, wake.settings)


def _alarms() -> "Any":
    from revier_node import bin_alarm

    return bin_alarm


def _reading(wake: "Wake", watched: "Bin | None", temperature_c: "int | None") -> tuple:
    values: "dict[str, int | None]" = {
        "battery": wake.battery_mv(),
        "temperature": temperature_c,
        "tilt": None,
    }
    flags = 0
    if watched:
        values["tilt"] = watched.tilt_deg if watched.looked_s else None
        flags = watched.alarm & FLAG_FIRE | (FLAG_MOVED if watched.moved else 0)
        if watched.tilted_s:  # the distance would be that of a wall, or of the street
            values["flags"], values["quality"] = flags, 0
            return F_PORT, values
    outcomes = _echoes(wake, echoes.ECHOES_MAX)
    tof_mm = None
    if "vl53l1x" in wake.wiring:
        state, tof_mm, _ = _tof(wake)
        if state == FAULT:
            wake.failed("vl53l1x")
    parts.switch(wake.wiring.get("power"), False)
    heard = _own(wake, outcomes)
    distance_mm, quality = echoes.level(heard, temperature_c, tof_mm)
    values["distance"], values["quality"] = distance_mm, quality
    if distance_mm is None or outcomes[-1][0] == FAULT:
        state, _, reason = outcomes[-1]
        say("sensor", "part", "a02yyuw", "state", state, "reason", reason)
        if state == FAULT:
            flags |= FLAG_SENSOR_FAULT
            wake.failed("a02yyuw")
    values["flags"] = flags
    f_port = F_PORT
    if watched:
        before_mm = watched.distance_mm
        if watched.measured(distance_mm, quality):
            say("emptied", "from_mm", before_mm, "to_mm", distance_mm)
            from revier_payload.waste_emptied import WASTE_EMPTIED

            f_port = WASTE_EMPTIED.f_port
            MESSAGES[f_port] = WASTE_EMPTIED
            values["emptied_from"] = before_mm
        watched.moved = 0
    return f_port, values


def _echoes(wake: "Wake", count: int) -> list:
    """Outcomes of at most `count` reads; a silent sensor is asked only once more.

    Leaves the supply on.
    """
    parts.switch(wake.wiring.get("power"), True)
    machine.lightsleep(POWER_UP_MS)
    sensor = A02yyuw(parts.uart(wake.board, BAUD))
    outcomes: list = []
    while len(outcomes) < count and echoes.asks_more(_own(wake, outcomes)):
        outcome = sensor.read()
        outcomes.append(outcome)
        if outcome[0] == FAULT and len(outcomes) > 1 and outcomes[-2][0] == FAULT:
            break
    return outcomes


def _own(wake: "Wake", outcomes: list) -> list:
    """The distances; None where an echo is not of the container."""
    empty_mm = wake.settings.get(SETTING_EMPTY, RANGE_MAX_MM)
    nearest_mm = wake.settings.get(SETTING_NEAREST, echoes.BLIND_MM)
    found = [outcome[1] for outcome in outcomes]
    return [mm if mm and nearest_mm < mm <= empty_mm else None for mm in found]


def _tof(wake: "Wake") -> tuple:
    """Of the time-of-flight sensor, whose supply is on."""
    from revier_node.sensors.vl53l1x import Vl53l1x

    sensor = Vl53l1x(parts.i2c(wake.board), wake.wiring["vl53l1x"]["addr"])
    outcome = sensor.start()
    if outcome[0] == VALID:
        outcome = sensor.read()
    if outcome[0] != VALID:
        say("sensor", "part", "vl53l1x", "state", outcome[0], "reason", outcome[2])
    return outcome
