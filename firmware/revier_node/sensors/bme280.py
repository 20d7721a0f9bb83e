# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Bosch BME280 temperature, humidity, pressure over I2C, one forced measurement, integers only.

DS = Bosch BME280 datasheet rev. 1.24: 4.2.3 compensation, 5.4 registers, 9.1 measurement time.
API = boschsensortec/BME280_SensorAPI, 64-bit integer build: the reference for every division.
"""

import struct
import time

from revier_node.sensors import fault, missing, valid

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x76
MEASURE_MS = 10  # DS 9.1 at 1x: 1.25 + 2.3 + 2.3 + 0.575 + 2.3 + 0.575 = 9.3 ms
READ_LIMIT_MS = 50  # waiting for start-up or a measurement, beyond MEASURE_MS
_RETRY_MS = 5

_REG_ID, CHIP_ID = 0xD0, 0x60  # DS 5.4.1; a BMP280 (0x58) has no humidity
_REG_STATUS, _MEASURING, _COPYING = 0xF3, 0x08, 0x01  # DS 5.4.4
# DS 6.2.1: value, then pairs of register and value. DS 5.4.3: ctrl_hum x1, which takes effect with
# ctrl_meas (0xF4, DS 5.4.5): temperature x1, pressure x1, forced
_REG_CTRL_HUM, _X1_FORCED = 0xF2, b"\x01\xf4\x25"
_DATA = 4  # the eight registers from 0xF7 on, read together with the status at 0xF3
_REG_CALIBRATION_1, _REG_CALIBRATION_2 = 0x88, 0xE1  # DS table 16
_SKIPPED_20, _SKIPPED_16 = 0x80000, 0x8000  # DS 5.4.7: the value after reset, nothing measured


def _div(a: int, b: int) -> int:
    """Division as in C: toward zero."""
    return a // b if (a < 0) == (b < 0) else -(-a // b)


def parse_calibration(block_1: bytes, block_2: bytes) -> tuple:
    """DS table 16: 26 bytes from 0x88 and 7 from 0xE1 -> (t1..t3, p1..p9, h1..h6)."""
    tp = struct.unpack_from("<HhhHhhhhhhhh", block_1)  # the last two bytes are none of these
    h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", block_2)
    return tp + (block_1[25], h2, h3, e4 * 16 + (e5 & 15), e6 * 16 + (e5 >> 4), h6)


def fine_temperature(calibration: tuple, raw: int) -> int:
    t1, t2, t3 = calibration[:3]
    var1 = _div((_div(raw, 8) - t1 * 2) * t2, 2048)
    var2 = _div(raw, 16) - t1
    return var1 + _div(_div(var2 * var2, 4096) * t3, 16384)


def temperature_centi_c(t_fine: int) -> int:
    return max(-4000, min(8500, _div(t_fine * 5 + 128, 256)))


def pressure_centi_pa(calibration: tuple, t_fine: int, raw: int) -> int:
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = calibration[3:12]
    var1 = t_fine - 128000
    var2 = var1 * var1 * p6 + var1 * p5 * 131072 + p4 * 34359738368
    var1 = _div(var1 * var1 * p3, 256) + var1 * p2 * 4096
    var1 = _div((140737488355328 + var1) * p1, 8589934592)
    if var1 == 0:
        return 3_000_000
    var4 = _div(((1048576 - raw) * 2147483648 - var2) * 3125, var1)
    part = _div(var4, 8192)
    var1 = _div(p9 * part * part, 33554432)
    var2 = _div(p8 * var4, 524288)
    var4 = _div(var4 + var1 + var2, 256) + p7 * 16
    return max(3_000_000, min(11_000_000, _div(_div(var4, 2) * 100, 128)))


def humidity_q10(calibration: tuple, t_fine: int, raw: int) -> int:
    """Relative humidity in 1/1024 %."""
    h1, h2, h3, h4, h5, h6 = calibration[12:]
    var1 = t_fine - 76800
    var5 = _div(raw * 16384 - h4 * 1048576 - h5 * var1 + 16384, 32768)
    var4 = _div(_div(var1 * h6, 1024) * (_div(var1 * h3, 2048) + 32768), 1024) + 2097152
    var3 = var5 * _div(var4 * h2 + 8192, 16384)
    part = _div(var3, 32768)
    var5 = var3 - _div(_div(part * part, 128) * h1, 16)
    return min(102400, max(0, min(419430400, var5)) // 4096)


def compensate(calibration: tuple, data: bytes) -> tuple:
    """Registers 0xF7..0xFE -> (0.01 Cel, 0.01 Pa, 1/1024 %); None where nothing was measured."""
    raw_p = data[0] << 12 | data[1] << 4 | data[2] >> 4
    raw_t = data[3] << 12 | data[4] << 4 | data[5] >> 4
    raw_h = data[6] << 8 | data[7]
    if raw_t == _SKIPPED_20:
        return None, None, None
    t_fine = fine_temperature(calibration, raw_t)
    pressure = None if raw_p == _SKIPPED_20 else pressure_centi_pa(calibration, t_fine, raw_p)
    humidity = None if raw_h == _SKIPPED_16 else humidity_q10(calibration, t_fine, raw_h)
    return temperature_centi_c(t_fine), pressure, humidity


class Bme280:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address

    def read(self) -> tuple:
        """(temperature 0.01 Cel, pressure 0.01 Pa, humidity 1/1024 %) of one new measurement."""
        try:
            return self._read()
        except OSError:
            return fault("no answer")

    def _read(self) -> tuple:
        chip_id = self._get(_REG_ID, 1)[0]
        if chip_id != CHIP_ID:
            return fault("chip id %#x" % chip_id)
        for _ in range(READ_LIMIT_MS // _RETRY_MS):
            if not self._get(_REG_STATUS, 1)[0] & _COPYING:
                break
            time.sleep_ms(_RETRY_MS)
        else:
            return fault("start-up")
        calibration = parse_calibration(
            self._get(_REG_CALIBRATION_1, 26), self._get(_REG_CALIBRATION_2, 7)
        )
        self._i2c.writeto_mem(self._address, _REG_CTRL_HUM, _X1_FORCED)
        time.sleep_ms(MEASURE_MS)
        for _ in range(READ_LIMIT_MS // _RETRY_MS):
            data = self._get(_REG_STATUS, _DATA + 8)
            if not data[0] & _MEASURING:
                values = compensate(calibration, data[_DATA:])
                return missing("skipped") if values[0] is None else valid(values)
            time.sleep_ms(_RETRY_MS)
        return missing("not ready")

    def _get(self, register: int, length: int) -> bytes:
        return self._i2c.readfrom_mem(self._address, register, length)
