# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SPS30 particulate matter sensor over I2C (100 kHz at most).

DS = Sensirion SPS30 datasheet D1 (March 2020), chapter 6 (I2C), table 4 (measured values).
"""

import struct

from revier_node.sensors import fault, missing, valid
from revier_node.sensors.sensirion import WordBus

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x69  # DS 4.3
READING_PERIOD_MS = 1_000  # DS 4.3: a new value each second
SELF_STOP_LIMIT_MS = 60_000  # no run of ours is longer: the fan is 99 % of the node's energy
_CONCENTRATION_MAX = 1_000_000.0  # number concentration; mass is given to 1,000 ug/m3 (DS table 1)

# DS table 6: command, and the wait before the next one
_START, _START_FLOAT, _START_MS = 0x0010, 0x0300, 20
_STOP, _STOP_MS = 0x0104, 20
_READY = 0x0202
_READ = 0x0300
_SLEEP, _WAKE, _SLEEP_MS = 0x1001, 0x1103, 5
_STATUS = 0xD206
# DS table 8: device status register
STATUS_FAN_SPEED = 1 << 21
STATUS_LASER = 1 << 5
STATUS_FAN = 1 << 4

# positions in a reading (DS table 4)
PM1, PM25, PM4, PM10, NC05, NC1, NC25, NC4, NC10, SIZE = range(10)


def parse(data: "bytes | bytearray") -> tuple:
    """Ten big-endian floats (ug/m3, 1/cm3, um); a value outside the chip's range is a fault."""
    values = struct.unpack(">10f", data)
    for value in values:
        if not 0.0 <= value <= _CONCENTRATION_MAX:  # also False for not a number
            return fault("range")
    return valid(values)


class Sps30:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._bus = WordBus(i2c, address)

    def start(self) -> tuple:
        """Fan and laser on. The first value stands after 1 s, a good one after 16 to 30 s."""
        # DS 6.3.5: asleep, it wants the wake command twice within 100 ms and refuses the first
        self._bus.command(_WAKE)
        self._bus.command(_WAKE, None, _SLEEP_MS)
        if self._bus.command(_START, _START_FLOAT, _START_MS):
            return valid(None)
        return fault(self._bus.error)

    def read(self) -> tuple:
        """The newest ten values; missing if there is none since the last read."""
        flag = self._bus.read(_READY, 1)
        if flag is None:
            return fault(self._bus.error)
        if not flag[1] & 1:
            return missing("not ready")
        return self.newest()

    def newest(self) -> tuple:
        """The newest ten values, whether read before or not (DS 6.3: the flag can be ignored)."""
        data = self._bus.read(_READ, 20)
        if data is None:
            return fault(self._bus.error)
        return parse(data)

    def status(self) -> tuple:
        """The status register (STATUS_...); firmware below 2.2 does not know it."""
        data = self._bus.read(_STATUS, 2)
        if data is None:
            return fault(self._bus.error)
        return valid(struct.unpack(">I", data)[0])

    def stop(self) -> bool:
        """Fan and laser off, then asleep (38 uA). True if the chip took both."""
        stopped = self._bus.command(_STOP, None, _STOP_MS)
        return self._bus.command(_SLEEP, None, _SLEEP_MS) and stopped
