# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The air sensors' drivers on MicroPython, through the board's buses, at the chips' models."""

from __future__ import annotations

from typing import Any

import pytest

from revier_bench.chips.environments import Still
from revier_bench.chips.scd41 import SINGLE_SHOT
from revier_node.sensors.scd41 import SINGLE_SHOT_MS

from .sensor_stage import Outcome, Play, Stage

PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "sps30": ("sps30", {"bus": "i2c", "addr": 0x69}),
    "sps30 uart": ("sps30", {"bus": "uart"}),
    "sen55": ("sen55", {"bus": "i2c", "addr": 0x69}),
    "pms5003": ("pms5003", {"bus": "uart"}),
    "pms5003t": ("pms5003t", {"bus": "uart"}),
    "sds011": ("sds011", {"bus": "uart"}),
    "scd41": ("scd41", {"bus": "i2c", "addr": 0x62}),
    "bme280": ("bme280", {"bus": "i2c", "addr": 0x76}),
}
PARTICLES = [key for key in PARTS if key not in ("scd41", "bme280")]
MAKE = """
from revier_node.sensors import particles
name = particles.wired(wiring)
sensor = particles.make(board, name, wiring[name])
"""
MAKE_SCD41 = """
from revier_node.sensors import scd41
sensor = scd41.Scd41(parts.i2c(board))
"""
MAKE_BME280 = """
from revier_node.sensors.bme280 import Bme280
sensor = Bme280(parts.i2c(board))
"""
READ = """
time.sleep_ms(1_050)
tell(sensor.read())
"""
WARM_UP = """
time.sleep_ms(sensor.WARM_UP_MS)
sensor.read()
time.sleep_ms(max(0, sensor.more_warm_up_ms))
"""


# -- particulate matter: one surface --


def has(key: str) -> tuple[bool, bool, bool, bool]:
    """Which of PM1, PM2.5, PM4, PM10 a sensor has."""
    if key == "sds011":
        return (False, True, False, True)
    return (True, True, not key.startswith("pms"), True)


@pytest.mark.parametrize("key", PARTICLES)
def test_a_whole_run(play: Play, stage: Stage, key: str) -> None:
    script = MAKE + "tell(sensor.start())\n" + WARM_UP + READ * 5
    script += "tell(sensor.status())\ntell(sensor.stop())\n"
    air = Still(pm=(18.0, 32.0, 36.0, 41.0))
    start, *readings, status, stop = play(PARTS[key], script, environment=air)
    assert start == stop == ("valid", None, "")
    assert status == ("valid", 0, "")
    assert len(readings) == 5
    for state, masses, reason in readings:
        assert (state, reason) == ("valid", "")
        for mass, wanted, there in zip(masses, air.pm, has(key), strict=True):
            assert mass == pytest.approx(wanted * 10, rel=0.25) if there else mass is None
    assert not stage.sensor.measuring


@pytest.mark.parametrize("key", PARTICLES)
def test_sleep_and_wake(play: Play, stage: Stage, key: str) -> None:
    again = "tell(sensor.start())\ntime.sleep_ms(8_000)\ntell(sensor.read())\ntell(sensor.stop())\n"
    outcomes = play(PARTS[key], MAKE + again * 2, fail=("deaf",))
    assert [state for state, _, _ in outcomes] == ["valid"] * 6, outcomes
    assert key == "sen55" or "deaf" not in stage.sensor.faults, "it woke without a second try"


@pytest.mark.parametrize("key", PARTICLES)
def test_a_node_that_restarts_while_the_fan_runs(play: Play, key: str) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(6_000)\n" + MAKE + "tell(sensor.start())\n"
    start, reading = play(PARTS[key], script + "time.sleep_ms(6_000)\n" + READ)
    assert start == ("valid", None, "")
    assert reading[0] == "valid"


