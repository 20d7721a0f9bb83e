# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The thermometer of an ST LIS3DH that has been started: all that a watch for fire asks of it.

DS = ST LIS3DH datasheet rev. 2: 8.2 status, table 5.
"""

from revier_node.sensors import fault, missing, valid

MYPY = False
if MYPY:
    from machine import I2C


_INCREMENT = 0x80  # DS 6.1.1: the register address counts up
_REG_STATUS_AUX, _NEW_ADC3 = 0x07, 0x04
_REG_ADC3 = 0x0C


def temperature_c(i2c: "I2C", address: int) -> tuple:
    """Relative: 1 K per digit, its zero up to 10 K off (DS table 5); a rise is true."""
    try:
        if not i2c.readfrom_mem(address, _REG_STATUS_AUX, 1)[0] & _NEW_ADC3:
            return missing("no new sample")
        digits = i2c.readfrom_mem(address, _REG_ADC3 | _INCREMENT, 2)[1]
    except OSError:
        return fault("no answer")
    return valid((digits ^ 0x80) - 0x80 + 25)
