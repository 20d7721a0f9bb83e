# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SPS30 on I2C: refuses what comes too early, in the wrong state or with a wrong CRC.

DS = SPS30 datasheet, chapter 6; waits and the double wake-up as in embedded-sps sps30.c.
Faults by name (`faults`): "silent" (no acknowledge), "crc" (replies spoilt), "fan", "laser",
"frozen" (the values never change).
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import ParticleEnvironment

START, STOP, READY, READ = 0x0010, 0x0104, 0x0202, 0x0300
SLEEP, WAKE, CLEAN, AUTO_CLEAN = 0x1001, 0x1103, 0x5607, 0x8004
VERSION, SERIAL, STATUS, CLEAR_STATUS, RESET = 0xD100, 0xD033, 0xD206, 0xD210, 0xD304
FLOATS = 0x0300
WAIT_US = {
    START: 20_000,
    STOP: 20_000,
    SLEEP: 5_000,
    WAKE: 5_000,
    CLEAN: 5_000,
    AUTO_CLEAN: 20_000,
    RESET: 100_000,
}
POWER_UP_US = 30_000
WAKE_WINDOW_US = 100_000
PERIOD_US = 1_000_000
SETTLE_US = 8_000_000  # DS table 1: 8 s at high, 30 s at the lowest concentrations
STATUS_FAN_SPEED, STATUS_LASER, STATUS_FAN = 1 << 21, 1 << 5, 1 << 4
SERIAL_NUMBER = b"00080000000000000000000000000000"
AUTO_CLEAN_DEFAULT_S = 604_800


def _crc_of_byte(crc: int) -> int:
    for _ in range(8):
        crc = ((crc << 1) ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc


_CRC = bytes(_crc_of_byte(byte) for byte in range(256))


def crc8(data: bytes) -> int:
    """Polynomial 0x31, start 0xFF."""
    crc = 0xFF
    for byte in data:
        crc = _CRC[crc ^ byte]
    return crc


def with_crc(data: bytes) -> bytes:
    """Each 16-bit word followed by its CRC."""
    words = (data[i : i + 2] for i in range(0, len(data), 2))
    return b"".join(word + bytes((crc8(word),)) for word in words)


class Sps30:
    def __init__(self, host: ChipHost, environment: ParticleEnvironment, chance: Random) -> None:
        self.host = host
        self.faults: set[str] = set()
        self._environment = environment
        self._chance = chance
        self._state = "off"
        self._ready_us = 0
        self._wake_until_us = 0
        self._started_us = 0
        self._answered = -1
        self._pointer: int | None = None
        self._frozen: tuple[float, ...] | None = None

    def power(self, on: bool, t_us: int) -> None:
        self._state = "idle" if on else "off"
        self._ready_us = t_us + POWER_UP_US
        self._pointer = None

    @property
    def measuring(self) -> bool:
        return self._state == "measuring"

    # -- I2C --

    def write(self, data: bytes, t_us: int) -> bool:
        if self._state == "off" or "silent" in self.faults:
            return False
        command = int.from_bytes(data[:2], "big") if len(data) >= 2 else 0
        if self._state == "asleep":
            return self._wake(command, t_us)
        if t_us < self._ready_us:
            return False
        self._pointer = None
        if len(data) == 0:
            return True
        arguments = data[2:]
        for i in range(0, len(arguments), 3):
            if len(arguments) < i + 3 or crc8(arguments[i : i + 2]) != arguments[i + 2]:
                self.host.note_misuse(f"sps30: argument of 0x{command:04X} without a valid CRC")
                return False
        return self._execute(command, arguments, t_us)

    def _wake(self, command: int, t_us: int) -> bool:
        """DS 6.3.5: the first wake-up only opens the interface, for 100 ms."""
        if command != WAKE:
            return False
        if t_us > self._wake_until_us:
            self._wake_until_us = t_us + WAKE_WINDOW_US
            return False
        self._wake_until_us = 0
        self._state = "idle"
        self._ready_us = t_us + WAIT_US[WAKE]
        return True

    def _execute(self, command: int, arguments: bytes, t_us: int) -> bool:
        if command == START:
            return self._start(arguments, t_us)
        if command == STOP:
            self._state = "idle"
        elif command == SLEEP:
            if self._state != "idle":
                self.host.note_misuse("sps30: sleep while it measures (DS 6.3.4)")
                return False
            self._state = "asleep"
        elif command == RESET:
            self._state = "idle"
        elif command in (READY, READ, CLEAN) and self._state != "measuring":
            return False
        elif command in (READY, READ, VERSION, SERIAL, STATUS, AUTO_CLEAN):
            self._pointer = command
        elif command not in (WAKE, CLEAN, CLEAR_STATUS):
            self.host.note_misuse(f"sps30: unknown command 0x{command:04X}")
            return False
        if command != WAKE:  # awake already: nothing to wait for
            self._ready_us = t_us + WAIT_US.get(command, 0)
        return True

    def _start(self, arguments: bytes, t_us: int) -> bool:
        if self._state != "idle" or int.from_bytes(arguments[:2], "big") != FLOATS:
            return False
        self._state = "measuring"
        self._started_us = t_us
        self._answered = 0
        self._ready_us = t_us + WAIT_US[START]
        return True

    def read(self, n: int, t_us: int) -> bytes | None:
        if "silent" in self.faults or self._pointer is None or t_us < self._ready_us:
            return None
        data = bytearray(with_crc(self._data(self._pointer, t_us)))
        if "crc" in self.faults:
            data[2] ^= 0x55
        return bytes(data[:n])

    def _data(self, pointer: int, t_us: int) -> bytes:
        second = (t_us - self._started_us) // PERIOD_US
        if pointer == READY:
            return bytes((0, 1 if second > self._answered else 0))
        if pointer == READ:
            self._answered = second
            return struct.pack(">10f", *self._values(t_us))
        if pointer == STATUS:
            return self._status().to_bytes(4, "big")
        if pointer == VERSION:
            return bytes((2, 3))
        if pointer == SERIAL:
            return SERIAL_NUMBER
        return AUTO_CLEAN_DEFAULT_S.to_bytes(4, "big")

    def _status(self) -> int:
        bits = 0
        if "fan" in self.faults:
            bits |= STATUS_FAN | STATUS_FAN_SPEED
        if "laser" in self.faults:
            bits |= STATUS_LASER
        return bits

    def _values(self, t_us: int) -> tuple[float, ...]:
        """Masses of the air with 3 % + 0.3 of noise, less while the fan runs up; counts follow."""
        if self._frozen is not None and "frozen" in self.faults:
            return self._frozen
        share = min(1.0, (t_us - self._started_us) / SETTLE_US)
        if "laser" in self.faults:
            share = 0.0
        masses = [
            max(0.0, share * m * self._chance.gauss(1.0, 0.03) + self._chance.gauss(0.0, 0.15))
            for m in self._environment.pm_ug_m3(t_us)
        ]
        for i in range(1, 4):
            masses[i] = max(masses[i], masses[i - 1])
        counts = [masses[0] * 6.6, *(m * 7.7 for m in masses)]
        counts = [max(counts[: i + 1]) for i in range(5)]
        self._frozen = (*masses, *counts, 0.6)
        return self._frozen
