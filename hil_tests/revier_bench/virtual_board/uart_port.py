# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A UART of the ESP32: its receive buffer between a chip and the node."""

from random import Random

from revier_bench.chips.base import UartDevice
from revier_bench.chips.timeline import NEVER_US

RX_BUFFER_BYTES = 256
"""machine.UART's default rxbuf; what comes when it is full is lost"""
_BITS_PER_BYTE = 10


class UartPort:
    def __init__(self, device: UartDevice | None, chance: Random) -> None:
        self._device = device
        self._chance = chance
        self._buffer = bytearray()
        self._baud = 0

    def opened(self, baud: int, t_us: int) -> None:
        """machine.UART(...) or init(): what came before is gone."""
        self._fill(t_us)
        self._buffer.clear()
        self._baud = baud

    def close(self) -> None:
        self._buffer.clear()
        self._baud = 0

    def waiting(self, t_us: int) -> int:
        self._fill(t_us)
        return len(self._buffer)

    def next_us(self, t_us: int) -> int:
        return self._device.next_us(t_us) if self._device else NEVER_US

    def take(self, limit: int, t_us: int) -> bytes:
        self._fill(t_us)
        data = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        return data

    def read_end_us(self, t_us: int, limit: int, timeout_us: int) -> int:
        """When read(limit) returns: enough bytes are there, or none came for timeout_us."""
        self._fill(t_us)
        have, last_us = len(self._buffer), t_us
        while have < limit:
            next_us = self.next_us(last_us)
            if next_us > last_us + timeout_us:
                return last_us + timeout_us
            last_us = next_us
            have += 1
        return last_us

    def duration_us(self, n: int) -> int:
        return n * _BITS_PER_BYTE * 1_000_000 // self._baud if self._baud else 0

    def write(self, data: bytes, t_us: int) -> None:
        if self._device is not None:
            self._device.write(self._through(data), t_us)

    def _fill(self, t_us: int) -> None:
        if self._device is None:
            return
        data = self._through(self._device.receive(t_us))
        self._buffer += data[: RX_BUFFER_BYTES - len(self._buffer)]

    def _through(self, data: bytes) -> bytes:
        """Bytes at the wrong speed arrive as other bytes; before opening, not at all."""
        if self._device is None or self._baud == 0:
            return b""
        if abs(self._baud - self._device.baud) * 20 > self._device.baud:
            return bytes(self._chance.randrange(256) for _ in data)
        return data