@pytest.mark.parametrize("key", PARTICLES)
def test_silence(play: Play, key: str) -> None:
    script = MAKE + "tell(sensor.start())\ntell(sensor.read())\ntell(sensor.stop())\n"
    outcomes = play(PARTS[key], script, fail=("silent",))
    assert outcomes == [("fault", None, "no answer")] * 3


@pytest.mark.parametrize("key", PARTICLES)
def test_a_supply_that_is_off(play: Play, key: str) -> None:
    outcomes = play(PARTS[key], "supply(False)\n" + MAKE + "tell(sensor.start())\n")
    assert outcomes == [("fault", None, "no answer")]


@pytest.mark.parametrize("fault", ["torn", "checksum", "noise"])
@pytest.mark.parametrize("key", ["sps30 uart", "pms5003", "pms5003t", "sds011"])
def test_bad_frames_on_a_uart(play: Play, key: str, fault: str) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(12_000)\n" + READ * 6
    outcomes = play(PARTS[key], script, fail=(fault,), misuse=fault == "torn")
    if fault == "noise":
        assert [state for state, _, _ in outcomes] == ["valid"] * 6
        return
    assert all(state == "fault" and reason in ("garbled", "no answer")
               for state, _, reason in outcomes), outcomes  # fmt: skip


@pytest.mark.parametrize("fault", ["crc", "torn"])
@pytest.mark.parametrize("key", ["sps30", "sen55"])
def test_bad_words_on_i2c(play: Play, key: str, fault: str) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(5_000)\n" + READ + "tell(sensor.status())\n"
    assert play(PARTS[key], script, fail=(fault,)) == [("fault", None, "crc")] * 2


@pytest.mark.parametrize("fault", ["fan", "frozen"])
@pytest.mark.parametrize("key", PARTICLES)
def test_a_stuck_fan_or_a_frozen_value(play: Play, key: str, fault: str) -> None:
    script = MAKE + "sensor.start()\n" + WARM_UP + READ * 12 + "tell(sensor.status())\n"
    smog = Still(pm=(200.0, 400.0, 450.0, 500.0))
    *readings, status = play(PARTS[key], script, fail=(fault,), environment=smog)
    assert readings[-1] == ("fault", None, "frozen")
    if "s30" in key or key == "sen55":
        assert bool(status[1]) == (fault == "fan"), "fan and speed bits tell the one from the other"


@pytest.mark.parametrize("key", ["sps30", "sps30 uart", "sen55"])
def test_no_new_value_while_the_fan_cleans_itself(play: Play, key: str) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(5_000)\n" + READ
    script += "time.sleep_ms(5_000)\n" + READ + "tell(sensor.clean())\n" + READ
    during, after, clean, again = play(PARTS[key], script, fail=("cleaning",))
    waiting = ("missing", None, "cleaning" if key == "sen55" else "not ready")
    assert (during, again) == (waiting, waiting)
    assert after[0] == clean[0] == "valid"


@pytest.mark.parametrize("key", ["sps30", "sps30 uart", "sen55"])
def test_the_laser_fails(play: Play, key: str) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(5_000)\n" + READ + "tell(sensor.status())\n"
    reading, status = play(PARTS[key], script, fail=("laser",))
    assert reading == ("valid", (0, 0, 0, 0), ""), "zero is a value"
    assert status == ("valid", 1 << 5, "")


def test_sen55_error_bits_stick_until_the_next_start(play: Play, stage: Stage) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(6_000)\ntell(sensor.status())\nsensor.stop()\n"
    script += (
        "tell(sensor.status())\ntime.sleep_ms(30_000)\nsensor.start()\ntell(sensor.status())\n"
    )
    running, stopped, started = play(PARTS["sen55"], script, fail=("fan", "rht"))
    assert running[1] == 1 << 21 | 1 << 6 | 1 << 4
    assert stopped[1] == 1 << 6 | 1 << 4, "the speed's bit is a warning, it goes by itself"
    assert started[1] & (1 << 4) == 0


