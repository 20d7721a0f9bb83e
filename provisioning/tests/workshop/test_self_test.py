# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Each part of the node's self-test in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import revier_node
from revier_provision.board.repl_board import console_lines
from revier_provision.workshop.self_test import PART_WORDS, newest, results, sentence

SENSORS = Path(revier_node.__file__).parent / "sensors"


def test_the_newest_line_counts() -> None:
    lines = [
        "revier selftest sps30=no_answer radio=ok",
        "revier boot cause=power_on",
        "revier selftest sps30=ok bme280=no_answer radio=ok",
    ]
    parts = newest(console_lines("\n".join(lines)))
    assert parts is not None
    assert sentence(parts) == "sps30 ok, bme280 no answer, radio ok"
    assert [part.part for part in parts if part.fault] == ["bme280"]
    assert parts[1].problem == "BME280 (temperature, humidity, pressure) does not answer"
    assert "SDA, SCL" in parts[1].cure
    assert newest(console_lines("revier boot")) is None


@pytest.mark.parametrize(
    ("part", "fault", "problem", "cure"),
    [
        ("a02yyuw", "silent", "sends nothing", "RX and TX"),
        ("radio", "busy", "stays busy", "BUSY"),
        ("radio", "device_errors_0x20", "reports errors of its own", "oscillator"),
        ("lis2mdl", "overflow", "is saturated", "magnets"),
        ("thing", "odd", r"thing is faulty \(odd\)", "plug and supply"),
    ],
)
def test_a_fault_has_a_cure(part: str, fault: str, problem: str, cure: str) -> None:
    (found,) = results({part: fault})
    assert re.search(problem, found.problem)
    assert cure in found.cure


def test_every_driver_has_a_name_in_words() -> None:
    drivers = {path.stem for path in SENSORS.glob("*.py")}
    parts = {name for name in PART_WORDS if name != "radio"}
    assert parts <= drivers
    helpers = {"__init__", "line", "particles", "sensirion", "shdlc", "lis3dh_heat", "scd41_setup"}
    assert drivers - helpers - parts == {"sps30_uart"}
