# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ST LIS2MDL magnetometer over I2C: field against an offset, and an interrupt when it moves.

DS = ST LIS2MDL datasheet rev. 6: table 24 registers, 8.1 to 8.14 bits, 5.4 interrupt.

The chip subtracts the offset registers from its output, and the threshold compares that
difference. So the last settled field stands in the offset registers, the node sleeps deeply, and
only a real change of the field wakes it.
"""

import struct

import machine

from revier_node.sensors import fault, missing, valid

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x1E
NT_PER_DIGIT = 150  # DS table 2: 1.5 mG
PERIOD_MS = 100  # 10 Hz
READ_LIMIT_MS = 300  # three periods: a sample not there by then is not coming

_REG_OFFSET = 0x45
_WHO_AM_I_AT, WHO_AM_I = 0x4F - _REG_OFFSET, 0x40
_REG_CFG_A = 0x60
_TEMP_COMPENSATED_LOW_POWER_10HZ = 0x90  # DS 8.5: COMP_TEMP_EN, LP, 10 Hz, continuous
_CFG_B_INT_ON_CORRECTED = 0x08  # DS 8.6: INT_on_DataOFF
_CFG_C_INT_PIN_BDU = 0x50  # DS 8.7: INT_on_PIN, BDU (no torn samples)
_REG_INT_CTRL = 0x63
_INT_XYZ_HIGH_LATCHED = 0xE7  # DS 8.8: X, Y, Z, active high, latched until INT_SOURCE is read
_REG_INT_SOURCE = 0x64
_REG_INT_THRESHOLD = 0x65
_REG_STATUS, _NEW_XYZ = 0x67, 0x08
_REG_OUT = 0x68
_REG_TEMPERATURE = 0x6E
_DIGIT_MAX = 32_000  # DS table 2: +-50 G is +-32,768 digits; beyond this the value is clipped


def parse(data: bytes) -> tuple:
    """Registers 0x68..0x6D -> (x, y, z) in digits of 0.15 uT; a clipped axis is a fault."""
    field = struct.unpack("<3h", data)
    for axis in field:
        if not -_DIGIT_MAX <= axis <= _DIGIT_MAX:
            return fault("overflow")
    return valid(field)


class Lis2mdl:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address
        self._wait_ms = 0  # nothing new before: the sample that is there has been read

    def start(self) -> tuple:
        """Continuous measurement at 10 Hz in low power; gives the offset registers (x, y, z)."""
        try:
            data = self._get(_REG_OFFSET, _WHO_AM_I_AT + 1)
            who = data[_WHO_AM_I_AT]
            if who != WHO_AM_I:
                return fault("chip id %#x" % who)
            self._put(
                _REG_CFG_A,
                bytes(
                    (
                        _TEMP_COMPENSATED_LOW_POWER_10HZ,
                        _CFG_B_INT_ON_CORRECTED,
                        _CFG_C_INT_PIN_BDU,
                    )
                ),
            )
        except OSError:
            return fault("no answer")
        return valid(struct.unpack("<3h", data[:6]))

    def read(self) -> tuple:
        """The next new sample as (x, y, z) digits, less the offset registers."""
        if self._wait_ms:
            machine.lightsleep(self._wait_ms)  # five samples awake would cost more than the uplink
        try:
            for _ in range(READ_LIMIT_MS // PERIOD_MS + 1):
                if self._get(_REG_STATUS, 1)[0] & _NEW_XYZ:
                    self._wait_ms = PERIOD_MS
                    return parse(self._get(_REG_OUT, 6))
                machine.lightsleep(PERIOD_MS)
        except OSError:
            return fault("no answer")
        return missing("no new sample")

    def temperature_eighths_c(self) -> "int | None":
        """Of the chip, in 1/8 K (DS 8.13: 8 digits/K, 0 is 25 C); its zero is not calibrated."""
        try:
            raw: int = struct.unpack("<h", self._get(_REG_TEMPERATURE, 2))[0]
        except OSError:
            return None
        return raw + 200

    def offset(self) -> "tuple | None":
        """The offset registers (x, y, z) in digits, or None if the chip does not answer."""
        try:
            return struct.unpack("<3h", self._get(_REG_OFFSET, 6))
        except OSError:
            return None

    def set_offset(self, field: tuple) -> tuple:
        """Write the field (digits, without offset) that is to count as no change; read it back."""
        try:
            self._put(_REG_OFFSET, struct.pack("<3h", *field))
        except OSError:
            return fault("no answer")
        if self.offset() != tuple(field):
            return fault("offset not kept")
        return valid(None)

    def arm(self, threshold_digits: int) -> tuple:
        """Clear the interrupt, then raise it when any axis is further than this from the offset."""
        threshold = struct.pack("<H", threshold_digits)
        try:
            # control, source, threshold: usually both are set, and reading the source clears it
            found = self._get(_REG_INT_CTRL, 4)
            if found[0] == _INT_XYZ_HIGH_LATCHED and found[2:] == threshold:
                return valid(None)
            self._put(_REG_INT_THRESHOLD, threshold)
            self._put(_REG_INT_CTRL, bytes((_INT_XYZ_HIGH_LATCHED,)))
            self._get(_REG_INT_SOURCE, 1)
        except OSError:
            return fault("no answer")
        return valid(None)

    def _get(self, register: int, length: int) -> bytes:
        return self._i2c.readfrom_mem(self._address, register, length)

    def _put(self, register: int, value: bytes) -> None:
        self._i2c.writeto_mem(self._address, register, value)
