# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SPS30 particulate matter sensor: its values, and the driver over I2C (100 kHz).

DS = Sensirion SPS30 datasheet version 2.0 (June 2023): 4.3 values, 4.4 status, table 8 commands.
The same part over UART is sps30_uart.py.
"""

import struct

from revier_node.sensors import FROZEN, VALID, Repeats, fault, missing, valid
from revier_node.sensors.sensirion import WordBus

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x69  # DS 6
START_TRIES = 2
FROZEN_AFTER = 3
# DS 4.4: fan speed, laser, fan; the register's reserved bits can be 0 or 1
STATUS_ERRORS = 1 << 21 | 1 << 5 | 1 << 4
# DS 4.3, in a reading: PM1, PM2.5, PM4, PM10 in ug/m3; particles to 0.5, 1, 2.5, 4 and 10 um in
# 1/cm3 (these two are looked at here); typical size in um
NC4, NC10 = 7, 8

# DS table 8: command, and its execution time
_START, _STOP, _CHANGE_MS = 0x0010, 0x0104, 20
_READ = 0x0300
_WAKE, _SLEEP_MS = 0x1103, 5


def parse(data: "bytes | bytearray") -> tuple:
    """Ten big-endian floats (ug/m3, 1/cm3, um); a value outside the chip's range is a fault."""
    if len(data) != 40:
        return fault("length")
    values = struct.unpack(">10f", data)
    for value in values:
        # DS table 1: mass to 1,000, number to 3,000, and above; also False for not a number
        if not 0.0 <= value <= 1e6:
            return fault("range")
    return valid(values)


def parse_status(data: "bytes | bytearray") -> tuple:
    """The first four bytes are the status register -> its error bits (STATUS_...)."""
    return valid(struct.unpack(">I", data[:4])[0] & STATUS_ERRORS)


class Readings:
    """From the bytes of readings to masses, whichever bus they came over."""

    # DS table 1: 8 s above 200 particles/cm3, 16 s above 100, 30 s above 50. Smart Citizen
    # (SckUrban.cpp) takes 16 s, and 30 s where fewer than 100 below 4 um are in a cubic centimetre
    WARM_UP_MS = 16_000
    more_warm_up_ms = 0

    def __init__(self) -> None:
        # ten floats never stay the same unless no particle came
        self._repeats = Repeats(FROZEN_AFTER)

    def masses(self, data: "bytes | bytearray") -> tuple:
        outcome = parse(data)
        if outcome[0] != VALID:
            return outcome
        values = outcome[1]
        self.more_warm_up_ms = 14_000 if values[NC4] < 100 else 0
        if self._repeats.frozen(data) and values[NC10]:
            return fault(FROZEN)
        return valid(tuple([int(value * 10 + 0.5) for value in values[:4]]))


class Sps30(Readings):
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        super().__init__()
        self._bus = WordBus(i2c, address)

    def start(self) -> tuple:
        """Fan and laser on. The first value stands after 1 s, a good one after 16 to 30 s."""
        for _ in range(START_TRIES):
            # DS 6.3.6: asleep, it wants the wake command twice within 100 ms and refuses the first
            self._did(_WAKE)
            self._did(_WAKE, _SLEEP_MS)
            outcome = self._did(_START, _CHANGE_MS, (0x0300,))  # big-endian floats
            if outcome[0] == VALID:
                break
            # DS 5.3.1: only from idle; it measures already if only the node was restarted
            self._did(_STOP, _CHANGE_MS)
        return outcome

    def read(self) -> tuple:
        """The newest masses; missing if there are none since the last read."""
        data = self._bus.read(0x0202, 1)
        if data and not data[1] & 1:
            return missing("not ready")
        data = data and self._bus.read(_READ, 20)
        return self.masses(data) if data else fault(self._bus.error)

    def status(self) -> tuple:
        """Error bits (STATUS_ERRORS); firmware below 2.2 does not know them."""
        data = self._bus.read(0xD206, 2)
        return parse_status(data) if data else fault(self._bus.error)

    def clean(self) -> tuple:
        """Ten seconds of full fan while measuring; due weekly where the supply is switched off."""
        return self._did(0x5607, _SLEEP_MS)

    def stop(self) -> tuple:
        """Fan and laser off, then asleep (38 uA)."""
        stopped = self._did(_STOP, _CHANGE_MS)
        asleep = self._did(0x1001, _SLEEP_MS)
        return asleep if stopped[0] == VALID else stopped

    def _did(self, code: int, wait_ms: int = 0, words: tuple = ()) -> tuple:
        return valid(None) if self._bus.command(code, wait_ms, words) else fault(self._bus.error)
