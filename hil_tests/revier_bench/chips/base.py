# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a chip model is soldered to, and the shapes of chips on the buses."""

from collections.abc import Callable
from typing import Protocol

from revier_bench.chips.timeline import Timer


class ChipHost(Protocol):
    """The board, seen from a chip. Times are world microseconds of the board's own clock."""

    name: str
    now_us: int
    busy_until_us: int
    """BUSY of the radio is high until then"""

    def at(self, t_us: int, run: Callable[[], object]) -> Timer:
        """Run later on this board."""

    def post(self, t_us: int, run: Callable[[], object]) -> Timer:
        """Run later in the order of the whole world; t_us must lie after now_us."""

    def drive(self, pin: int, level: bool) -> None:
        """Set the level of a pin that the chip drives."""

    def expose(self, exposed: bool) -> None:
        """While exposed the board does not run ahead of the world (a radio listens)."""

    def note_misuse(self, text: str) -> None:
        """Something that the datasheet forbids was done; tests assert that this stays empty."""


class SpiDevice(Protocol):
    def select(self, t_us: int) -> None:
        """Chip select fell."""

    def deselect(self, t_us: int) -> None:
        """Chip select rose."""

    def transfer(self, mosi: bytes, t_us: int) -> bytes:
        """As many bytes back; t_us is the end of the transfer."""


class I2cDevice(Protocol):
    def write(self, data: bytes, t_us: int) -> bool:
        """False: not acknowledged. Empty data is a bare address."""

    def read(self, n: int, t_us: int) -> bytes | None:
        """n bytes, or None: not acknowledged."""


class UartDevice(Protocol):
    baud: int

    def receive(self, until_us: int) -> bytes:
        """Bytes that the chip sent up to then and that were not fetched before."""

    def next_us(self, after_us: int) -> int:
        """When the chip's next byte will have arrived (NEVER_US: silent)."""

    def write(self, data: bytes, t_us: int) -> None:
        """Bytes to the chip."""


class PoweredChip(Protocol):
    def power(self, on: bool, t_us: int) -> None:
        """The supply was switched."""
