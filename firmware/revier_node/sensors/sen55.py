# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SEN55 (and SEN54, SEN50) over I2C, 100 kHz: particles, climate, VOC and NOx index.

DS = Sensirion SEN5x datasheet version 2 (March 2022): 5.4 status, table 12 commands, 6.1.5 values.
DRV = Sensirion embedded-i2c-sen5x, sen5x_i2c.c: 0x0413, and 0x7FFF for an unknown int16.

VOC and NOx indices are learnt over hours of unbroken measuring: a node that switches the part off
between its readings has none worth sending.
"""

import struct

from revier_node.sensors import FROZEN, VALID, Repeats, fault, missing, valid
from revier_node.sensors.sensirion import WordBus

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x69  # DS 6
# DS table 1 has the SPS30's start-up classes, by particles in a cubic centimetre: see sps30.py
WARM_UP_MS = 16_000
WARM_UP_CLEAN_MS = 30_000
CLEAN_PER_CM3_TENTHS = 1_000
# from 10 ug/m3 on, four masses with their tenths do not stay the same for so many seconds
FROZEN_AFTER, FROZEN_FROM = 6, 100

# DS table 12: command, and its execution time
_START, _START_WITHOUT_PM, _START_MS = 0x0021, 0x0037, 50
_STOP, _STOP_MS = 0x0104, 200
_READY, _READ, _READ_NUMBERS, _READ_MS = 0x0202, 0x03C4, 0x0413, 20
_CLEAN = 0x5607
_VOC_STATE = 0x6181
_STATUS, _CLEAR_STATUS = 0xD206, 0xD210
# DS 5.4: device status register; reserved bits can be 0 or 1
STATUS_FAN_SPEED = 1 << 21
STATUS_CLEANING = 1 << 19
STATUS_GAS = 1 << 7
STATUS_RHT = 1 << 6
STATUS_LASER = 1 << 5
STATUS_FAN = 1 << 4
STATUS_ERRORS = STATUS_FAN_SPEED | STATUS_GAS | STATUS_RHT | STATUS_LASER | STATUS_FAN

# positions in a reading (DS 6.1.5)
PM1, PM25, PM4, PM10, HUMIDITY, TEMPERATURE, VOC, NOX = range(8)
HUMIDITY_PER_PCT, TEMPERATURE_PER_C, INDEX_PER_1 = 100, 200, 10  # particles: 10 per ug/m3
_NC4 = 7  # in the words of 0x0413: four masses, then NC0.5, NC1, NC2.5, NC4, NC10, size
_UNKNOWN_PM, _UNKNOWN = 0xFFFF, 0x7FFF


def parse(data: "bytes | bytearray") -> tuple:
    """16 bytes -> eight integers in the chip's steps (constants above), None where unknown.

    Missing if all are. DS names 0xFFFF for every unknown value, DRV 0x7FFF for the signed ones: so
    humidity and indices, which are never negative, are unknown there too.
    """
    if len(data) != 16:
        return fault("length")
    ticks = list(struct.unpack(">4H4h", data))
    for i in range(8):
        tick = ticks[i]
        if tick == (_UNKNOWN_PM if i <= PM10 else _UNKNOWN) or (tick < 0 and i != TEMPERATURE):
            ticks[i] = None
    if ticks.count(None) == 8:
        return missing("nothing measured")
    return valid(tuple(ticks))


class Sen55:
    WARM_UP_MS = WARM_UP_MS

    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._bus = WordBus(i2c, address)
        self._repeats = Repeats(FROZEN_AFTER)
        self._ticks: tuple = (None,) * 8
        self.more_warm_up_ms = -1  # not known yet

    def start(self, with_pm: bool = True) -> tuple:
        """Measuring, with the fan and laser or without. Old error bits are cleared: they stick."""
        self._bus.command(_CLEAR_STATUS, _READ_MS)
        return self._did(_START if with_pm else _START_WITHOUT_PM, _START_MS)

    def read(self) -> tuple:
        """The newest masses; missing if there are none since the last read."""
        flag = self._bus.read(_READY, 1, _READ_MS)
        if flag is None:
            return fault(self._bus.error)
        if not flag[1] & 1:
            status = self._register()  # there is no new value for as long as it cleans its fan
            return missing("cleaning" if status and status & STATUS_CLEANING else "not ready")
        data = self._bus.read(_READ, 8, _READ_MS)
        if data is None:
            return fault(self._bus.error)
        outcome = parse(data)
        if outcome[0] != VALID:
            return outcome
        self._ticks = outcome[1]
        if self._ticks[PM10] is None:
            return missing("no particles measured")
        if self._repeats.frozen(data[:8]) and self._ticks[PM10] >= FROZEN_FROM:
            return fault(FROZEN)
        if self.more_warm_up_ms < 0:
            self._judge_warm_up()
        return valid(self._ticks[:4])

    def climate(self) -> tuple:
        """(0.01 Cel, None, 1/1024 %) of the newest reading."""
        celsius, humidity = self._ticks[TEMPERATURE], self._ticks[HUMIDITY]
        if celsius is None:
            return missing("nothing measured")
        return valid((celsius // 2, None, None if humidity is None else humidity * 1024 // 100))

    def indices(self) -> tuple:
        """(VOC, NOx) of the newest reading in tenths, None while unknown."""
        return valid(self._ticks[VOC:])

    def status(self) -> tuple:
        """Error bits (STATUS_...) since the start; fan, laser and sensors keep theirs."""
        register = self._register()
        return fault(self._bus.error) if register is None else valid(register & STATUS_ERRORS)

    def clean(self) -> tuple:
        """Ten seconds of full fan while measuring; due weekly where the supply is switched off."""
        return self._did(_CLEAN, _READ_MS)

    def voc_state(self) -> tuple:
        """The VOC algorithm's memory, 4 words: for set_voc_state() after a short pause."""
        data = self._bus.read(_VOC_STATE, 4, _READ_MS)
        return fault(self._bus.error) if data is None else valid(struct.unpack(">4H", data))

    def set_voc_state(self, words: tuple) -> tuple:
        """DS 6.1.11: before start()."""
        return self._did(_VOC_STATE, _READ_MS, words)

    def stop(self) -> tuple:
        """Fan and laser off; it has no sleep, only its supply's switch saves more."""
        return self._did(_STOP, _STOP_MS)

    def _judge_warm_up(self) -> None:
        numbers = self._bus.read(_READ_NUMBERS, 10, _READ_MS)
        clean = numbers is None or (
            numbers[2 * _NC4] << 8 | numbers[2 * _NC4 + 1] < CLEAN_PER_CM3_TENTHS
        )
        self.more_warm_up_ms = WARM_UP_CLEAN_MS - WARM_UP_MS if clean else 0

    def _register(self) -> "int | None":
        data = self._bus.read(_STATUS, 2, _READ_MS)
        return None if data is None else struct.unpack(">I", data)[0]

    def _did(self, code: int, wait_ms: int, words: tuple = ()) -> tuple:
        return valid(None) if self._bus.command(code, wait_ms, words) else fault(self._bus.error)
