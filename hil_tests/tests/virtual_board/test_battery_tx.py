# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A diagnosis tells the battery's voltage under the load of sending, not the one at rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from revier_bench.chips import sx1262_tables as ds
from revier_bench.chips.environments import Still
from revier_bench.network_server import frames
from revier_bench.virtual_board import Kernel
from revier_payload.codec import decode

from .conftest import SECOND_US, Node
from .small_network import DEV_ADDR, SmallNetwork

REST_MV, LOAD_MV = 3_620, 3_110
DIAGNOSIS = 1


@dataclass(slots=True)
class Passivated(Still):
    """A cell that gives way while the radio sends."""

    radio: Any = None

    def battery_mv(self, _t_us: int) -> int:
        return LOAD_MV if self.radio is not None and self.radio.mode == ds.TX else REST_MV


def test_the_first_diagnosis_tells_the_voltage_of_the_join_request(
    real_node: Callable[..., Node], kernel: Kernel
) -> None:
    network, cell = SmallNetwork(kernel, 1), Passivated()
    node = real_node("waste", air=network, environment=cell)
    network.radio = cell.radio = node.board.radio
    node.board.power_on()
    kernel.run_until(120 * SECOND_US)
    assert network._keys is not None
    key = network._keys.app_s_key
    values = [
        decode(
            up.f_port, frames.crypt_payload(key, frames.UP, DEV_ADDR, up.f_cnt_16, up.frm_payload)
        ).values
        for up in network.uplinks
        if up.f_port == DIAGNOSIS
    ]
    assert values
    assert abs((values[0]["battery"] or 0) - REST_MV) < 20
    assert abs((values[0]["battery_tx"] or 0) - LOAD_MV) <= 15
    assert node.board.misuse == []
    assert node.board.counters["crashes"] == 0
