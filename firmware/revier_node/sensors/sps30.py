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
# DS table 1: 8 s above 200 particles/cm3, 16 s above 100, 30 s above 50. Smart Citizen
# (SckUrban.cpp) takes 16 s, and 30 s where fewer than 100 below 4 um are in a cubic centimetre
WARM_UP_MS = 16_000
WARM_UP_CLEAN_MS = 30_000
CLEAN_PER_CM3 = 100
START_TRIES = 2
FROZEN_AFTER = 3  # ten floats never stay the same unless no particle came
_CONCENTRATION_MAX = 1_000_000.0  # number concentration; mass is given to 1,000 ug/m3 (DS table 1)

# DS table 8: command, and its execution time
_START, _START_FLOAT, _START_MS = 0x0010, 0x0300, 20
_STOP, _STOP_MS = 0x0104, 20
_READY = 0x0202
_READ = 0x0300
_SLEEP, _WAKE, _SLEEP_MS = 0x1001, 0x1103, 5
_CLEAN, _CLEAN_MS = 0x5607, 5
_STATUS = 0xD206
# DS 4.4: device status register; reserved bits can be 0 or 1
STATUS_FAN_SPEED = 1 << 21
STATUS_LASER = 1 << 5
STATUS_FAN = 1 << 4
STATUS_ERRORS = STATUS_FAN_SPEED | STATUS_LASER | STATUS_FAN

# positions in a reading (DS 4.3)
PM1, PM25, PM4, PM10, NC05, NC1, NC25, NC4, NC10, SIZE = range(10)


def parse(data: "bytes | bytearray") -> tuple:
    """Ten big-endian floats (ug/m3, 1/cm3, um); a value outside the chip's range is a fault."""
    if len(data) != 40:
        return fault("length")
    values = struct.unpack(">10f", data)
    for value in values:
        if not 0.0 <= value <= _CONCENTRATION_MAX:  # also False for not a number
            return fault("range")
    return valid(values)


def parse_status(data: "bytes | bytearray") -> tuple:
    """The first four bytes are the status register -> its error bits (STATUS_...)."""
    return valid(struct.unpack(">I", data[:4])[0] & STATUS_ERRORS)


class Readings:
    """From the bytes of readings to masses, whichever bus they came over."""

    WARM_UP_MS = WARM_UP_MS

    def __init__(self) -> None:
        self.more_warm_up_ms = 0
        self._repeats = Repeats(FROZEN_AFTER)

    def masses(self, data: "bytes | bytearray") -> tuple:
        outcome = parse(data)
        if outcome[0] != VALID:
            return outcome
        values = outcome[1]
        clean = values[NC4] < CLEAN_PER_CM3
        self.more_warm_up_ms = WARM_UP_CLEAN_MS - WARM_UP_MS if clean else 0
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
            self._bus.command(_WAKE)
            self._bus.command(_WAKE, _SLEEP_MS)
            if self._bus.command(_START, _START_MS, (_START_FLOAT,)):
                return valid(None)
            # DS 5.3.1: only from idle; it measures already if only the node was restarted
            self._bus.command(_STOP, _STOP_MS)
        return fault(self._bus.error)

    def read(self) -> tuple:
        """The newest masses; missing if there are none since the last read."""
        flag = self._bus.read(_READY, 1)
        if flag is None:
            return fault(self._bus.error)
        if not flag[1] & 1:
            return missing("not ready")
        data = self._bus.read(_READ, 20)
        return fault(self._bus.error) if data is None else self.masses(data)

    def status(self) -> tuple:
        """Error bits (STATUS_...); firmware below 2.2 does not know them."""
        data = self._bus.read(_STATUS, 2)
        return fault(self._bus.error) if data is None else parse_status(data)

    def clean(self) -> tuple:
        """Ten seconds of full fan while measuring; due weekly where the supply is switched off."""
        return self._did(_CLEAN, _CLEAN_MS)

    def stop(self) -> tuple:
        """Fan and laser off, then asleep (38 uA)."""
        stopped = self._did(_STOP, _STOP_MS)
        asleep = self._did(_SLEEP, _SLEEP_MS)
        return asleep if stopped[0] == VALID else stopped

    def _did(self, code: int, wait_ms: int, words: tuple = ()) -> tuple:
        return valid(None) if self._bus.command(code, wait_ms, words) else fault(self._bus.error)
