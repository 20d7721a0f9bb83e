# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ST VL53L1X time-of-flight distance sensor over I2C: one range at a time, with its status.

DS = ST VL53L1X datasheet (DS12385) 3.3 (boot), 2.5 (timing); UM = ST UM2510 (ultra lite driver):
the default settings of registers 0x2D to 0x87 and the limits of table 2.
P = Pololu vl53l1x-arduino, getRangingData(): range = (raw * 2011 + 0x400) / 0x800, status codes.
"""

import time

from revier_node.sensors import fault, missing, valid

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x29
MODEL_ID = 0xEACC
RANGE_MIN_MM = 40  # DS 1.1
RANGE_MAX_MM = 4_000
BOOT_LIMIT_MS = 10  # DS 3.3: 1.2 ms
PERIOD_MS = 55  # between two ranges; longer than the budget of one
READ_LIMIT_MS = 150  # a range takes one period, the first a calibration more
_POLL_MS = 5

_REG_SOFT_RESET = 0x0000
_REG_VHV_LOOP_BOUND = 0x0008
_REG_SETTINGS = 0x002D
_REG_GPIO_STATUS = 0x0031
_REG_PERIOD = 0x006C
_REG_INTERRUPT_CLEAR = 0x0086
_REG_MODE_START, _TIMED, _ABORT = 0x0087, 0x40, 0x80
_REG_RESULT = 0x0089
_REG_OSC_CALIBRATE = 0x00DE
_REG_SYSTEM_STATUS, _BOOTED = 0x00E5, 0x01
_REG_MODEL_ID = 0x010F

# UM: registers 0x2D to 0x85 for long distance; 2.8 V on the bus (0x2E, 0x2F), budget 50 ms (0x5E,
# 0x61; long distance needs 33 ms at least, UM 2.5.2), region of interest in the middle and of 8 x 8
# (0x7F, 0x80): half of the 27 degrees, so that the bin's walls stay out of sight
_SETTINGS = (
    b"\x00\x01\x01\x01\x02\x00\x02\x08\x00\x08\x10\x01\x01\x00\x00\x00\x00\xff\x00"
    b"\x0f\x00\x00\x00\x00\x00\x20\x0b\x00\x00\x02\x0a\x21\x00\x00\x05\x00\x00\x00\x00"
    b"\xc8\x00\x00\x38\xff\x01\x00\x08\x00\x00\x00\xad\x0f\x00\xc6\x0d\x01\x68\x00\x80"
    b"\x08\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x0f\x0d\x0e\x0e"
    b"\x00\x00\x02\xc7\x77\x9b\x00\x00\x00\x01"
)

# P: what the status byte says. Two kinds: no target there (missing), a part that does not work.
RANGE_VALID, MIN_CLIPPED = 9, 8
_REASONS = {
    4: "no target",
    5: "out of bounds",
    6: "sigma",
    7: "wrapped",
    12: "crosstalk",
    13: "below minimum",
    18: "synchronising",
}


def range_mm(raw: int) -> int:
    """P: the gain of the optics, 2011 / 2048."""
    return (raw * 2011 + 0x400) // 0x800


def parse(data: "bytes | bytearray") -> tuple:
    """The 17 bytes from register 0x0089 -> range in mm."""
    status = data[0] & 0x1F
    if status in _REASONS:
        return missing(_REASONS[status])
    if status not in (RANGE_VALID, MIN_CLIPPED):
        return fault("hardware %d" % status)
    if status == RANGE_VALID and not data[2]:
        return missing("unchecked")  # stream count 0: the first range is not checked for wrapping
    distance_mm = range_mm(data[13] << 8 | data[14])
    if distance_mm > RANGE_MAX_MM:
        return missing("out of bounds")
    if status == MIN_CLIPPED or distance_mm < RANGE_MIN_MM:
        return missing("below minimum")
    return valid(distance_mm)


class Vl53l1x:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address
        self._buffer = bytearray(17)

    def start(self) -> tuple:
        """Reset and settings; 12 ms at most."""
        try:
            self._put(_REG_SOFT_RESET, b"\0")
            time.sleep_us(100)
            self._put(_REG_SOFT_RESET, b"\1")
        except OSError:
            return fault("no answer")
        if not self._booted():
            return fault("start-up")
        try:
            model = self._word(_REG_MODEL_ID)
            if model != MODEL_ID:
                return fault("chip id %#x" % model)
            self._put(_REG_SETTINGS, _SETTINGS)
            # UM 2.5.3: the period counts in ticks of the calibrated oscillator, 7.5 % slow
            ticks = (self._word(_REG_OSC_CALIBRATE) & 0x3FF) * PERIOD_MS * 43 // 40
            self._put(_REG_PERIOD, bytes((0, ticks >> 16 & 0xFF, ticks >> 8 & 0xFF, ticks & 0xFF)))
            self._put(_REG_VHV_LOOP_BOUND, b"\x09")
        except OSError:
            return fault("no answer")
        return valid(None)

    def _booted(self) -> bool:
        for _ in range(BOOT_LIMIT_MS // 2):
            time.sleep_ms(2)
            try:
                if self._i2c.readfrom_mem(self._address, _REG_SYSTEM_STATUS, 1, addrsize=16)[0] & 1:
                    return True
            except OSError:
                pass  # it answers nothing while it boots
        return False

    def read(self) -> tuple:
        """One range in mm, the first whose wrapping was checked; 3 * READ_LIMIT_MS at most."""
        outcome = missing("no new sample")
        try:
            self._put(_REG_INTERRUPT_CLEAR, b"\1")
            self._put(_REG_MODE_START, bytes((_TIMED,)))
            for _ in range(3):
                outcome = self._next()
                if outcome[2] not in ("unchecked", "synchronising"):
                    break
            self._put(_REG_MODE_START, bytes((_ABORT,)))
        except OSError:
            return fault("no answer")
        return outcome

    def _next(self) -> tuple:
        waited_ms = 0
        while waited_ms < READ_LIMIT_MS:
            time.sleep_ms(_POLL_MS)
            waited_ms += _POLL_MS
            # _SETTINGS make the interrupt active high (0x30 bit 4)
            if self._i2c.readfrom_mem(self._address, _REG_GPIO_STATUS, 1, addrsize=16)[0] & 1:
                self._i2c.readfrom_mem_into(self._address, _REG_RESULT, self._buffer, addrsize=16)
                self._put(_REG_INTERRUPT_CLEAR, b"\1")
                return parse(self._buffer)
        return missing("no new sample")

    def _word(self, register: int) -> int:
        data = self._i2c.readfrom_mem(self._address, register, 2, addrsize=16)
        return data[0] << 8 | data[1]

    def _put(self, register: int, value: bytes) -> None:
        self._i2c.writeto_mem(self._address, register, value, addrsize=16)
