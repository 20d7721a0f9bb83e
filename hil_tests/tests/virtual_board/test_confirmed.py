# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A kind that wants its messages acknowledged: a test kind in the place of the waste node's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from revier_bench import image
from revier_bench.network_server import frames
from revier_bench.virtual_board import Kernel
from revier_bench.world.air import Emission

from .conftest import SECOND_US, Node
from .small_network import DEV_ADDR, SmallNetwork

# Keeps the sequence of what was not acknowledged and gives it again
KIND = b"""
from revier_payload.waste import WASTE
MESSAGES = {WASTE.f_port: WASTE}
LINK = None
HELD = ()
WATCHES = ""
INTERVAL_S = 60

def self_test(wake):
    return []

def sense(wake):
    values = {"distance": 1000, "battery": wake.battery_mv(), "flags": 0, "quality": 0}
    if wake.memory:
        values["seq"] = wake.memory[0]
    return [(WASTE.f_port, values, "confirmed")]

def told(wake, message, outcome):
    print("told", message[1]["seq"], outcome or "nothing")
    wake.memory = b"" if outcome == "acked" else bytes((message[1]["seq"],))

def next_wake_ms(wake):
    return wake.started_ms + (20_000 if wake.memory else wake.interval_ms)

def wake_pins(wake):
    return ()
"""


class Acknowledging(SmallNetwork):
    """Silent to the first two confirmed frames that it hears, acknowledges the others."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, 1)
        self.silent = 2
        self.confirmed: list[frames.DataUp] = []

    def emit(self, emission: Emission) -> None:
        up = frames.parse_uplink(emission.payload)
        if isinstance(up, frames.JoinRequest) or not up.confirmed:
            super().emit(emission)
            return
        self.confirmed.append(up)
        if len(self.confirmed) <= self.silent:
            return
        assert self._keys is not None
        down = frames.DataDown(
            confirmed=False, dev_addr=DEV_ADDR, adr=False, ack=True, f_pending=False,
            f_cnt=self._f_cnt_down, f_opts=b"", f_port=None, frm_payload=b"",
        )  # fmt: skip
        self._f_cnt_down += 1
        self._answer(emission, 1, frames.build_data_down(down, self._keys))


def test_a_kind_is_told_and_sends_again_with_the_same_sequence(
    real_node: Callable[..., Node], kernel: Kernel, build_dir: Path
) -> None:
    network = Acknowledging(kernel)
    node = real_node("waste", air=network)
    network.radio = node.board.radio
    flash = node.board.spec.flash_image
    image.write_files(flash, {"/a/revier_node/kinds/waste.py": KIND}, build_dir)
    node.board.power_on()
    kernel.run_until(200 * SECOND_US)
    told = [line for line in node.lines if line.startswith("told")]
    assert told[:4] == ["told 0 unacknowledged", "told 0 unacknowledged", "told 0 acked",
                        "told 1 acked"]  # fmt: skip
    counters = [up.f_cnt_16 for up in network.confirmed]
    assert len(set(counters)) == len(counters), "sent again, not repeated: each its own FCntUp"
    assert node.board.counters["crashes"] == 0
    assert node.board.misuse == []
