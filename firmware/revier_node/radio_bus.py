# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the radio drivers share: the SPI transfer, interrupts as the node sees them, symbols.

DS = SX1261/2 datasheet rev. 2.1, section 8.3 (BUSY), 10.2 (SPI mode 0, 16 MHz at most).
"""

import time

from micropython import const

MYPY = False
if MYPY:
    from machine import SPI, Pin


# DS table 13-29: interrupts; every driver's poll_irq() gives these
IRQ_TX_DONE = const(0x0001)
IRQ_RX_DONE = const(0x0002)
IRQ_PREAMBLE = const(0x0004)
IRQ_HEADER_VALID = const(0x0010)
IRQ_HEADER_ERROR = const(0x0020)
IRQ_CRC_ERROR = const(0x0040)
IRQ_TIMEOUT = const(0x0200)

BUSY_LIMIT_US = 100_000  # the longest step is Calibrate with a TCXO's start: below 15 ms
_POLL_US = 50


class RadioError(Exception):
    """The radio does not behave as its datasheet says.

    Those that may be raised while the heap is locked are made beforehand.
    """


def symbol_us(spreading_factor: int, bandwidth_hz: int) -> int:
    """Duration of one symbol; exact for 125, 250 and 500 kHz."""
    return (8 << spreading_factor) // (bandwidth_hz // 125_000)


def _ready() -> int:
    """BUSY of a chip that has none."""
    return 0


class SpiBus:
    def __init__(self, spi: "SPI", cs: "Pin", busy: "Pin | None" = None) -> None:
        self._spi = spi
        self._cs = cs
        self._busy = busy or _ready
        self._stuck = RadioError("busy")

    def transaction(self, buf: "bytearray | memoryview") -> None:
        """Send `buf` and put what the chip says into it. Raises RadioError if it stays busy."""
        if self._busy():
            self.wait_ready()
        self._cs(0)
        self._spi.write_readinto(buf, buf)
        self._cs(1)

    def wait_ready(self) -> None:
        """Wait until BUSY is low."""
        start_us = time.ticks_us()
        while self._busy():
            if time.ticks_diff(time.ticks_us(), start_us) > BUSY_LIMIT_US:
                raise self._stuck
            time.sleep_us(_POLL_US)
