# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""SCD41 settings, for the workshop and the yearly visit; no wake of a node needs this.

DS = Sensirion SCD4x datasheet version 1.4: table 9, 3.6 compensation, 3.7 calibration, 3.9
    persistence. All but the pressure need an idle sensor: Scd41.stop() powers it down, so wake()
    here first.
"""

import struct
import time

from revier_node.sensors import fault, valid
from revier_node.sensors.sensirion import WordBus

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x62
# name: (read command, write command; 0 where there is none), one word each
TEMPERATURE_OFFSET = (0x2318, 0x241D)
ALTITUDE_M = (0x2322, 0x2427)
PRESSURE_HPA = (0xE000, 0xE000)
ASC_ENABLED = (0x2313, 0x2416)
ASC_TARGET_PPM = (0x233F, 0x243A)
ASC_INITIAL_PERIOD_H = (0x2340, 0x2445)
ASC_STANDARD_PERIOD_H = (0x234B, 0x244E)
VARIANT = (0x202F, 0)
VARIANT_MASK, SCD40, SCD41 = 0xF000, 0x0000, 0x1000

_WAKE, _WAKE_MS = 0x36F6, 30
_STOP, _STOP_MS = 0x3F86, 500
_SERIAL = 0x3682
_PERSIST, _PERSIST_MS = 0x3615, 800
_SELF_TEST, _SELF_TEST_MS = 0x3639, 10_000
_RECALIBRATE, _RECALIBRATE_MS = 0x362F, 400
_REFUSED = 0xFFFF


def offset_ticks(milli_c: int) -> int:
    """DS 3.6.1: offset * 65535 / 175; 4 Cel are 1498."""
    return (milli_c * 65535 // 1000 + 87) // 175


def offset_milli_c(ticks: int) -> int:
    return (ticks * 175 * 1000 + 32767) // 65535


class Setup:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._bus = WordBus(i2c, address)

    def wake(self) -> tuple:
        """Awake and idle, whatever it did before."""
        self._bus.command(_WAKE)
        time.sleep_ms(_WAKE_MS)
        self._bus.command(_STOP, _STOP_MS)
        return self.serial()

    def get(self, setting: tuple) -> tuple:
        data = self._bus.read(setting[0], 1)
        return fault(self._bus.error) if data is None else valid(data[0] << 8 | data[1])

    def set(self, setting: tuple, word: int) -> tuple:
        """Until it loses power; persist() keeps it."""
        assert setting[1]
        assert 0 <= word <= 0xFFFF
        return self._did(setting[1], 1, (word,))

    def serial(self) -> tuple:
        data = self._bus.read(_SERIAL, 3)
        return fault(self._bus.error) if data is None else valid(bytes(data))

    def persist(self) -> tuple:
        """Settings into its EEPROM, which takes 2,000 writes: only when one has changed."""
        return self._did(_PERSIST, _PERSIST_MS)

    def self_test(self) -> tuple:
        """Takes 10 s. Valid: the word 0; anything else is a broken sensor."""
        data = self._bus.read(_SELF_TEST, 1, _SELF_TEST_MS)
        if data is None:
            return fault(self._bus.error)
        return fault("self-test %#x" % (data[0] << 8 | data[1])) if any(data) else valid(0)

    def recalibrate(self, target_ppm: int) -> tuple:
        """After 3 min of measuring in air of known CO2 -> correction in ppm (DS 3.7.1)."""
        if not self._bus.command(_RECALIBRATE, _RECALIBRATE_MS, (target_ppm,)):
            return fault(self._bus.error)
        data = self._bus.receive(1)
        if data is None:
            return fault(self._bus.error)
        word = struct.unpack(">H", data)[0]
        return fault("refused") if word == _REFUSED else valid(word - 0x8000)

    def _did(self, code: int, wait_ms: int, words: tuple = ()) -> tuple:
        return valid(None) if self._bus.command(code, wait_ms, words) else fault(self._bus.error)
