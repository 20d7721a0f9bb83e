# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Parts of the parking and waste nodes and of the T-Beam and the Wio-SX1262, for wiring.py."""

from collections.abc import Callable
from random import Random
from typing import Any

from revier_bench.chips import Axp192, Axp2101, Lis3dh, Mmc5603, Qmc5883l, Vl53l1x
from revier_bench.chips.base import SpiDevice
from revier_bench.chips.power_chips import PowerChip
from revier_bench.virtual_board.board import VirtualBoard
from revier_bench.virtual_board.spec import BoardSpec

_SET_RX, _SET_TX = 0x82, 0x83


def ground_parts(
    board: VirtualBoard, environment: Any, chance: Random, part: dict[str, Any]
) -> dict[str, Callable[[], Any]]:
    """Name in a board description -> how to make the chip."""
    return {
        "qmc5883l": lambda: Qmc5883l(board, environment, chance),
        "mmc5603": lambda: Mmc5603(board, environment, chance),
        "vl53l1x": lambda: Vl53l1x(board, environment, chance),
        "lis3dh": lambda: Lis3dh(board, environment, chance, part["int"]),
    }


def power_chip(board: VirtualBoard, spec: BoardSpec, environment: Any) -> PowerChip:
    """The T-Beam's: spec.power_chip says which. Faults "pmu:..." are its."""
    makers = {"axp192": Axp192, "axp2101": Axp2101}
    if spec.power_chip not in makers:
        raise ValueError(f"{spec.name}: no power chip {spec.power_chip!r}")
    chip = makers[spec.power_chip](board, environment)
    chip.faults.update(f.partition(":")[2] for f in spec.fail if f.startswith("pmu:"))
    return chip


class RfSwitch:
    """A radio whose antenna switch a pin of the board turns: high to receive, low to send."""

    def __init__(self, board: VirtualBoard, radio: SpiDevice, pin: int) -> None:
        self._board = board
        self._radio = radio
        self._pin = pin

    def select(self, t_us: int) -> None:
        self._radio.select(t_us)

    def deselect(self, t_us: int) -> None:
        self._radio.deselect(t_us)

    def transfer(self, mosi: bytes, t_us: int) -> bytes:
        to_receive = bool(self._board.outs >> self._pin & 1)
        if mosi[:1] == bytes((_SET_RX,)) and not to_receive:
            self._board.note_misuse("antenna switch: receives while it stands on sending")
        if mosi[:1] == bytes((_SET_TX,)) and to_receive:
            self._board.note_misuse("antenna switch: sends while it stands on receiving")
        return self._radio.transfer(mosi, t_us)