def test_sen55_climate_and_indices(play: Play) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(5_000)\n" + READ
    script += "tell(sensor.climate())\ntell(sensor.indices())\ntime.sleep_ms(6_000)\n" + READ
    script += "tell(sensor.indices())\n"
    air = Still(temperature=-7.3, humidity=81.0, voc=133.0, nox=4.0)
    _, climate, early, _, late = play(PARTS["sen55"], script, environment=air)
    assert climate[1][0] == pytest.approx(-730, abs=3)
    assert climate[1][2] == pytest.approx(81 * 1024, abs=120)
    assert early == ("valid", (1330, None), ""), "no NOx in the first ten seconds"
    assert late == ("valid", (1330, 40), "")


def test_pms5003_first_frames_are_no_readings(play: Play) -> None:
    script = MAKE + "sensor.start()\n" + READ * 8
    outcomes = play(PARTS["pms5003"], script)
    states = [state for state, _, _ in outcomes]
    assert states[0] == "missing"
    assert "warming up" in outcomes[0]
    assert states == sorted(states), "missing, then valid"
    assert states[-1] == "valid"


def test_pms5003_reports_its_error_code(play: Play) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(9_000)\n" + READ + "tell(sensor.status())\n"
    assert play(PARTS["pms5003"], script, fail=("error",))[1] == ("valid", 2, "")


def test_pms5003t_below_zero(play: Play) -> None:
    script = MAKE + "sensor.start()\ntime.sleep_ms(9_000)\n" + READ + "tell(sensor.climate())\n"
    _, climate = play(
        PARTS["pms5003t"], script, environment=Still(temperature=-12.3, humidity=88.0)
    )
    assert climate == ("valid", (-1230, None, 88 * 1024), "")


def test_sds011_writes_nothing_into_its_flash(play: Play, stage: Stage) -> None:
    again = "sensor.start()\ntime.sleep_ms(3_000)\n" + READ + "sensor.stop()\n"
    play(PARTS["sds011"], MAKE + again * 3)
    assert stage.sensor.writes == 0


def test_unknown_wiring_is_the_technicians_to_mend(play: Play) -> None:
    script = """
from revier_node.sensors import particles
try:
    particles.make(board, "sds011", {"bus": "i2c", "addr": 1})
except parts.BoardError as error:
    tell(("", str(error), ""))
"""
    assert play(PARTS["sds011"], script)[0][1] == "no driver for sds011 on i2c"


# -- CO2 --


def test_scd41_periodic(play: Play, stage: Stage) -> None:
    script = MAKE_SCD41 + "tell(sensor.start())\ntell(sensor.read())\ntime.sleep_ms(5_000)\n"
    script += (
        "tell(sensor.read())\ntell(sensor.read())\ntime.sleep_ms(5_000)\ntell(sensor.read())\n"
    )
    script += "tell(sensor.climate())\ntell(sensor.stop())\ntell(sensor.read())\n"
    start, early, first, stale, reading, climate, stop, asleep = play(PARTS["scd41"], script)
    assert start == stop == ("valid", None, "")
    assert early == stale == ("missing", None, "not ready")
    assert first == ("missing", None, "first after waking")
    assert reading[0] == "valid"
    assert reading[1][0] == pytest.approx(620, abs=50)
    assert reading[1][1] == pytest.approx(21_500, abs=100)
    assert climate[1][0] == pytest.approx(2_150, abs=10)
    assert asleep == ("fault", None, "no answer")


def test_scd41_single_shots(play: Play) -> None:
    shot = f"time.sleep_ms({SINGLE_SHOT_MS})\ntell(sensor.read())\n"
    script = MAKE_SCD41 + f"sensor.start({SINGLE_SHOT})\n" + shot + "sensor.trigger()\n" + shot
    first, second = play(PARTS["scd41"], script)
    assert first == ("missing", None, "first after waking")
    assert second[1][0] == pytest.approx(620, abs=50)


