# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ST LIS3DH accelerometer over I2C: tilt, and an interrupt on tip-over (6D) and on shock.

DS = ST LIS3DH datasheet rev. 2: table 4 sensitivity, table 11 turn-on, 8.6 to 8.32 registers.
AN = ST AN3308 chapter 6: position recognition, high-pass filter on the second generator.
"""

import struct
import time

from revier_node.sensors import fault, lis3dh_heat, missing, valid

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x18  # 0x19 with SDO high
WHO_AM_I = 0x33
PERIOD_MS = 100  # 10 Hz
READ_LIMIT_MS = 1_000  # DS table 11: 7 samples after a change to high resolution
TIPPED, SHOCK = 1, 2  # what events() tells

_INCREMENT = 0x80  # DS 6.1.1: the register address counts up
_REG_WHO_AM_I = 0x0F
_REG_TEMPERATURE, _TEMPERATURE_ON = 0x1F, 0xC0  # DS 8.7: ADC_EN, TEMP_EN
_REG_CONTROL_1, _REG_CONTROL_4, _CONTROL_WIDTH = 0x20, 0x23, 6
_RATE_10_HZ_XYZ, _LOW_POWER = 0x27, 0x08
_HIGH_PASS_ON_2 = 0x02  # CTRL_REG2: HPIS2
_BOTH_ON_INT1 = 0x60  # CTRL_REG3: I1_IA1, I1_IA2
_BDU, _HIGH_RESOLUTION = 0x80, 0x08  # CTRL_REG4; full scale 2 g
_LATCH_BOTH = 0x0A  # CTRL_REG5: LIR_INT1, LIR_INT2
_REG_REFERENCE = 0x26
_REG_STATUS, _NEW_XYZ = 0x27, 0x08
_REG_OUT = 0x28
_REG_INT1, _REG_INT2 = 0x30, 0x34  # CFG, SRC, threshold, DUR
_SIX_DIRECTIONS = 0xC0  # CFG: AOI and 6D: as long as it lies on one of the enabled sides (AN 6.4)
_ANY_HIGH = 0x2A  # CFG: OR of X, Y and Z above the threshold
_ACTIVE = 0x40  # SRC: IA
MG_PER_THRESHOLD = 16  # DS 8.24, full scale 2 g
_CLIPPED_MG = (-2_048, 2_047)
# Between the sides: 560 mg on another axis is 34 degrees from upright
SIDE_MG = 560
TIP_SAMPLES = 10  # 1 s on the side: a lid that falls or a push is no tip-over

# CFG bits of the sides, as the sign of the axis that points up: low, high
_SIDES = ((0x01, 0x02), (0x04, 0x08), (0x10, 0x20))


def parse(data: "bytes | bytearray", scale_g: int = 2) -> tuple:
    """Registers 0x28 to 0x2D, high resolution -> (x, y, z) in mg (DS table 4: 1, 2, 4, 12)."""
    per_digit = {2: 1, 4: 2, 8: 4, 16: 12}[scale_g]
    digits = [axis >> 4 for axis in struct.unpack("<3h", data)]
    for axis in digits:
        if axis in _CLIPPED_MG:
            return fault("overflow")
    return valid(tuple([axis * per_digit for axis in digits]))


def tilt_deg(now: tuple, upright: tuple) -> int:
    """Angle in whole degrees (0 to 180) between two readings in mg; within 1 degree.

    By the cross and the dot product: the arc cosine alone knows no small angles.
    """
    x, y, z = now
    a, b, c = upright
    # scaled down by 512, so that the squares stay small integers for up to 2 g
    cross = ((y * c - z * b) // 512, (z * a - x * c) // 512, (x * b - y * a) // 512)
    return _arc_tangent_deg(_root(sum([i * i for i in cross])), (x * a + y * b + z * c) // 512)


def _arc_tangent_deg(y: int, x: int) -> int:
    """Of y / x, y not negative: 45 z + 15.6 z (1 - z) degrees for z <= 1, within 0.3 degrees."""
    across = abs(x)
    if not y and not across:
        return 0
    high, low = (across, y) if across >= y else (y, across)
    z = low * 1000 // high
    deci_deg = (450 * z + 156 * z * (1000 - z) // 1000 + 500) // 1000
    if across < y:
        deci_deg = 900 - deci_deg
    if x < 0:
        deci_deg = 1800 - deci_deg
    return (deci_deg + 5) // 10


def _root(value: int) -> int:
    root = value
    better = (root + 1) // 2
    while better < root:
        root = better
        better = (root + value // root) // 2
    return root


class Lis3dh:
    def __init__(self, i2c: "I2C", address: int = ADDRESS) -> None:
        self._i2c = i2c
        self._address = address
        self._buffer = bytearray(6)

    def start(self) -> tuple:
        """10 Hz in high resolution for read(); an interrupt that stands is left alone."""
        try:
            who = self._get(_REG_WHO_AM_I)
            if who != WHO_AM_I:
                return fault("chip id %#x" % who)
            self._put(_REG_TEMPERATURE, _TEMPERATURE_ON)
            self._put(_REG_CONTROL_1, _RATE_10_HZ_XYZ)  # first: DS table 10 forbids LPen with HR
            self._put(_REG_CONTROL_4, _BDU | _HIGH_RESOLUTION)
        except OSError:
            return fault("no answer")
        return valid(None)

    def read(self) -> tuple:
        """The next new (x, y, z) in mg; waits READ_LIMIT_MS at most."""
        try:
            for _ in range(READ_LIMIT_MS // PERIOD_MS + 1):
                if self._get(_REG_STATUS) & _NEW_XYZ:
                    register = _REG_OUT | _INCREMENT
                    self._i2c.readfrom_mem_into(self._address, register, self._buffer)
                    return parse(self._buffer)
                time.sleep_ms(PERIOD_MS)
        except OSError:
            return fault("no answer")
        return missing("no new sample")

    def temperature_c(self) -> tuple:
        """Relative, see lis3dh_heat.py."""
        return lis3dh_heat.temperature_c(self._i2c, self._address)

    def arm(self, upright: tuple, shock_mg: int) -> tuple:
        """Low power at 10 Hz; INT1 goes high and stays so when it lies on another side than now
        for a second, or at a jolt beyond shock_mg (0: none; 16 to 2,032 mg).

        upright: a reading at rest in mg; its largest axis is the side that is up.
        """
        if not 0 <= shock_mg <= 127 * MG_PER_THRESHOLD:
            raise ValueError("shock_mg")
        settings = bytes(
            (
                _RATE_10_HZ_XYZ | _LOW_POWER,
                _HIGH_PASS_ON_2,
                _BOTH_ON_INT1,
                _BDU,
                _LATCH_BOTH,
                0,
            )
        )
        tip = bytes((_other_sides(upright), 0, SIDE_MG // MG_PER_THRESHOLD, TIP_SAMPLES))
        jolt = bytes((_ANY_HIGH if shock_mg else 0, 0, shock_mg // MG_PER_THRESHOLD, 0))
        try:
            self._put(_REG_CONTROL_4, _BDU)
            self._put_all(_REG_CONTROL_1, settings)
            for register, generator in ((_REG_INT1, tip), (_REG_INT2, jolt)):
                self._put(register + 2, generator[2])
                self._put(register + 3, generator[3])
                self._put(register, generator[0])
            self._get(_REG_REFERENCE)  # DS 8.13: the filter takes what it feels now as zero
            self._events()
            kept = self._i2c.readfrom_mem(
                self._address, _REG_CONTROL_1 | _INCREMENT, _CONTROL_WIDTH
            )
        except OSError:
            return fault("no answer")
        return valid(None) if kept == settings else fault("settings not kept")

    def events(self) -> tuple:
        """What raised the interrupt (TIPPED | SHOCK); reading lowers INT1."""
        try:
            return valid(self._events())
        except OSError:
            return fault("no answer")

    def _events(self) -> int:
        found = 0
        for flag, register in ((TIPPED, _REG_INT1 + 1), (SHOCK, _REG_INT2 + 1)):
            if self._get(register) & _ACTIVE:
                found |= flag
        return found

    def _get(self, register: int) -> int:
        return self._i2c.readfrom_mem(self._address, register, 1)[0]

    def _put(self, register: int, value: int) -> None:
        self._i2c.writeto_mem(self._address, register, bytes((value,)))

    def _put_all(self, register: int, values: bytes) -> None:
        self._i2c.writeto_mem(self._address, register | _INCREMENT, values)


def _other_sides(upright: tuple) -> int:
    """INT1_CFG: every side but the one that is up."""
    up = 0
    for axis in range(3):
        if abs(upright[axis]) > abs(upright[up]):
            up = axis
    sides = 0
    for axis in range(3):
        sides |= _SIDES[axis][0] | _SIDES[axis][1]
    return _SIX_DIRECTIONS | sides & ~_SIDES[up][1 if upright[up] > 0 else 0]
