# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""MEMSIC MMC5603NJ magnetometer over I2C, polled; each reading cancels the bridge's offset.

DS = MEMSIC MMC5603NJ datasheet rev. B: register map, Internal Control 0 to 2, Status 1; table 1.
A = Adafruit CircuitPython MMC56x3: assembling of the 20 bits, 0.00625 uT per digit.

SET and RESET magnetise the bridge in opposite directions: after RESET the field counts with the
other sign, the offset with the same. Half the difference is the field, half the sum the offset.
"""

import time

from revier_node.sensors import fault, missing, valid

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x30
PRODUCT_ID = 0x10
RESET_MS = 20  # software reset (DS: 20 ms)
COIL_MS = 1  # SET and RESET take 375 ns; 1 ms until the supply's capacitor is full again
MEASURE_MS = 7  # bandwidth 00: 6.6 ms
READ_LIMIT_MS = 30  # for one measurement
AVERAGES_MAX = 16
# An offset beyond 300 uT comes from a bridge that neither SET nor RESET turns any more
OFFSET_MAX_DIGITS = 48_000

_ZERO = 1 << 19
_CLIPPED = 0xFFFFF
_REG_OUT = 0x00
_REG_TEMPERATURE = 0x09
_REG_STATUS = 0x18
_OTP_READ, _FIELD_DONE, _TEMPERATURE_DONE = 0x10, 0x40, 0x80
_REG_CONTROL_0 = 0x1B
_TAKE_FIELD, _TAKE_TEMPERATURE, _SET, _RESET = 0x01, 0x02, 0x08, 0x10
_REG_CONTROL_1, _SOFTWARE_RESET, _BANDWIDTH_100_HZ = 0x1C, 0x80, 0x00
_REG_PRODUCT_ID = 0x39


def digits(data: "bytes | bytearray") -> tuple:
    """Registers 0x00 to 0x08 -> (x, y, z) as signed 20-bit digits of 6.25 nT."""
    return tuple(
        [(data[2 * i] << 12 | data[2 * i + 1] << 4 | data[6 + i] >> 4) - _ZERO for i in range(3)]
    )


def to_nt(field: tuple) -> tuple:
    """Digits -> nT, rounded half up."""
    return tuple([(axis * 25 + 2) // 4 for axis in field])


def clipped(field: tuple) -> bool:
    """One axis stands at an end of the scale."""
    return any(axis in (-_ZERO, _CLIPPED - _ZERO) for axis in field)


class Mmc5603:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address
        self._buffer = bytearray(9)

    def start(self) -> tuple:
        """Reset and check; the chip measures only when asked."""
        try:
            product = self._get(_REG_PRODUCT_ID)
            if product != PRODUCT_ID:
                return fault("chip id %#x" % product)
            self._put(_REG_CONTROL_1, _SOFTWARE_RESET)
            time.sleep_ms(RESET_MS)
            if not self._get(_REG_STATUS) & _OTP_READ:
                return fault("calibration not loaded")
            self._put(_REG_CONTROL_1, _BANDWIDTH_100_HZ)
        except OSError:
            return fault("no answer")
        return valid(None)

    def read(self, averages: int = 1) -> tuple:
        """(x, y, z) in nT: mean of `averages` pairs of a measurement after SET and after RESET.

        Takes some 20 ms for each pair, (2 * READ_LIMIT_MS + 4) at most.
        """
        averages = max(1, min(AVERAGES_MAX, averages))
        sums = [0, 0, 0]
        try:
            for _ in range(averages):
                outcome = self._pair(sums)
                if outcome:
                    return outcome
        except OSError:
            return fault("no answer")
        # a pair's difference is twice the field
        return valid(to_nt(tuple([(s + averages) // (2 * averages) for s in sums])))

    def _pair(self, sums: list) -> "tuple | None":
        """Add the difference of one pair to `sums`; the outcome if it is no good."""
        upright = self._after(_SET)
        reversed_ = self._after(_RESET) if upright else None
        if not upright or not reversed_:
            return missing("no new sample")
        if clipped(upright) or clipped(reversed_):
            return fault("overflow")
        for i in range(3):
            if abs(upright[i] + reversed_[i]) > 2 * OFFSET_MAX_DIGITS:
                return fault("offset")
            sums[i] += upright[i] - reversed_[i]
        return None

    def _after(self, coil: int) -> "tuple | None":
        """One measurement after a pulse of the coil; None if it does not end in time."""
        self._put(_REG_CONTROL_0, coil)
        time.sleep_ms(COIL_MS)
        if not self._measured(_TAKE_FIELD, _FIELD_DONE):
            return None
        self._i2c.readfrom_mem_into(self._address, _REG_OUT, self._buffer)
        return digits(self._buffer)

    def _measured(self, command: int, done: int) -> bool:
        self._put(_REG_CONTROL_0, command)
        waited_ms = 0
        while waited_ms < READ_LIMIT_MS:
            time.sleep_ms(MEASURE_MS)
            waited_ms += MEASURE_MS
            if self._get(_REG_STATUS) & done:
                return True
        return False

    def temperature_centi_c(self) -> "int | None":
        """0.8 K per digit from -75 C (DS: Temperature output), for the field's drift."""
        try:
            if not self._measured(_TAKE_TEMPERATURE, _TEMPERATURE_DONE):
                return None
            return self._get(_REG_TEMPERATURE) * 80 - 7_500
        except OSError:
            return None

    def _get(self, register: int) -> int:
        return self._i2c.readfrom_mem(self._address, register, 1)[0]

    def _put(self, register: int, value: int) -> None:
        self._i2c.writeto_mem(self._address, register, bytes((value,)))
