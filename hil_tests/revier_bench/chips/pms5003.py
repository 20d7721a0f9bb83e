# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Plantower PMS5003 (and PMS5003T) on a UART: frames by itself or when asked, sleep, first frames.

DM = PMS5003 data manual V2.3, appendix I. PYPMS = avaldebe/PyPMS issue 3: the first frames after
sleep are zero, then masses without counts. Faults by name: those of uart_talker.py, "fan" and
"frozen" (the values stand still), "error" (an error code in each frame).
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import AirEnvironment
from revier_bench.chips.timeline import NEVER_US
from revier_bench.chips.uart_talker import UartTalker

HEAD = b"\x42\x4d"
COMMAND_BYTES = 7
MODE, READ, SLEEP = 0xE1, 0xE2, 0xE4
START_US = 700_000
PERIOD_US = (200_000, 2_300_000)  # DM: fast while the values change, slow while they do not
ANSWER_US = 40_000
ZERO_US, NO_COUNTS_US, SETTLE_US = 2_500_000, 3_500_000, 30_000_000
VERSION, ERROR = 0x97, 0x02


def frame(words: tuple[int, ...], version: int = VERSION, error: int = 0) -> bytes:
    """Twelve words -> 32 bytes."""
    body = HEAD + b"\x00\x1c" + struct.pack(">12H2B", *words, version, error)
    return body + sum(body).to_bytes(2, "big")


class Pms5003(UartTalker):
    name = "pms5003"
    baud = 9600

    def __init__(
        self, host: ChipHost, environment: AirEnvironment, chance: Random, variant_t: bool = False
    ) -> None:
        super().__init__(host, chance)
        self._environment = environment
        self._variant_t = variant_t
        self.restart(0)

    def restart(self, t_us: int) -> None:
        self.asleep = False
        self.passive = False
        self._frozen: tuple[int, ...] | None = None
        self._started_us = t_us
        self._next_us = t_us + START_US

    @property
    def measuring(self) -> bool:
        return self.on and not self.asleep

    def report_us(self) -> int:
        return NEVER_US if self.asleep or self.passive else self._next_us

    def report(self, t_us: int) -> None:
        self.say(self._frame(t_us), t_us)
        self._next_us = t_us + self.chance.randrange(*PERIOD_US)

    def hear(self, heard: bytearray, t_us: int) -> None:
        while len(heard) >= COMMAND_BYTES:
            if bytes(heard[:2]) != HEAD:
                del heard[0]
                continue
            command = bytes(heard[:COMMAND_BYTES])
            del heard[:COMMAND_BYTES]
            if sum(command[:5]) != int.from_bytes(command[5:], "big"):
                self.note(f"command with a wrong checksum: {command.hex()}")
            else:
                self._command(command[2], command[4], t_us)

    def _command(self, code: int, value: int, t_us: int) -> None:
        if self.asleep:
            if (code, value) == (SLEEP, 1):
                if self.hears("deaf"):
                    self.restart(t_us)
            elif code == READ:
                self.note("read while asleep")
        elif code == READ:
            self.say(self._frame(t_us), t_us + ANSWER_US)
        elif code == MODE:
            self.passive = value == 0
            self._next_us = t_us + PERIOD_US[0]
            self._echo(code, value, t_us)
        elif (code, value) == (SLEEP, 0):
            self._echo(code, value, t_us)
            self.asleep = True
        elif code != SLEEP:
            self.note(f"unknown command 0x{code:02X}")

    def _echo(self, code: int, value: int, t_us: int) -> None:
        body = HEAD + bytes((0, 4, code, value))
        self.say(body + sum(body).to_bytes(2, "big"), t_us + ANSWER_US)

    def _frame(self, t_us: int) -> bytes:
        ran_us = t_us - self._started_us
        if ran_us < ZERO_US:
            return frame((0,) * 12, version=0)
        error = ERROR if "error" in self.faults else 0
        return frame(self._words(t_us, ran_us), error=error)

    def _words(self, t_us: int, ran_us: int) -> tuple[int, ...]:
        if self._frozen is not None and self.faults & {"frozen", "fan"}:
            return self._frozen
        share = min(1.0, ran_us / SETTLE_US)
        pm1, pm25, _, pm10 = (
            max(0.0, share * mass * self.chance.gauss(1.0, 0.04))
            for mass in self._environment.pm_ug_m3(t_us)
        )
        atmosphere = [round(mass) for mass in (pm1, max(pm1, pm25), max(pm1, pm25, pm10))]
        counts = [min(0xFFFF, round(pm25 * k)) for k in (180.0, 52.0, 8.0, 0.9, 0.2, 0.1)]
        if ran_us < NO_COUNTS_US:
            atmosphere, counts = [3, 4, 5], [0] * 6
        if self._variant_t:
            env = self._environment
            counts[4] = round(env.temperature_c(t_us) * 10) & 0xFFFF
            counts[5] = round(env.humidity_pct(t_us) * 10)
        self._frozen = (*atmosphere, *atmosphere, *counts)
        return self._frozen
