# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SPS30 on I2C: refuses what comes too early, in the wrong state or with a wrong CRC.

DS = SPS30 datasheet version 2.0: table 8 commands, 6.3.6 double wake-up.
Faults by name: those of sensirion_words.py and particle_counter.py.
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import ParticleEnvironment
from revier_bench.chips.particle_counter import ParticleCounter
from revier_bench.chips.sensirion_words import WordChip

START, STOP, READY, READ = 0x0010, 0x0104, 0x0202, 0x0300
SLEEP, WAKE, CLEAN, AUTO_CLEAN = 0x1001, 0x1103, 0x5607, 0x8004
PRODUCT, VERSION, SERIAL = 0xD002, 0xD100, 0xD033
STATUS, CLEAR_STATUS, RESET = 0xD206, 0xD210, 0xD304
FLOATS = 0x0300
WAIT_US = {
    START: 20_000,
    STOP: 20_000,
    SLEEP: 5_000,
    WAKE: 5_000,
    CLEAN: 5_000,
    AUTO_CLEAN: 20_000,
    CLEAR_STATUS: 5_000,
    RESET: 100_000,
}
WAKE_WINDOW_US = 100_000
SERIAL_NUMBER = b"00080000000000000000000000000000"
AUTO_CLEAN_DEFAULT_S = 604_800


class Sps30(WordChip):
    name = "sps30"

    def __init__(self, host: ChipHost, environment: ParticleEnvironment, chance: Random) -> None:
        super().__init__(host, chance)
        self.counter = ParticleCounter(environment, chance, self.faults)
        self._asleep = False
        self._wake_until_us = 0
        self._interval_s = AUTO_CLEAN_DEFAULT_S

    @property
    def measuring(self) -> bool:
        return self.counter.running

    def restart(self, t_us: int) -> None:  # noqa: ARG002
        self.counter.reset()
        self._asleep = False
        self._wake_until_us = 0

    def asleep(self) -> bool:
        return self._asleep

    def wake(self, code: int, t_us: int) -> bool:
        """DS 6.3.6: the first wake-up only opens the interface, for 100 ms."""
        if code != WAKE:
            return False
        if t_us > self._wake_until_us:
            self._wake_until_us = t_us + WAKE_WINDOW_US
            return False
        self._wake_until_us = 0
        if not self.hears("deaf"):
            return False
        self._asleep = False
        self.busy(t_us, WAIT_US[WAKE])
        return True

    def execute(self, code: int, words: tuple[int, ...], t_us: int) -> bool:
        if not self._allowed(code, words):
            return False
        if code == START:
            self.counter.start(t_us)
        elif code == STOP:
            self.counter.stop(t_us)
        elif code == SLEEP:
            self._asleep = True
        elif code == CLEAN:
            self.counter.clean(t_us)
        elif code == CLEAR_STATUS:
            self.counter.clear_status()
        elif code == RESET:
            self.restart(t_us)
        elif code == AUTO_CLEAN and len(words) == 2:
            self._interval_s = words[0] << 16 | words[1]
        elif code != WAKE:  # awake already: nothing to do, nothing to wait for
            return self.say(code)
        if code != WAKE:
            self.busy(t_us, WAIT_US.get(code, 0))
        return True

    def _allowed(self, code: int, words: tuple[int, ...]) -> bool:
        measuring = self.counter.running
        if code == START:
            return not measuring and words == (FLOATS,)
        if code in (READY, READ, CLEAN):
            return measuring
        if code == SLEEP and measuring:
            self.note("sleep while it measures (DS 6.3.5)")
            return False
        known = (STOP, SLEEP, WAKE, AUTO_CLEAN, PRODUCT, VERSION, SERIAL, STATUS)
        if code not in (*known, CLEAR_STATUS, RESET):
            self.note(f"unknown command 0x{code:04X}")
            return False
        return True

    def answer(self, code: int, t_us: int) -> bytes | None:
        if code == READY:
            return bytes((0, 1 if self.counter.is_new(t_us) else 0))
        if code == READ:
            return struct.pack(">10f", *(self.counter.read(t_us) or (0.0,) * 10))
        if code == STATUS:
            return self.counter.status(t_us).to_bytes(4, "big")
        if code == VERSION:
            return bytes((2, 3))
        if code == PRODUCT:
            return b"00080000"
        if code == SERIAL:
            return SERIAL_NUMBER
        return self._interval_s.to_bytes(4, "big")
