# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node is told to do something else, over the air, and does it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from revier_payload.codec import decode
from revier_payload.downlinks import config_hash, configuration

if TYPE_CHECKING:
    from pytest_embedded import Dut

    from .conftest import Network

pytestmark = pytest.mark.pty

WANTED: dict[str, int | str] = {
    "interval": "2 min",
    "report": "change",
    "dead_band": "50 ug/m3",
    "dead_band_share": 100,
    "report_min": "0",
    "report_max": "12 h",
}


@pytest.mark.state("registered_node")
def test_a_configuration_takes_effect_and_a_bad_one_does_not(dut: Dut, network: Network) -> None:
    """Every 2 minutes a look, and silence unless it is news; then one bad setting among good."""
    first = network.wait_for("up", fPort=10)
    downlink = configuration(WANTED)
    network.send_down(first, 2, downlink)
    outcome = network.answer(downlink)
    assert outcome.applied, outcome.result
    assert outcome.config_hash == config_hash(WANTED)
    dut.expect(rf"revier settings result=1 hash={outcome.config_hash} setting=0", timeout=30)

    dut.expect(r"revier boot", timeout=30)
    dut.expect(r"revier uplink f_cnt=\d+ port=1 ", timeout=30)
    slept = []
    for _ in range(8):
        dut.expect(r"revier unchanged", timeout=60)
        slept.append(int(dut.expect(r"revier sleep ms=(\d+)", timeout=60).group(1)))
    assert max(slept) < 120_000, slept
    diagnoses = [event for topic, event in network.events if event.get("fPort") == 1]
    told = decode(1, base64.b64decode(diagnoses[-1]["data"])).values
    assert told["config_hash"] == outcome.config_hash


@pytest.mark.state("registered_node")
def test_one_bad_setting_refuses_all_and_nothing_changes(dut: Dut, network: Network) -> None:
    first = network.wait_for("up", fPort=10)
    good = configuration({"interval": "2 min"})
    bad = good + bytes((16, 0, 9))
    network.send_down(first, 2, bad)
    outcome = network.answer(bad)
    assert (outcome.result, outcome.setting) == ("refused_range", "report")
    assert outcome.config_hash == config_hash({})
    dut.expect(r"revier settings result=6 hash=\d+ setting=16", timeout=30)
    for _ in range(3):
        dut.expect(r"revier boot", timeout=60)
        dut.expect(r"revier reading kind=air port=10", timeout=60)
        slept_ms = int(dut.expect(r"revier sleep ms=(\d+)", timeout=60).group(1))
        assert slept_ms > 120_000
