# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gauge beside a cell that is really emptied, and the T-Beam's power chips on their bus."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from revier_bench.chips import Axp192, Axp2101
from revier_bench.chips.battery_cell import Cell
from revier_bench.chips.environments import Still
from revier_node.battery import CPU, CURRENTS_UA, LI_SOCL2, LIFEPO4, RX, SLEEP, TX, Gauge

from .conftest import Rig

DAY_S = 86_400
DAY_US = DAY_S * 1_000_000


def live(cell: Cell, gauge: Gauge, chance: Random, uplinks: int, day: int, error: float) -> None:
    """One day. error: how much more the board really draws than the charge table says."""
    for activity, ms in ((CPU, 1_200 * uplinks), (TX, 371 * uplinks), (RX, 60 * uplinks)):
        gauge.did(activity, ms)
        cell.draw(CURRENTS_UA[activity] / 1_000 * error, ms / 1_000, day * DAY_US)
    gauge.did(SLEEP, DAY_S * 1_000)
    gauge.aged(DAY_S)
    cell.draw(CURRENTS_UA[SLEEP] / 1_000 * error, DAY_S, day * DAY_US)
    cell.load_ma = 0.0
    rest_mv = cell.battery_mv(day * DAY_US) + round(chance.gauss(0, 8))
    cell.load_ma = 120.0
    gauge.measured(rest_mv, cell.battery_mv(day * DAY_US) + round(chance.gauss(0, 8)))


def test_li_socl2_says_replace_in_time_though_its_voltage_says_nothing() -> None:
    cell = Cell(LI_SOCL2, 19_000, self_discharge_per_year=0.01)
    gauge = Gauge(LI_SOCL2, 19_000)
    gauge.new_cell()
    chance = Random("socl2")
    asked_at_pct = None
    for day in range(1, 30 * 365):
        live(cell, gauge, chance, 300, day, error=1.05)
        gauge = Gauge(LI_SOCL2, 19_000, gauge.pack())
        if cell.left_pct() > 30:
            assert abs(gauge.left_permille() / 10 - cell.left_pct()) < 5
            assert not gauge.replace_soon(), day
        if gauge.replace_soon() and asked_at_pct is None:
            asked_at_pct = cell.left_pct()
    assert asked_at_pct is not None
    assert 4.0 < asked_at_pct < 12.0, "10 % by the count, less the table's error of 5 %"


def test_li_socl2_dip_after_weeks_of_rest_is_not_low() -> None:
    cell = Cell(LI_SOCL2, 19_000)
    gauge = Gauge(LI_SOCL2, 19_000)
    cell.load_ma = 120.0
    dip_mv = cell.battery_mv(30 * DAY_US)
    assert dip_mv < 2_500
    for _ in range(2):
        assert not gauge.measured(None, dip_mv)
    cell.draw(100.0, 0.5, 30 * DAY_US)
    assert not gauge.measured(None, cell.battery_mv(30 * DAY_US))
    assert cell.battery_mv(30 * DAY_US) > 3_200


def test_lifepo4_voltage_is_flat_and_the_count_is_anchored_at_full() -> None:
    cell = Cell(LIFEPO4, 6_000, self_discharge_per_year=0.2)
    gauge = Gauge(LIFEPO4, 6_000)
    chance = Random("lifepo4")
    volts = {}
    for day in range(1, 4_000):
        live(cell, gauge, chance, 100, day, error=1.1)
        volts[round(cell.left_pct())] = cell.battery_mv(0)
        if cell.left_pct() < 40:
            cell.used_mah = 0.0  # the sun
            gauge.measured(cell.battery_mv(0) + 20, None)
            cell.load_ma = 0.0
            assert gauge.measured(3_450, None) is False
            assert gauge.anchored
            assert gauge.left_permille() == 1000
        assert abs(gauge.left_permille() / 10 - cell.left_pct()) < 8
    assert volts[85] - volts[45] < 60, "40 % of the charge within the ADC's error"


# -- power chips --

PMU = "from revier_node import pmu\nfrom revier_node.board import BoardError\n"
TRY = (
    "def tried(call):\n    try:\n        return call(i2c)\n"
    "    except BoardError as error:\n        return error.args[0]\n"
)


@pytest.mark.parametrize("chip", [Axp192, Axp2101])
def test_power_chip_feeds_the_radio_and_measures(
    rig: Callable[..., Rig], chip: type[Axp192] | type[Axp2101]
) -> None:
    made = rig("vl53l1x", environment=Still(battery=3_287))
    model = made.board.i2c[0x34] = chip(made.board, Still(battery=3_287))
    made.board.powered.append(model)
    heard: list[bool] = []
    model.on_radio = lambda on, _t_us: heard.append(on)
    said = made.run(
        PMU + TRY + "print(repr(tried(pmu.radio_on)))\nprint(repr(tried(pmu.radio_on)))\n"
        "print(pmu.battery_mv(i2c))\nprint(timed(pmu.battery_mv, i2c))"
    )
    assert said[:2] == [chip.name, chip.name]
    assert abs(said[2] - 3_287) <= 1
    assert said[3][0] == said[2]
    assert said[3][1] < 10, "the ADC is left on"
    assert heard == [True, False], "on once; off with the board's supply"
    assert made.board.misuse == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("silent", "power chip: no answer"),
        ("wrong id", "power chip: id 0x41"),
        ("stuck", "power chip: settings not kept"),
    ],
)
def test_power_chip_faults(rig: Callable[..., Rig], fault: str, reason: str) -> None:
    made = rig("vl53l1x")
    model = made.board.i2c[0x34] = Axp192(made.board, Still())
    made.board.powered.append(model)
    model.faults.add(fault)
    said = made.run(PMU + TRY + "print(repr(tried(pmu.radio_on)))\nprint(pmu.battery_mv(i2c))")
    assert said[0] == reason
    assert (said[1] == 0) == (fault != "stuck")
