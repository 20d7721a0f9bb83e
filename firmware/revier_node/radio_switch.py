# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SPI bus of an SX1262 module whose antenna switch has a pin of the ESP32 for receiving.

The Wio-SX1262 has one: RF_SW1 high to receive; DIO2 of the chip, which the driver sets up, to send.
"""

from micropython import const

from revier_node.radio_bus import SpiBus

MYPY = False
if MYPY:
    from machine import SPI, Pin


_SET_RX = const(0x82)  # SX1261/2 datasheet rev. 2.1, table 11-1
_SET_TX = const(0x83)
_SET_SLEEP = const(0x84)


class SwitchedBus(SpiBus):
    def __init__(self, spi: "SPI", cs: "Pin", busy: "Pin", receive: "Pin") -> None:
        SpiBus.__init__(self, spi, cs, busy)
        self._receive = receive

    def transaction(self, buf: "bytearray | memoryview") -> None:
        """Turn the switch before the command that needs it; no heap, as launch() demands."""
        command = buf[0]
        if command == _SET_RX:
            self._receive(1)
        elif command in (_SET_TX, _SET_SLEEP):
            self._receive(0)
        SpiBus.transaction(self, buf)
