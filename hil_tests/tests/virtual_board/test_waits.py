# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node that may not send yet, or lacks something: its rare wakes, in the heap of the chip."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from revier_bench.chips.environments import Still
from revier_bench.virtual_board import Kernel, Nvs

from .conftest import SECOND_US, Node
from .small_network import SmallNetwork

EARTH = (19.2, 1.0, 45.4)
CAR = (45.0, -20.0, 60.0)
OFF_US = 120 * SECOND_US


def test_a_car_that_comes_during_the_cold_starts_wait_is_told_after_it(
    real_node: Callable[..., Node], kernel: Kernel
) -> None:
    network = SmallNetwork(kernel, 1)
    environment = Still(changes_us=((OFF_US + 20 * SECOND_US, CAR),))
    node = real_node("parking", air=network, environment=environment)
    network.radio = node.board.radio
    node.board.power_on()
    kernel.run_until(OFF_US)
    assert "revier reading kind=parking port=21 seq=0" in node.lines
    sent = len(network.sent)
    node.board.power_off()
    node.lines.clear()
    node.board.power_on()
    kernel.run_until(OFF_US + 30 * SECOND_US)
    wait_ms = int(re.findall(r"revier cold starts=0 wait_ms=(\d+)", "\n".join(node.lines))[0])
    assert wait_ms > 30_000, "another seed, please"
    assert "revier held messages=1" in node.lines
    assert len(network.sent) == sent, "not a frame in the wait"
    kernel.run_until(OFF_US + 60 * SECOND_US + wait_ms * 1_000)
    ports = [line.split()[3] for line in node.lines if line.startswith("revier uplink")]
    assert ports[:2] == ["port=1", "port=20"]
    assert ports.count("port=20") == 1
    assert node.board.misuse == []


@pytest.mark.parametrize("kind", ["air", "parking", "waste"])
def test_after_the_wait_a_node_without_a_session_joins_in_the_same_wake(
    real_node: Callable[..., Node], kernel: Kernel, kind: str
) -> None:
    network = SmallNetwork(kernel, 1)
    node = real_node(kind, air=network)
    network.radio = node.board.radio
    node.board.power_on()
    kernel.run_until(OFF_US)
    node.board.power_off()
    nvs = Nvs(node.board.spec.flash_image)
    del nvs.values["lorawan", "session"]
    nvs.set("lorawan", "f_cnt_lease", 0)
    nvs.commit()
    node.lines.clear()
    node.board.power_on()
    kernel.run_until(OFF_US + 300 * SECOND_US)
    said = "\n".join(node.lines)
    assert "revier cold starts=0" in said
    assert "revier join try=1 dev_nonce=1" in said
    assert "revier uplink f_cnt=0 port=1" in said
    assert "error code=M" not in said, said


@pytest.mark.parametrize("kind", ["air", "parking", "waste"])
def test_a_network_that_answers_no_device_time_req_is_asked_on_port_202(
    real_node: Callable[..., Node], kernel: Kernel, kind: str
) -> None:
    network = SmallNetwork(kernel, 1)
    node = real_node(kind, air=network)
    network.radio = node.board.radio
    node.board.power_on()
    kernel.run_until(4 * 3_700 * SECOND_US)
    said = "\n".join(node.lines)
    assert "port=202 len=6" in said
    assert "error code=M" not in said, said
    assert node.board.misuse == []
