# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One whole wake, the shipped firmware on a board with either radio: join, uplinks, a downlink."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from revier_bench.chips import Sx1262, Sx1276
from revier_bench.virtual_board import Kernel

from .conftest import SECOND_US, Node
from .small_network import PORT, SmallNetwork

BOARDS = {"heltec_v3": Sx1262, "lilygo_t3_v1_6_1": Sx1276}


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("window", [1, 2])
def test_a_wake_joins_sends_and_hears(
    real_node: Callable[..., Node], kernel: Kernel, board: str, window: int
) -> None:
    network = SmallNetwork(kernel, window)
    node = real_node("waste", board=board, air=network)
    network.radio = node.board.radio
    assert isinstance(node.board.radio, BOARDS[board])
    node.board.power_on()
    kernel.run_until(60 * SECOND_US)
    said = "\n".join(node.lines)
    assert "revier joined" in said, said
    assert len(network.uplinks) >= 2, said
    assert [uplink.f_cnt_16 for uplink in network.uplinks] == list(range(len(network.uplinks)))
    assert said.count(f"port={PORT} len=12 window={window}") == len(network.uplinks), said
    assert len(network.sent) == network.answered
    windows = node.board.radio.modem.windows
    assert windows == network.answered * window, "RX2 is opened only after an empty RX1"
    assert all(10 <= emission.power_dbm <= 16 for emission in network.sent)
    assert {emission.sync_word for emission in network.sent} == {0x3444}
    assert node.board.counters["crashes"] == 0
    assert node.board.misuse == []
