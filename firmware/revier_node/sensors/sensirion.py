# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion's I2C words: 16-bit commands, 16-bit data words with CRC-8 each.

S = Sensirion embedded-i2c-sen5x, sensirion_i2c.h: polynomial 0x31, start 0xFF, no reflection.
"""

import time

from revier_node.sensors import NO_ANSWER

MYPY = False
if MYPY:
    from machine import I2C


CRC_ERROR = "crc"
# what four steps of the polynomial make of the upper four bits: a bit at a time would take an air
# node's 200 words of one wake four times as long
_NIBBLE = b"\x00\x31\x62\x53\xc4\xf5\xa6\x97\xb9\x88\xdb\xea\x7d\x4c\x1f\x2e"


def crc8(data: "bytes | bytearray", start: int, end: int) -> int:
    crc = 0xFF
    while start < end:
        crc ^= data[start]
        crc = crc << 4 & 0xFF ^ _NIBBLE[crc >> 4]
        crc = crc << 4 & 0xFF ^ _NIBBLE[crc >> 4]
        start += 1
    return crc


def pack_command(code: int, words: tuple = ()) -> bytearray:
    """A command and its argument words, each of these with its CRC; the command has none."""
    frame = bytearray(2 + 3 * len(words))
    frame[0] = code >> 8
    frame[1] = code & 0xFF
    at = 2
    for word in words:
        frame[at] = word >> 8
        frame[at + 1] = word & 0xFF
        frame[at + 2] = crc8(frame, at, at + 2)
        at += 3
    return frame


def unpack_words(raw: bytes) -> "bytearray | None":
    """Words without their CRC as bytes, or None if one CRC is wrong or the length is torn."""
    if len(raw) % 3:
        return None
    data = bytearray(len(raw) // 3 * 2)
    for i in range(0, len(raw), 3):
        if crc8(raw, i, i + 2) != raw[i + 2]:
            return None
        data[i // 3 * 2] = raw[i]
        data[i // 3 * 2 + 1] = raw[i + 1]
    return data


class WordBus:
    """One Sensirion device on an I2C bus. Methods give None or data, and set `error`."""

    def __init__(self, i2c: "I2C", address: int) -> None:
        self._i2c = i2c
        self._address = address
        self.error = ""

    def command(self, code: int, wait_ms: int = 0, words: tuple = ()) -> bool:
        """Send a command and wait until it is done. True if it was acknowledged."""
        try:
            self._i2c.writeto(self._address, pack_command(code, words))
        except OSError:
            self.error = NO_ANSWER
            return False
        time.sleep_ms(wait_ms)
        return True

    def read(self, code: int, words: int, wait_ms: int = 1) -> "bytearray | None":
        """The data of `words` words as bytes, or None (`error` says why)."""
        return self.receive(words) if self.command(code, wait_ms) else None

    def receive(self, words: int) -> "bytearray | None":
        """What the last command makes it say."""
        try:
            raw = self._i2c.readfrom(self._address, words * 3)
        except OSError:
            self.error = NO_ANSWER
            return None
        data = unpack_words(raw)
        if data is None:
            self.error = CRC_ERROR
        return data
