# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The charge of a timeline written by hand, and a small run of the firmware."""

from dataclasses import replace

import pytest

from revier_bench.measure import energy, energy_table
from revier_bench.measure.energy_model import AFTER, BEFORE, EnergyError, Row, Wake, wake
from revier_bench.measure.energy_record import Cycle, Interval, Work
from revier_bench.measure.energy_table import Boot

MCU = {"awake": 40.0, "light sleep": 1.0}
RADIO = {"sleep": 0.0, "standby": 0.5, "transmit 14 dBm": 90.0, "receive": 5.0}
# Awake from 0; light sleep 100 to 200 ms; SetTx at 300 ms; on the air until 350 ms; light sleep
# 350 to 1,350 ms; listening 1,350 to 1,400 ms; deep sleep at 1,500 ms. 60 ms of imports, 20 of
# them after SetTx.
CYCLE = Cycle(
    started_us=0,
    set_tx_us=300_000,
    slept_us=1_500_000,
    payload_bytes=15,
    spreading_factor=7,
    airtime_us=50_000,
    transmissions=1,
    radio=[
        Interval("radio", "sleep", 0, 250_000),
        Interval("radio", "standby", 250_000, 300_000),
        Interval("radio", "transmit 14 dBm", 300_000, 350_000),
        Interval("radio", "standby", 350_000, 1_350_000),
        Interval("radio", "receive", 1_350_000, 1_400_000),
        Interval("radio", "sleep", 1_400_000, 1_500_000),
    ],
    light_sleeps=[
        Interval("mcu", "light sleep", 100_000, 200_000),
        Interval("mcu", "light sleep", 350_000, 1_350_000),
    ],
    works=[Work(40_000, 0, 0, 0, 0), Work(60_000, 0, 0, 0, 0)],
)
BOOT = Boot(400_000, 20.0)


def mc(found: Wake, phase: str, part: str) -> float:
    return next(row.mc for row in found.rows if (row.phase, row.part) == (phase, part))


def test_a_timeline_written_by_hand(monkeypatch):
    monkeypatch.setattr("revier_bench.measure.energy_model.LIGHT_SLEEP_WAKE_US", 1_000)
    found = wake(CYCLE, BOOT, MCU, RADIO)
    assert mc(found, "boot", "mcu") == 20.0
    assert mc(found, BEFORE, "mcu imports") == pytest.approx(0.040 * 40)
    assert mc(found, BEFORE, "mcu awake") == pytest.approx(0.160 * 40)  # 300 - 100 - 40
    assert mc(found, BEFORE, "mcu ends its light sleeps") == pytest.approx(0.001 * 40)
    assert mc(found, BEFORE, "mcu light sleep") == pytest.approx(0.099 * 1)
    assert mc(found, BEFORE, "radio standby") == pytest.approx(0.050 * 0.5)
    assert mc(found, AFTER, "mcu imports") == pytest.approx(0.020 * 40)
    assert mc(found, AFTER, "mcu awake") == pytest.approx(0.180 * 40)  # 1,200 - 1,000 - 20
    assert mc(found, AFTER, "mcu light sleep") == pytest.approx(0.999 * 1)
    assert mc(found, AFTER, "radio transmit 14 dBm") == pytest.approx(4.5)
    assert mc(found, AFTER, "radio standby") == pytest.approx(0.5)
    assert mc(found, AFTER, "radio receive") == pytest.approx(0.25)
    assert found.cpu_active_us == 340_000
    assert found.after_mc == pytest.approx(0.8 + 7.2 + 0.04 + 0.999 + 4.5 + 0.5 + 0.25)
    assert found.mc == pytest.approx(20 + 1.6 + 6.4 + 0.04 + 0.099 + 0.025 + found.after_mc)


@pytest.mark.parametrize("state", list(RADIO))
def test_a_radio_state_without_a_current_is_an_error(state):
    table = {name: ma for name, ma in RADIO.items() if name != state}
    with pytest.raises(EnergyError, match=f"no current for radio '{state}'"):
        wake(CYCLE, BOOT, MCU, table)


@pytest.mark.parametrize("state", list(MCU))
def test_an_mcu_state_without_a_current_is_an_error(state):
    table = {name: ma for name, ma in MCU.items() if name != state}
    with pytest.raises(EnergyError, match=f"no current for mcu '{state}'"):
        wake(CYCLE, BOOT, table, RADIO)


@pytest.mark.parametrize("wrong", [{"works": CYCLE.works[:1]}, {"transmissions": 2}])
def test_a_recording_of_something_else_is_an_error(wrong):
    with pytest.raises(EnergyError):
        wake(replace(CYCLE, **wrong), BOOT, MCU, RADIO)
    with pytest.raises(EnergyError):
        energy.heaviest([], BOOT)


def test_each_part_of_the_budget_can_be_missed():
    def of(before_mc: float, after_mc: float, active_us: int) -> Wake:
        rows = (Row(BEFORE, "", 0, 0, before_mc, ""), Row(AFTER, "", 0, 0, after_mc, ""))
        return Wake(rows, active_us)

    good = of(39, 16, 150_000), of(4, 16, 150_000)
    assert energy.holds(*good)
    for stock, frozen in (
        (of(39.1, 16, 1), good[1]),
        (good[0], of(4.1, 16, 1)),
        (of(30, 16.1, 1), good[1]),
        (good[0], of(0, 16.1, 1)),
        (of(39, 16, 150_001), good[1]),
        (good[0], of(4, 16, 150_001)),
        (of(39, 0, 1), of(4, 0, 1)),
    ):
        assert not energy.holds(stock, frozen)


def test_a_run_of_the_firmware():
    stock = energy.record("parking", frozen=False)
    frozen = energy.record("parking", frozen=True)
    assert len(stock) >= 4
    assert {cycle.spreading_factor for cycle in stock} == {7}
    one, other = stock[0], frozen[0]
    # what is frozen looks its constants up
    assert 10_000 < one.works[-1].bytecodes < other.works[-1].bytecodes < 40_000
    assert one.works[-1].import_us > 20 * other.works[-1].import_us > 0
    _, heavy = energy.heaviest(stock, energy_table.STOCK)
    _, light = energy.heaviest(frozen, energy_table.FROZEN)
    assert heavy.mc > light.mc > heavy.after_mc > 5
    parts = {row.part for row in heavy.rows}
    assert {"radio transmit 14 dBm", "radio receive", "mcu light sleep"} <= parts
    # a bytecode that costs more takes the CPU longer
    slow = energy.record("parking", True, replace(energy_table.CPU, bytecode_ns=2_154))
    _, slower = energy.heaviest(slow, energy_table.FROZEN)
    assert slower.cpu_active_us > 1.15 * light.cpu_active_us
