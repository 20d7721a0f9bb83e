# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SPS30 over UART, 115200 8N1 (SEL not connected); the values are those of sps30.py.

DS = Sensirion SPS30 datasheet version 2.0: table 7 and 5.3 SHDLC commands. For cables longer than
10 cm its chapter 6 recommends this bus over I2C.
"""

from revier_node.sensors import VALID, fault, missing, valid
from revier_node.sensors.shdlc import NOT_NOW, Device
from revier_node.sensors.sps30 import START_TRIES, Readings, parse_status

MYPY = False
if MYPY:
    from machine import UART


BAUD = 115_200
_START, _START_FLOAT = 0x00, b"\x01\x03"
_STOP, _READ, _SLEEP, _WAKE, _CLEAN = 0x01, 0x03, 0x10, 0x11, 0x56
_STATUS, _KEEP_BITS = 0xD2, b"\x00"


class Sps30Uart(Readings):
    def __init__(self, uart: "UART") -> None:
        super().__init__()
        self._device = Device(uart)

    def start(self) -> tuple:
        """Fan and laser on. The first value stands after 1 s, a good one after 16 to 30 s."""
        outcome = fault("")
        for _ in range(START_TRIES):
            self._device.wake(_WAKE)  # awake, it may answer or not: start tells
            outcome = self._did(_START, _START_FLOAT)
            if outcome[0] == VALID:
                break
            if self._device.state == NOT_NOW:
                # DS 5.3.1: only from idle; it measures already if only the node was restarted
                self._did(_STOP)
        return outcome

    def read(self) -> tuple:
        """The newest masses; missing if there are none since the last read (DS 5.3.3)."""
        data = self._device.ask(_READ)
        if data is None:
            return fault(self._device.error)
        return self.masses(data) if data else missing("not ready")

    def status(self) -> tuple:
        """Error bits (sps30.STATUS_ERRORS); firmware below 2.2 does not know them."""
        data = self._device.ask(_STATUS, _KEEP_BITS)
        if data is None:
            return fault(self._device.error)
        return parse_status(data) if len(data) >= 4 else fault("length")

    def clean(self) -> tuple:
        """Ten seconds of full fan while measuring; due weekly where the supply is switched off."""
        return self._did(_CLEAN)

    def stop(self) -> tuple:
        """Fan and laser off, then asleep (38 uA)."""
        stopped = self._did(_STOP)
        asleep = self._did(_SLEEP)
        return asleep if stopped[0] == VALID else stopped

    def _did(self, command: int, data: bytes = b"") -> tuple:
        self._device.state = 0
        done = self._device.ask(command, data)
        return fault(self._device.error) if done is None else valid(None)
