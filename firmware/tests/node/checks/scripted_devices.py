# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Devices that say what a check tells them to, on the I2C bus and the UART of the fakes."""

import time

from revier_node.sensors.sensirion import crc8


def words(data):
    """Bytes with the CRC of each word."""
    out = b""
    for i in range(0, len(data), 2):
        out += data[i : i + 2] + bytes((crc8(data, i, i + 2),))
    return out


class Words:
    """A Sensirion device: scripted answers, refuses a read that comes before its wait time."""

    def __init__(self, answers, wait_us=1000):
        self.answers = answers  # command -> bytes
        self.wait_us = wait_us
        self.log = []
        self.ready_us = 0
        self.refuse = 0

    def write(self, data):
        if self.refuse:
            self.refuse -= 1
            raise OSError(19)
        self.log.append(data)
        self.ready_us = time.now_us + self.wait_us

    def read(self, length):
        if time.now_us < self.ready_us:
            raise OSError(19)
        answer = self.answers[self.log[-1][0] << 8 | self.log[-1][1]]
        assert len(answer) == length
        return answer


class Registers:
    """A register device; `on_get` and `on_put` script it."""

    def __init__(self, values):
        self.values = values  # register -> byte
        self.log = []

    def get(self, register, length):
        return bytes([self.values.get(register + i, 0) for i in range(length)])

    def put(self, register, data):
        self.log.append((register, data))
        for i in range(len(data)):
            self.values[register + i] = data[i]


class Line:
    """A UART: each question is answered by answer(question), the bytes of which come at once."""

    def __init__(self, answer, stale=b""):
        self.answer = answer
        self.here = stale
        self.asked = []

    def any(self):
        return len(self.here)

    def read(self, n):
        out, self.here = self.here[:n], self.here[n:]
        return out or None

    def write(self, data):
        self.asked.append(bytes(data))
        self.here += self.answer(bytes(data)) or b""
