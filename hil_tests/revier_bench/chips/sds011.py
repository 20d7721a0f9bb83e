# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Nova SDS011 on a UART: reports each second or when asked, sleep, settings in its flash.

P = Nova Fitness "Laser Dust Sensor Control Protocol V1.3". Faults by name: those of
uart_talker.py, "fan" and "frozen" (the values stand still).
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import ParticleEnvironment
from revier_bench.chips.timeline import NEVER_US
from revier_bench.chips.uart_talker import UartTalker

HEAD, TAIL = 0xAA, 0xAB
COMMAND, REPORT, ANSWER = 0xB4, 0xC0, 0xC5
COMMAND_BYTES = 19
MODE, QUERY, WORK_STATE, VERSION, PERIOD = 2, 4, 6, 7, 8
DEVICE_ID = b"\x58\xd9"
PERIOD_US = 1_000_000
ANSWER_US = 15_000
SETTLE_US = 10_000_000


def frame(kind: int, data: bytes) -> bytes:
    """Four bytes of data -> 10 bytes."""
    body = data + DEVICE_ID
    return bytes((HEAD, kind)) + body + bytes((sum(body) & 0xFF, TAIL))


class Sds011(UartTalker):
    name = "sds011"
    baud = 9600

    def __init__(self, host: ChipHost, environment: ParticleEnvironment, chance: Random) -> None:
        super().__init__(host, chance)
        self._environment = environment
        self.query_mode = False
        self.writes = 0
        """of the flash that keeps mode and period"""
        self.restart(0)

    def restart(self, t_us: int) -> None:
        self.asleep = False
        self._frozen: bytes | None = None
        self._started_us = t_us
        self._next_us = t_us + PERIOD_US

    @property
    def measuring(self) -> bool:
        return self.on and not self.asleep

    def report_us(self) -> int:
        return NEVER_US if self.asleep or self.query_mode else self._next_us

    def report(self, t_us: int) -> None:
        self.say(frame(REPORT, self._values(t_us)), t_us)
        self._next_us = t_us + PERIOD_US

    def hear(self, heard: bytearray, t_us: int) -> None:
        while len(heard) >= COMMAND_BYTES:
            if heard[0] != HEAD or heard[1] != COMMAND:
                del heard[0]
                continue
            command = bytes(heard[:COMMAND_BYTES])
            del heard[:COMMAND_BYTES]
            if command[18] != TAIL or sum(command[2:17]) & 0xFF != command[17]:
                self.note(f"command with a wrong checksum: {command.hex()}")
            elif command[15:17] in (b"\xff\xff", DEVICE_ID):
                self._command(command[2], command[3], command[4], t_us)

    def _command(self, code: int, is_set: int, value: int, t_us: int) -> None:
        if self.asleep and (code, is_set, value) != (WORK_STATE, 1, 1):
            if code == QUERY:
                self.note("query while asleep")
            return
        if self.asleep and not self.hears("deaf"):
            return
        at_us = t_us + ANSWER_US
        if code == QUERY:
            self.say(frame(REPORT, self._values(t_us)), at_us)
            return
        if code == WORK_STATE:
            if is_set and value and self.asleep:
                self.restart(t_us)
            state = value if is_set else int(not self.asleep)
            self.say(frame(ANSWER, bytes((code, is_set, state, 0))), at_us)
            self.asleep = not state
        elif code in (MODE, PERIOD):
            if is_set:
                self.writes += 1
                self.query_mode = bool(value) if code == MODE else self.query_mode
            state = int(self.query_mode) if code == MODE else value
            self.say(frame(ANSWER, bytes((code, is_set, state, 0))), at_us)
        elif code == VERSION:
            self.say(frame(ANSWER, bytes((code, 15, 7, 10))), at_us)
        else:
            self.note(f"unknown command {code}")

    def _values(self, t_us: int) -> bytes:
        if self._frozen is not None and self.faults & {"frozen", "fan"}:
            return self._frozen
        share = min(1.0, (t_us - self._started_us) / SETTLE_US)
        _, pm25, _, pm10 = (
            max(0.0, share * mass * self.chance.gauss(1.0, 0.05) + self.chance.gauss(0.0, 0.1))
            for mass in self._environment.pm_ug_m3(t_us)
        )
        tenths = (min(9_999, round(pm25 * 10)), min(9_999, round(max(pm25, pm10) * 10)))
        self._frozen = struct.pack("<2H", *tenths)
        return self._frozen
