# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""QST QMC5883L magnetometer over I2C; it has no threshold interrupt, so it is polled.

DS = QST QMC5883L datasheet 1.0: table 13 registers, 9.2.1 output, 9.2.2 status, 9.2.3 temperature,
     9.2.4 control, 9.2.5 period; table 2 sensitivity and currents.
Boards sold as HMC5883L (address 0x1E) often carry this chip (address 0x0D).
"""

import struct
import time

from revier_node.sensors import fault, missing, valid

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x0D
CHIP_ID = 0xFF  # DS 9.2.6
RANGE_2_GAUSS, RANGE_8_GAUSS = 0, 1
PERIOD_MS = 100  # 10 Hz
READ_LIMIT_MS = 300  # three periods: a sample not there by then is not coming
RESET_MS = 10  # a soft reset: DS table 9 gives 350 us to power-up, the field waits 10 ms

_REG_OUT = 0x00
_REG_STATUS = 0x06
_NEW, _OVERFLOW = 0x01, 0x02
_REG_TEMPERATURE = 0x07
_REG_CONTROL_1 = 0x09
_STANDBY, _CONTINUOUS = 0x00, 0x01
_REG_CONTROL_2, _SOFT_RESET, _NO_INTERRUPT = 0x0A, 0x80, 0x01
_REG_PERIOD, _PERIOD = 0x0B, 0x01  # DS 9.2.5: recommended
_REG_CHIP_ID = 0x0D
_DIGIT_EXTREMES = (-32_768, 32_767)


def field_nt(data: "bytes | bytearray", field_range: int) -> tuple:
    """Registers 0x00 to 0x05 -> (x, y, z) in nT, rounded half up."""
    per = 12 if field_range == RANGE_2_GAUSS else 3
    return tuple([(axis * 200 + per) // (2 * per) for axis in struct.unpack("<3h", data)])


def parse(data: "bytes | bytearray", field_range: int) -> tuple:
    """Registers 0x00 to 0x06 (output and the status read with it) -> (x, y, z) in nT."""
    if data[6] & _OVERFLOW:
        return fault("overflow")
    for axis in struct.unpack("<3h", data[:6]):
        if axis in _DIGIT_EXTREMES:
            return fault("overflow")
    return valid(field_nt(data[:6], field_range))


class Qmc5883l:
    def __init__(
        self, i2c: "I2C", address: int = ADDRESS, field_range: int = RANGE_8_GAUSS
    ) -> None:
        self._i2c = i2c
        self._address = address
        self._range = field_range
        self._buffer = bytearray(7)

    def start(self) -> tuple:
        """Reset, then continuous measurement at 10 Hz with the strongest filter."""
        control = _CONTINUOUS | self._range << 4  # 10 Hz (00), oversampling 512 (00)
        try:
            self._put(_REG_CONTROL_2, _SOFT_RESET)
            time.sleep_ms(RESET_MS)
            chip_id = self._get(_REG_CHIP_ID)
            if chip_id != CHIP_ID:
                return fault("chip id %#x" % chip_id)
            self._put(_REG_PERIOD, _PERIOD)
            self._put(_REG_CONTROL_2, _NO_INTERRUPT)
            self._put(_REG_CONTROL_1, control)
            # 0xFF as id is also what a stuck bus says: what was written must be read back
            if self._get(_REG_PERIOD) != _PERIOD or self._get(_REG_CONTROL_1) != control:
                return fault("settings not kept")
        except OSError:
            return fault("no answer")
        return valid(None)

    def read(self) -> tuple:
        """The next new sample as (x, y, z) in nT; waits READ_LIMIT_MS at most.

        All six bytes are read at once: the chip keeps them unchanged until the last one (Z MSB)
        was read, so a sample is never torn, and never renewed if reading ends before it.
        """
        try:
            for _ in range(READ_LIMIT_MS // PERIOD_MS + 1):
                status = self._get(_REG_STATUS)
                if status & _NEW:
                    return self._take(status)
                time.sleep_ms(PERIOD_MS)
            self._take(0)  # a reading that broke off holds the output: let it go
        except OSError:
            return fault("no answer")
        return missing("no new sample")

    def _take(self, status: int) -> tuple:
        self._buffer[6] = status
        view = memoryview(self._buffer)[:6]
        self._i2c.readfrom_mem_into(self._address, _REG_OUT, view)
        return parse(self._buffer, self._range)

    def temperature_centi_c(self) -> "int | None":
        """Relative temperature: 100 digits/K, the zero is not calibrated (DS 9.2.3)."""
        try:
            data = self._i2c.readfrom_mem(self._address, _REG_TEMPERATURE, 2)
        except OSError:
            return None
        raw: int = struct.unpack("<h", data)[0]
        return raw

    def stop(self) -> bool:
        """Standby: 3 uA. True if the chip took it."""
        try:
            self._put(_REG_CONTROL_1, _STANDBY)
        except OSError:
            return False
        return True

    def _get(self, register: int) -> int:
        return self._i2c.readfrom_mem(self._address, register, 1)[0]

    def _put(self, register: int, value: int) -> None:
        self._i2c.writeto_mem(self._address, register, bytes((value,)))
