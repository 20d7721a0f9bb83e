# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from collections.abc import Callable

import pytest

from revier_bench.chips.environments import Still

from .conftest import SECOND_US, Rig

MakeRig = Callable[..., Rig]
TOF = "from revier_node.sensors.vl53l1x import *\ns = Vl53l1x(i2c)\n"
TILT = "from revier_node.sensors.lis3dh import *\ns = Lis3dh(i2c)\n"
ECHO = (
    "from revier_node.sensors.a02yyuw import *\n"
    "s = A02yyuw(UART(1, baudrate=BAUD, tx=17, rx=18, timeout=0))\n"
)


# -- VL53L1X --


def test_vl53l1x_ranges(rig: MakeRig) -> None:
    made = rig("vl53l1x", environment=Still(distance=1_200))
    said = made.run(TOF + "print(timed(s.start))\nfor _ in range(5): print(timed(s.read))")
    assert said[0][0] == ("valid", None, "")
    assert said[0][1] <= 12
    for (state, distance_mm, reason), took_ms in said[1:]:
        assert (state, reason) == ("valid", "")
        assert abs(distance_mm - 1_200) < 15
        assert 100 <= took_ms <= 150, "the first range of each is thrown away"
    assert made.board.misuse == []


@pytest.mark.parametrize(
    ("distance_mm", "outcome"),
    [
        (None, ("missing", None, "no target")),
        (20, ("missing", None, "below minimum")),
        (4_500, ("missing", None, "no target")),
    ],
)
def test_vl53l1x_out_of_range(rig: MakeRig, distance_mm: int | None, outcome: tuple) -> None:
    made = rig("vl53l1x", environment=Still(distance=distance_mm))
    assert made.run(TOF + "s.start()\nprint(s.read())") == [outcome]


@pytest.mark.parametrize(
    ("fault", "start", "read"),
    [
        ("silent", ("fault", None, "no answer"), ("fault", None, "no answer")),
        ("wrong id", ("fault", None, "chip id 0xebaa"), None),
        ("no boot", ("fault", None, "start-up"), None),
        ("frozen", ("valid", None, ""), ("missing", None, "no new sample")),
        ("sigma", ("valid", None, ""), ("missing", None, "sigma")),
        ("wrapped", ("valid", None, ""), ("missing", None, "wrapped")),
        ("hardware", ("valid", None, ""), ("fault", None, "hardware 2")),
    ],
)
def test_vl53l1x_faults(rig: MakeRig, fault: str, start: tuple, read: tuple | None) -> None:
    made = rig("vl53l1x", fail={f"vl53l1x:{fault}"})
    script = "print(s.start())\n" + ("print(timed(s.read))" if read else "")
    said = made.run(TOF + script)
    assert said[0] == start
    if read:
        assert said[1][0] == read
        assert said[1][1] <= 3 * 150 + 10
    assert made.board.misuse == []


def test_vl53l1x_model_refuses_haste(rig: MakeRig) -> None:
    made = rig("vl53l1x")
    said = made.run(
        "i2c.writeto_mem(41, 0, b'\\0', addrsize=16)\ni2c.writeto_mem(41, 0, b'\\1', addrsize=16)\n"
        "def asleep():\n    try:\n        i2c.readfrom_mem(41, 0x10F, 2, addrsize=16)\n"
        "        return False\n    except OSError:\n        return True\n"
        "print(asleep())\ntime.sleep_ms(2)\nprint(asleep())\n"
        "i2c.readfrom_mem(41, 0x89, 17, addrsize=16)\n"
        "i2c.writeto_mem(41, 0x87, b'\\x40', addrsize=16)"
    )
    assert said == [True, False]
    text = "\n".join(made.board.misuse)
    for words in ("before it was ready", "without settings from 0x002D on"):
        assert words in text, text


# -- LIS3DH --


def test_lis3dh_reads_tilt_and_temperature(rig: MakeRig) -> None:
    made = rig("lis3dh", environment=Still(acceleration=(500.0, 0.0, 866.0), temperature=31.0))
    start, first, second, tilt, temperature = made.run(
        TILT + "print(s.start())\nprint(timed(s.read))\nr = s.read()\nprint(r)\n"
        "print(tilt_deg(r[1], (0, 0, 1000)))\nprint(s.temperature_c())"
    )
    assert start == ("valid", None, "")
    assert first[0][0] == second[0] == "valid"
    assert 700 <= first[1] <= 1_000, "seven samples after switching to high resolution"
    wanted = ((second[1][0], 500), (second[1][1], 0), (second[1][2], 866))
    assert all(abs(mg - want) < 12 for mg, want in wanted)
    assert abs(tilt - 30) <= 1
    assert temperature == ("valid", 31, "")
    assert made.board.misuse == []


ARMED = (
    "p = Pin(6, Pin.IN)\ns.start()\nr = s.read()[1]\nprint(s.arm(r, 400))\n"
    "time.sleep_ms(500)\nprint(p())\n"
    "while time.ticks_ms() < 15_000: time.sleep_ms(50)\nprint(p())\nprint(s.events())\n"
)


