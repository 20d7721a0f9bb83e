# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What goes over the radio's SPI bus, and what it was for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Transfer:
    """From chip select to chip select. Empty `sent`: the reset line was released."""

    sent: bytes
    answer: bytes = b""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the driver was asked for: a frame to send, or a window."""

    kind: Literal["tx", "rx"]
    frequency_hz: int
    spreading_factor: int
    payload: bytes = b""
    power_dbm: int = 0

    @property
    def symbol_us(self) -> float:
        """At 125 kHz."""
        return 8.0 * (1 << self.spreading_factor)

    @property
    def is_slow(self) -> bool:
        return self.symbol_us >= 16_000


class Recorder:
    """Soldered between the board and its radio."""

    def __init__(self, board: Any) -> None:
        self.trace: list[Transfer] = []
        self._chip = board.radio
        self._sent = self._answer = b""
        board.spi[:] = [(pin, self if chip is self._chip else chip) for pin, chip in board.spi]
        pin = board.description["radio"]["reset"]
        self._reset = board.watched[pin]
        board.watched[pin] = self._reset_pin

    def _reset_pin(self, level: bool, t_us: int) -> None:
        if level:
            self.trace.append(Transfer(b""))
        self._reset(level, t_us)

    def select(self, t_us: int) -> None:
        self._sent = self._answer = b""
        self._chip.select(t_us)

    def deselect(self, t_us: int) -> None:
        if self._sent:
            self.trace.append(Transfer(self._sent, self._answer))
        self._chip.deselect(t_us)

    def transfer(self, mosi: bytes, t_us: int) -> bytes:
        answer: bytes = self._chip.transfer(mosi, t_us)
        self._sent += mosi
        self._answer += answer
        return answer