def test_scd41_asked_before_the_shot_is_done_refuses(play: Play, stage: Stage) -> None:
    script = MAKE_SCD41 + f"sensor.start({SINGLE_SHOT})\ntime.sleep_ms(4_000)\n"
    outcomes = play(PARTS["scd41"], script + "tell(sensor.read())\n", misuse=True)
    assert outcomes == [("fault", None, "no answer")]
    assert any("too early" in text for text in stage.board.misuse)


def test_scd41_wakes_at_the_second_try_and_after_a_restart(play: Play, stage: Stage) -> None:
    script = MAKE_SCD41 + "sensor.start()\nsensor.stop()\ntell(sensor.start())\n"
    script += "time.sleep_ms(6_000)\n" + MAKE_SCD41 + "tell(sensor.start())\n"
    assert play(PARTS["scd41"], script, fail=("deaf",)) == [("valid", None, "")] * 2
    assert "deaf" not in stage.sensor.faults


def test_scd41_pressure_while_it_measures(play: Play) -> None:
    script = (
        MAKE_SCD41 + "sensor.start()\ntell(sensor.set_pressure(91_000))\ntime.sleep_ms(5_000)\n"
    )
    script += "sensor.read()\ntime.sleep_ms(5_000)\ntell(sensor.read())\n"
    done, reading = play(PARTS["scd41"], script, environment=Still(pressure=91_000.0))
    assert done == ("valid", None, "")
    assert reading[1][0] == pytest.approx(620, abs=50)


@pytest.mark.parametrize(
    ("fault", "reason"), [("crc", "crc"), ("torn", "crc"), ("silent", "no answer")]
)
def test_scd41_faults(play: Play, fault: str, reason: str) -> None:
    outcomes = play(PARTS["scd41"], MAKE_SCD41 + "tell(sensor.start())\n", fail=(fault,))
    assert outcomes == [("fault", None, reason)]


def test_scd41_setup(play: Play, stage: Stage) -> None:
    script = (
        MAKE_SCD41
        + """
from revier_node.sensors import scd41_setup as s
sensor.start()
setup = s.Setup(parts.i2c(board))
tell(setup.get(s.ALTITUDE_M))
tell(setup.wake())
tell(setup.set(s.ALTITUDE_M, 340))
tell(setup.get(s.ALTITUDE_M))
tell(setup.persist())
tell(setup.self_test())
tell(setup.recalibrate(420))
"""
    )
    measuring, wake, put, got, kept, test, early = play(PARTS["scd41"], script)
    assert measuring == ("fault", None, "no answer"), "refused while it measures"
    assert wake[0] == put[0] == kept[0] == "valid"
    assert got == ("valid", 340, "")
    assert test == ("valid", 0, "")
    assert early == ("fault", None, "refused"), "it has not measured for three minutes"
    assert stage.sensor.writes == 1


# -- climate --


def test_bme280(play: Play) -> None:
    air = Still(temperature=-11.4, humidity=77.0, pressure=98_765.0)
    ((state, (celsius, pascal, humidity), _),) = play(
        PARTS["bme280"], MAKE_BME280 + "tell(sensor.read())\n", environment=air
    )
    assert state == "valid"
    assert celsius == pytest.approx(-1_140, abs=6)
    assert pascal == pytest.approx(9_876_500, abs=1_000)
    assert humidity == pytest.approx(77 * 1024, abs=400)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("silent", ("fault", None, "no answer")),
        ("copying", ("fault", None, "start-up")),
        ("stuck", ("missing", None, "not ready")),
        ("nack", ("fault", None, "no answer")),
    ],
)
def test_bme280_faults(play: Play, fault: str, outcome: Outcome) -> None:
    assert play(PARTS["bme280"], MAKE_BME280 + "tell(sensor.read())\n", fail=(fault,)) == [outcome]
