# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What chips with registers on I2C share: supply, pointer, NACK, and the fault "silent"."""

from revier_bench.chips.base import ChipHost


class RegisterChip:
    """A subclass gives peek() and poke(), and reset(), which power and its own reset call.

    `address_bytes`: length of a register's address. `name` begins every note of misuse.
    """

    name = ""
    address_bytes = 1

    def __init__(self, host: ChipHost) -> None:
        self.host = host
        self.faults: set[str] = set()
        self.on = False
        self.ready_us = 0
        """before this the chip acknowledges nothing"""
        self._pointer = 0

    # -- of a subclass --

    def reset(self, t_us: int) -> None:
        """Registers as after power-on."""
        raise NotImplementedError

    def peek(self, register: int, n: int, t_us: int) -> bytes:
        """n bytes from a register on, with what reading does to the chip."""
        raise NotImplementedError

    def poke(self, register: int, value: int, t_us: int) -> None:
        """One byte written."""
        raise NotImplementedError

    def start_register(self, address: int) -> int:
        """From the address as sent to the register; a chip may use bits of it for itself."""
        return address

    def written(self, register: int, n: int) -> None:
        """n bytes are about to be written from a register on."""

    # -- buses --

    def power(self, on: bool, t_us: int) -> None:
        self.on = on
        self.reset(t_us)

    def write(self, data: bytes, t_us: int) -> bool:
        if not self._answers(t_us):
            return False
        width = self.address_bytes
        if len(data) >= width:
            self._pointer = self.start_register(int.from_bytes(data[:width], "big"))
            values = data[width:]
            self.written(self._pointer, len(values))
            for i, value in enumerate(values):
                self.poke(self._pointer + i, value, t_us)
        return True

    def read(self, n: int, t_us: int) -> bytes | None:
        if not self._answers(t_us):
            return None
        return self.peek(self._pointer, n, t_us)

    def _answers(self, t_us: int) -> bool:
        return self.on and "silent" not in self.faults and t_us >= self.ready_us

    def misuse(self, text: str) -> None:
        self.host.note_misuse(f"{self.name}: {text}")
