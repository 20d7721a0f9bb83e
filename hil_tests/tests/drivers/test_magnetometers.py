# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from collections.abc import Callable

import pytest

from revier_bench.chips.environments import Still

from .conftest import SECOND_US, Rig

MakeRig = Callable[..., Rig]
FIELD = (19.2, -1.0, 45.4)
QMC = "from revier_node.sensors.qmc5883l import *\ns = Qmc5883l(i2c)\n"
MMC = "from revier_node.sensors.mmc5603 import *\ns = Mmc5603(i2c)\n"
LIS = "from revier_node.sensors.lis2mdl import *\ns = Lis2mdl(i2c)\n"


# chip: (code, what start() gives, the id that is wrong, ms that a read may take)
CHIPS: dict[str, tuple[str, object, str, int]] = {
    "qmc5883l": (QMC, None, "0x10", 450),
    "mmc5603": (MMC, None, "0x30", 80),
    "lis2mdl": (LIS, (0, 0, 0), "0x3d", 450),
}


def near(outcome: tuple[str, tuple[int, int, int], str], tolerance_nt: int) -> bool:
    state, field, reason = outcome
    pairs = zip(field, FIELD, strict=True)
    return (state, reason) == ("valid", "") and all(
        abs(nt - ut * 1000) <= tolerance_nt for nt, ut in pairs
    )


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize(
    ("fault", "reason", "read"),
    [
        ("silent", "no answer", ("fault", None, "no answer")),
        ("wrong id", "chip id", None),
        ("frozen", "", ("missing", None, "no new sample")),
        ("saturated", "", ("fault", None, "overflow")),
    ],
)
def test_faults(rig: MakeRig, chip: str, fault: str, reason: str, read: tuple | None) -> None:
    code, good, wrong_id, limit_ms = CHIPS[chip]
    made = rig(chip, fail={f"{chip}:{fault}"})
    started, (outcome, took_ms) = made.run(code + "print(s.start())\nprint(timed(s.read))")
    if reason == "chip id":
        reason += " " + wrong_id
    assert started == (("fault", None, reason) if reason else ("valid", good, ""))
    assert read in (None, outcome)
    assert took_ms < limit_ms


def test_mmc5603_that_has_not_loaded_its_calibration(rig: MakeRig) -> None:
    made = rig("mmc5603", fail={"mmc5603:not loaded"})
    assert made.run(MMC + "print(s.start())") == [("fault", None, "calibration not loaded")]


# -- QMC5883L --


def test_qmc5883l_measures_each_sample_once(rig: MakeRig) -> None:
    made = rig("qmc5883l", environment=Still(field=FIELD))
    started, *read = made.run(
        QMC + "print(s.start())\nfor _ in range(5): print(timed(s.read))\nprint(s.stop())\n"
        "print(timed(s.read))\nprint(s.temperature_centi_c())"
    )
    assert started == ("valid", None, "")
    values, (stopped, late, temperature) = read[:5], read[5:]
    assert all(near(outcome, 1_500) for outcome, _ in values), values
    assert all(70 <= took_ms <= 205 for _, took_ms in values), "a sample is never read twice"
    assert len({outcome[1] for outcome, _ in values}) == 5
    assert stopped is True
    assert late[0] == ("missing", None, "no new sample")
    assert late[1] < 450
    assert temperature == 1_750
    assert made.board.misuse == []


def test_qmc5883l_before_start_and_after_a_power_dip(rig: MakeRig) -> None:
    made = rig("qmc5883l", environment=Still(field=FIELD))
    made.board.at(
        made.board.now_us + 10 * SECOND_US,
        lambda: made.chip("qmc5883l").power(True, made.board.now_us),
    )
    said = made.run(
        QMC + "print(s.read())\ns.start()\nprint(s.read())\ntime.sleep(12)\n"
        "print(s.read())\nprint(s.start())\nprint(s.read())"
    )
    assert said[0] == said[2] == ("missing", None, "no new sample")
    assert near(said[1], 1_500)
    assert near(said[4], 1_500)


def test_qmc5883l_interrupted_reading_keeps_its_sample(rig: MakeRig) -> None:
    """The chip holds the output until Z was read; the driver notices and lets it go."""
    made = rig("qmc5883l", environment=Still(field=FIELD))
    first, second, stuck, whole = made.run(
        QMC + "s.start()\ntime.sleep_ms(150)\n"
        "print(i2c.readfrom_mem(13, 0, 4))\ntime.sleep_ms(500)\nprint(i2c.readfrom_mem(13, 0, 4))\n"
        "print(s.read())\nprint(s.read())"
    )
    assert first == second
    assert stuck == ("missing", None, "no new sample")
    assert near(whole, 1_500)


# -- MMC5603 --


