# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SCD41 (and SCD40) over I2C: CO2, temperature, humidity.

DS = Sensirion SCD4x datasheet version 1.4: table 9 commands, 3.5 basic, 3.8 low power,
    3.10 single shot (SCD41 only).
DRV = Sensirion embedded-i2c-scd4x, scd4x_i2c.c: the conversions in integers.

While it measures periodically it acknowledges only READ, READY, STOP and PRESSURE. Its automatic
calibration needs days of unbroken measuring: where the supply is switched off it never comes, so
recalibrate in fresh air (scd41_setup.py).
"""

import struct
import time

from revier_node.sensors import VALID, fault, missing, valid
from revier_node.sensors.sensirion import WordBus

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x62
CO2_MAX_PPM = 40_000  # DS table 1: output range
PERIOD_MS, LOW_POWER_PERIOD_MS, SINGLE_SHOT_MS = 5_000, 30_000, 5_000
WAKE_TRIES = 2

# DS table 9: command, and its execution time
PERIODIC, LOW_POWER = 0x21B1, 0x21AC
SINGLE_SHOT = 0x219D
_READ, _READY = 0xEC05, 0xE4B8
_STOP, _STOP_MS = 0x3F86, 500
_POWER_DOWN, _WAKE, _WAKE_MS = 0x36E0, 0x36F6, 30
_SERIAL = 0x3682
_PRESSURE = 0xE000


def milli_c(ticks: int) -> int:
    """DS 3.5.2: -45 + 175 ticks / 65536 as in DRV; newer datasheets have 65535: 2 mK at 80 Cel."""
    return (21875 * ticks + 4096 >> 13) - 45_000


def milli_pct(ticks: int) -> int:
    return 12500 * ticks + 4096 >> 13


def is_ready(word: int) -> bool:
    """DS 3.8.2: the eleven lower bits; the others mean nothing."""
    return word & 0x07FF != 0


def parse(data: "bytes | bytearray") -> tuple:
    """6 bytes -> (CO2 ppm, 0.001 Cel, 0.001 % humidity). 0 ppm is what stands before measuring."""
    if len(data) != 6:
        return fault("length")
    co2_ppm, temperature, humidity = struct.unpack(">3H", data)
    if co2_ppm > CO2_MAX_PPM:
        return fault("range")
    if co2_ppm == 0:
        return missing("nothing measured")
    return valid((co2_ppm, milli_c(temperature), milli_pct(humidity)))


class Scd41:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._bus = WordBus(i2c, address)
        self._discard = True
        self._values: "tuple | None" = None

    def start(self, mode: int = PERIODIC) -> tuple:
        """Wake and measure: PERIODIC, LOW_POWER, or SINGLE_SHOT (again with trigger()).

        The first reading thereafter is thrown away by read(): DS 3.10 has it so after waking.
        """
        for _ in range(WAKE_TRIES):
            self._bus.command(_WAKE)  # never acknowledged (DS 3.10.4)
            time.sleep_ms(_WAKE_MS)
            self._discard = True
            # its answer proves it awake and idle; it refuses while a measurement runs
            if self._bus.read(_SERIAL, 3) is not None:
                return self._did(mode)
            self._bus.command(_STOP, _STOP_MS)
        return fault(self._bus.error)

    def trigger(self) -> tuple:
        """Another single shot; its reading stands after SINGLE_SHOT_MS."""
        return self._did(SINGLE_SHOT)

    def read(self) -> tuple:
        """(CO2 ppm, 0.001 Cel, 0.001 %); missing if there is nothing new since the last read."""
        flag = self._bus.read(_READY, 1)
        if flag is None:
            return fault(self._bus.error)
        if not is_ready(flag[0] << 8 | flag[1]):
            return missing("not ready")
        data = self._bus.read(_READ, 3)
        if data is None:
            return fault(self._bus.error)
        if self._discard:
            self._discard = False
            return missing("first after waking")
        outcome = parse(data)
        if outcome[0] == VALID:
            self._values = outcome[1]
        return outcome

    def climate(self) -> tuple:
        """(0.01 Cel, None, 1/1024 %) of the newest reading."""
        if self._values is None:
            return missing("nothing measured")
        _, temperature, humidity = self._values
        return valid(((temperature + 5) // 10, None, humidity * 128 // 125))

    def set_pressure(self, pascal: int) -> tuple:
        """Air pressure for the CO2 compensation, also while it measures."""
        return self._did(_PRESSURE, 1, ((pascal + 50) // 100,))

    def stop(self) -> tuple:
        """Idle, then powered down. In single shot nothing runs, and stopping does no harm."""
        self._bus.command(_STOP, _STOP_MS)
        return self._did(_POWER_DOWN, 1)

    def _did(self, code: int, wait_ms: int = 0, words: tuple = ()) -> tuple:
        return valid(None) if self._bus.command(code, wait_ms, words) else fault(self._bus.error)
