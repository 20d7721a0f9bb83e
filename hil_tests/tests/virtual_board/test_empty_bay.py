# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A parking node that came from the workshop's table is told in its bay that the bay is empty."""

from __future__ import annotations

from collections.abc import Callable

from revier_bench.chips.environments import Still
from revier_bench.virtual_board import Kernel
from revier_payload.downlinks import config_hash, configuration
from revier_payload.schema.remote import CONFIGURATION_ANSWER

from .conftest import SECOND_US, Node
from .small_network import SmallNetwork
from .test_air_node import heard

TABLE = (-30.0, 22.0, 12.0)  # a steel bench
BAY = (19.2, 1.0, 45.4)
CAR = (45.0, -20.0, 60.0)
OFF_US = 120 * SECOND_US
CAR_US = 900 * SECOND_US
UNCALIBRATED, VACANT, OCCUPIED = 2, 1, 2
SAID = configuration({"empty_bay": 4711})
START_US = OFF_US + 5 * SECOND_US


def from_the_table(
    real_node: Callable[..., Node], kernel: Kernel
) -> tuple[SmallNetwork, Node, list[str]]:
    """It learnt the workshop's field, was switched off, and is switched on again in its bay."""
    network = SmallNetwork(kernel, 1)
    network.margin_db = 40  # a good place: SF7, which the airtime after a cold start allows
    changes = ((OFF_US, BAY), (CAR_US, CAR))
    node = real_node("parking", air=network, environment=Still(field=TABLE, changes_us=changes))
    network.radio = node.board.radio
    node.board.power_on()
    kernel.run_until(OFF_US)
    node.board.power_off()
    kernel.run_until(START_US)
    before = len(heard(network, 21))
    assert before == 1
    node.lines.clear()
    node.board.power_on()
    return network, node, node.lines


def test_the_bay_is_learnt_within_a_minute_and_a_car_is_seen(
    real_node: Callable[..., Node], kernel: Kernel
) -> None:
    network, node, lines = from_the_table(real_node, kernel)
    network.down = (2, SAID)
    kernel.run_until(CAR_US - SECOND_US)
    answer = heard(network, CONFIGURATION_ANSWER.f_port)[0].values
    assert answer["result"] == 1
    assert answer["config_hash"] == config_hash({"empty_bay": 4711})
    diagnosis = heard(network, 1)[-1].values
    assert diagnosis["config_hash"] == answer["config_hash"]
    heartbeat = heard(network, 21)[-1].values
    assert heartbeat["state"] == VACANT
    assert not (heartbeat["status"] or 0) & UNCALIBRATED
    uplinks = [line for line in lines if line.startswith("revier uplink")]
    assert len(uplinks) >= 5, "three uplinks for the judge, and what was learnt"

    kernel.run_until(CAR_US + 120 * SECOND_US)
    assert heard(network, 20)[-1].values["state"] == OCCUPIED
    assert node.board.misuse == []


def test_the_same_number_again_learns_nothing(
    real_node: Callable[..., Node], kernel: Kernel
) -> None:
    network, node, _ = from_the_table(real_node, kernel)
    network.down = (2, SAID)
    kernel.run_until(CAR_US + 120 * SECOND_US)
    assert heard(network, 20)[-1].values["state"] == OCCUPIED
    network.down = (2, SAID)  # with a car above
    kernel.run_until(CAR_US + 7200 * SECOND_US)
    assert network.down is None
    assert heard(network, 21)[-1].values["state"] == OCCUPIED
    assert node.board.misuse == []


def test_without_being_told_the_table_is_the_empty_bay(
    real_node: Callable[..., Node], kernel: Kernel
) -> None:
    """Why an installer is asked: the field of the workshop was kept through the power loss."""
    network, _, _ = from_the_table(real_node, kernel)
    kernel.run_until(CAR_US - SECOND_US)
    states = [one.values["state"] for one in heard(network, 20) + heard(network, 21)[1:]]
    assert OCCUPIED in states