def test_mmc5603_cancels_an_offset_larger_than_the_field(rig: MakeRig) -> None:
    made = rig("mmc5603", environment=Still(field=FIELD, temperature=-8.0))
    made.chip("mmc5603").offset_ut = (60.0, -55.0, 58.0)
    said = made.run(
        MMC + "print(s.start())\nprint(timed(s.read))\nprint(timed(s.read, 16))\n"
        "print(s.temperature_centi_c())"
    )
    assert said[0] == ("valid", None, "")
    assert near(said[1][0], 700)
    assert 15 <= said[1][1] <= 25
    assert near(said[2][0], 150), "sixteen pairs are four times quieter"
    assert said[2][1] <= 16 * 25
    assert abs(said[3] + 800) <= 40
    assert made.board.misuse == []


def test_mmc5603_a_coil_that_turns_nothing_shows_as_offset(rig: MakeRig) -> None:
    made = rig("mmc5603", environment=Still(field=(300.0, 0.0, 0.0)), fail={"mmc5603:coil"})
    made.chip("mmc5603").offset_ut = (60.0, 60.0, 60.0)
    assert made.run(MMC + "s.start()\nprint(s.read())") in (
        [("fault", None, "offset")],  # 300 + 60 uT twice, or 240
        [("valid", (0, 0, 0), "")],
    )


def test_mmc5603_model_refuses_haste(rig: MakeRig) -> None:
    made = rig("mmc5603")
    made.run(
        "i2c.writeto_mem(48, 0x1C, b'\\x80')\ni2c.writeto_mem(48, 0x1B, b'\\x01')\n"
        "time.sleep_ms(30)\ni2c.writeto_mem(48, 0x1B, b'\\x08')\n"
        "i2c.writeto_mem(48, 0x1B, b'\\x01')\ni2c.readfrom_mem(48, 0, 9)\n"
        "i2c.writeto_mem(48, 0x1B, b'\\x09')"
    )
    text = "\n".join(made.board.misuse)
    for words in ("start-up", "within 1 ms", "read while it measures", "several commands"):
        assert words in text, text


# -- LIS2MDL --


def test_lis2mdl_wakes_by_the_corrected_field_and_no_other(rig: MakeRig) -> None:
    car = (FIELD[0], FIELD[1], FIELD[2] + 8.0)
    made = rig("lis2mdl", environment=Still(field=FIELD, changes_us=((20 * SECOND_US, car),)))
    said = made.run(
        LIS + "p = Pin(7, Pin.IN)\nprint(s.start())\nprint(s.set_offset((0, 0, 0)))\ns.read()\n"
        "f = s.read()[1]\nprint(s.set_offset(f))\ns.read()\nprint(s.read())\nprint(s.arm(40))\n"
        "time.sleep_ms(300)\nprint(p())\n"
        "while time.ticks_ms() < 25_000: time.sleep_ms(100)\nprint(p())\nprint(s.read())\n"
        "print(s.arm(80))\ntime.sleep_ms(300)\nprint(p())\nprint(s.temperature_eighths_c())"
    )
    start, zero, kept, rest, armed, quiet, raised, moved, again, after, eighths = said
    assert start == ("valid", (0, 0, 0), "")
    assert zero == kept == armed == again == ("valid", None, "")
    assert all(abs(axis) <= 1 for axis in rest[1])
    assert quiet == 0
    assert raised == 1
    assert abs(moved[1][2] - 53) <= 1
    assert after == 0, "8 uT is below 80 digits"
    assert eighths == 172
    assert made.board.misuse == []


def test_lis2mdl_reads_each_sample_once_and_outlives_a_power_dip(rig: MakeRig) -> None:
    made = rig("lis2mdl", environment=Still(field=FIELD))
    made.board.at(
        made.board.now_us + 10 * SECOND_US,
        lambda: made.chip("lis2mdl").power(True, made.board.now_us),
    )
    said = made.run(
        LIS + "s.start()\nfor _ in range(3): print(timed(s.read))\ntime.sleep(12)\n"
        "print(s.read())\nprint(s.start())\nprint(s.read())"
    )
    assert all(outcome == ("valid", (128, -7, 303), "") for outcome, _ in said[:3]), said
    assert all(took_ms <= 205 for _, took_ms in said[:3])
    assert sum(took_ms for _, took_ms in said[:3]) >= 200, "a sample is never read twice"
    assert said[3] == ("missing", None, "no new sample")
    assert said[5] == said[0][0]


def test_lis2mdl_model_sees_output_that_may_be_torn(rig: MakeRig) -> None:
    made = rig("lis2mdl")
    made.run(
        "i2c.writeto_mem(30, 0x60, b'\\x90')\ntime.sleep_ms(200)\ni2c.readfrom_mem(30, 0x68, 6)"
    )
    assert any("without BDU" in text for text in made.board.misuse)
