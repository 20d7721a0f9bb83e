# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Power chip of the LilyGO T-Beam: X-Powers AXP192 (V1.0, V1.1) or AXP2101 (V1.2), I2C 0x34.

It feeds the radio, and keeps its settings while the ESP32 sleeps. The GPS is switched off: it
would draw 30 mA day and night.

X = lewisxhe/XPowersLib, AXP192Constants.h, AXP2101Constants.h and their .tpp: registers and steps.
T = Xinyuan-LilyGO/LilyGo-LoRa-Series, LoRaBoards.cpp: V1.1 LDO2 LoRa, LDO3 GPS, DCDC1 header,
    DCDC3 ESP32; V1.2 ALDO2 LoRa, ALDO3 GPS, DCDC1 ESP32.
"""

import time

from revier_node.board import BoardError

MYPY = False
if MYPY:
    from machine import I2C


ADDRESS = 0x34
SETTLE_MS = 5  # the radio's supply, before its reset
ADC_MS = 50  # X: the AXP192 samples at 25 Hz
_REG_ID = 0x03
AXP192, AXP2101 = 0x03, 0x4A
NAMES = {AXP192: "axp192", AXP2101: "axp2101"}

# AXP192: outputs on (0x12): DCDC1 1, DCDC3 2, LDO2 4, LDO3 8; LDO2's volts (0x28, high half:
# 1.8 V + 0.1 V); ADC on (0x82): battery volts 0x80
# AXP2101: outputs on (0x90): ALDO2 2, ALDO3 4; ALDO2's volts (0x93: 0.5 V + 0.1 V); ADC on (0x30):
# battery volts 1
# chip: (switch register, bits kept, radio's bit, volts register, its mask, value for 3.3 V,
#        ADC register, battery's bit, data register)
_PARTS = {
    AXP192: (0x12, 0x03, 0x04, 0x28, 0xF0, 0xF0, 0x82, 0x80, 0x78),
    AXP2101: (0x90, 0x00, 0x02, 0x93, 0x1F, 0x1C, 0x30, 0x01, 0x34),
}


def radio_on(i2c: "I2C") -> str:
    """Feed the radio with 3.3 V, if it is not fed already. Gives the chip's name.

    Raises BoardError. Other outputs than the radio's and the processor's are switched off.
    """
    try:
        chip = _chip(i2c)
        switch, kept, radio, volts, mask, value = _PARTS[chip][:6]
        now = _get(i2c, volts)
        if now & mask != value:
            _put(i2c, volts, now & ~mask & 0xFF | value)
        now = _get(i2c, switch)
        wanted = now & kept | radio
        if now != wanted:
            _put(i2c, switch, wanted)
            time.sleep_ms(SETTLE_MS)
            if _get(i2c, switch) != wanted:
                raise BoardError("power chip: settings not kept")
    except OSError:
        raise BoardError("power chip: no answer")
    return NAMES[chip]


def battery_mv(i2c: "I2C") -> int:
    """Battery voltage by the chip's own ADC; 0 if it says nothing."""
    try:
        chip = _chip(i2c)
        register, bit, data = _PARTS[chip][6:]
        now = _get(i2c, register)
        if not now & bit:
            _put(i2c, register, now | bit)
            time.sleep_ms(ADC_MS)
        high, low = i2c.readfrom_mem(ADDRESS, data, 2)
    except (OSError, BoardError):
        return 0
    if chip == AXP192:
        return (high << 4 | low & 0x0F) * 11 // 10  # X: 1.1 mV
    return (high & 0x1F) << 8 | low  # X: 1 mV


def _chip(i2c: "I2C") -> int:
    found = _get(i2c, _REG_ID)
    if found not in _PARTS:
        raise BoardError("power chip: id %#x" % found)
    return found


def _get(i2c: "I2C", register: int) -> int:
    return i2c.readfrom_mem(ADDRESS, register, 1)[0]


def _put(i2c: "I2C", register: int, value: int) -> None:
    i2c.writeto_mem(ADDRESS, register, bytes((value,)))