@pytest.mark.parametrize(
    ("motions", "raised", "events"),
    [
        ((), 0, 0),
        (((0.0, 970.0, 200.0),), 1, 1 | 2),  # tipped over; the jump of Y is a jolt too
        (((0.0, 500.0, 866.0),), 1, 2),  # leaning by 30 degrees
        (((150.0, 0.0, 990.0),), 0, 0),
    ],
)
def test_lis3dh_interrupt(rig: MakeRig, motions: tuple, raised: int, events: int) -> None:
    moved = tuple((10 * SECOND_US + i, motion) for i, motion in enumerate(motions))
    made = rig("lis3dh", environment=Still(motions_us=moved))
    armed, before, level, outcome = made.run(TILT + ARMED)
    assert armed == ("valid", None, "")
    assert before == 0
    assert (level, outcome) == (raised, ("valid", events, ""))
    assert made.board.misuse == []


def test_lis3dh_a_jolt_is_latched_and_a_short_tip_is_none(rig: MakeRig) -> None:
    """0.4 s on the side: a lid that falls, not a bin that lies."""
    back = (0.0, 0.0, 1_000.0)
    motions = ((10 * SECOND_US, (980.0, 0.0, 100.0)), (10 * SECOND_US + 400_000, back))
    made = rig("lis3dh", environment=Still(motions_us=motions))
    said = made.run(TILT + ARMED + "time.sleep_ms(500)\nprint(p())\nprint(s.events())")
    assert said[2:] == [1, ("valid", 2, ""), 0, ("valid", 0, "")]


def test_lis3dh_ends_deep_sleep(rig: MakeRig) -> None:
    motions = ((30 * SECOND_US, (0.0, -980.0, 100.0)),)
    made = rig("lis3dh", environment=Still(motions_us=motions))
    said = made.run(
        TILT + "import esp32\n"
        "if machine.wake_reason() == machine.EXT1_WAKE:\n"
        "    print(s.events())\n"
        "else:\n"
        "    s.start(); s.arm(s.read()[1], 0)\n"
        "    esp32.wake_on_ext1((Pin(6, Pin.IN),), esp32.WAKEUP_ANY_HIGH)\n"
        "    machine.deepsleep(600_000)"
    )
    assert said == [("valid", 1, "")]


@pytest.mark.parametrize(
    ("fault", "start", "read"),
    [
        ("silent", ("fault", None, "no answer"), ("fault", None, "no answer")),
        ("wrong id", ("fault", None, "chip id 0x32"), None),
        ("frozen", ("valid", None, ""), ("missing", None, "no new sample")),
        ("saturated", ("valid", None, ""), ("fault", None, "overflow")),
    ],
)
def test_lis3dh_faults(rig: MakeRig, fault: str, start: tuple, read: tuple | None) -> None:
    made = rig("lis3dh", fail={f"lis3dh:{fault}"})
    said = made.run(TILT + "print(s.start())\nprint(timed(s.read))")
    assert said[0] == start
    if read:
        assert said[1][0] == read
    assert said[1][1] < 1_200


def test_lis3dh_model_wants_its_increment_bit(rig: MakeRig) -> None:
    made = rig("lis3dh")
    made.run("i2c.readfrom_mem(24, 0x28, 6)\ni2c.writeto_mem(24, 0x20, b'\\x27\\0')")
    assert len([text for text in made.board.misuse if "increment bit" in text]) == 2


# -- A02YYUW --


def test_a02yyuw_reads_the_newest_distance(rig: MakeRig) -> None:
    made = rig("a02yyuw", environment=Still(distance=511))
    said = made.run(ECHO + "time.sleep(1)\nfor _ in range(5): print(timed(s.read))")
    assert [outcome for outcome, _ in said] == [("valid", 511, "")] * 5
    assert all(took_ms <= 330 for _, took_ms in said)


@pytest.mark.parametrize(
    ("fault", "outcomes"),
    [
        ("silent", {("fault", None, "silent")}),
        ("checksum", {("fault", None, "garbled")}),
        ("noise", {("valid", 1_200, "")}),
        ("partial", {("valid", 1_200, ""), ("fault", None, "garbled")}),
        ("blind", {("valid", 30, "")}),
    ],
)
def test_a02yyuw_faults(rig: MakeRig, fault: str, outcomes: set[tuple]) -> None:
    made = rig("a02yyuw", fail={f"a02yyuw:{fault}"})
    said = made.run(ECHO + "time.sleep(1)\nfor _ in range(6): print(timed(s.read))")
    assert {outcome for outcome, _ in said} <= outcomes
    assert said[0][0] in outcomes
    assert fault != "partial" or ("valid", 1_200, "") in {outcome for outcome, _ in said}
    assert all(took_ms <= 740 for _, took_ms in said)


def test_a02yyuw_without_an_echo(rig: MakeRig) -> None:
    made = rig("a02yyuw", environment=Still(distance=None))
    assert made.run(ECHO + "time.sleep(1)\nprint(s.read())") == [("missing", None, "no echo")]
