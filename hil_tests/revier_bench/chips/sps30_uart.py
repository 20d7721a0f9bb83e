# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sensirion SPS30 on a UART: SHDLC frames, states, the pulse that opens its interface.

DS = SPS30 datasheet version 2.0: 5.2 frames, table 6 states, table 7 commands, 5.3.5 wake-up.
Faults by name: those of uart_talker.py and particle_counter.py.
"""

import struct
from random import Random

from revier_bench.chips.base import ChipHost
from revier_bench.chips.environments import ParticleEnvironment
from revier_bench.chips.particle_counter import STATUS_FAN, STATUS_LASER, ParticleCounter
from revier_bench.chips.sps30 import AUTO_CLEAN_DEFAULT_S, SERIAL_NUMBER, WAKE_WINDOW_US
from revier_bench.chips.uart_talker import UartTalker

START, STOP, READ, SLEEP, WAKE, CLEAN = 0x00, 0x01, 0x03, 0x10, 0x11, 0x56
AUTO_CLEAN, INFORMATION, VERSION, STATUS, RESET = 0x80, 0xD0, 0xD1, 0xD2, 0xD3
WRONG_LENGTH, UNKNOWN, ILLEGAL, NOT_NOW = 0x01, 0x02, 0x04, 0x43
ERROR_FLAG = 0x80
ANSWER_US = {SLEEP: 5_000, WAKE: 5_000}  # at most (DS table 7)
ANSWER_USUAL_US = 20_000
POWER_UP_US = 100_000
_FLAG, _ESCAPE = 0x7E, 0x7D
_STUFFED = {0x7E: 0x5E, 0x7D: 0x5D, 0x11: 0x31, 0x13: 0x33}
_UNSTUFFED = {sent: byte for byte, sent in _STUFFED.items()}


def stuff(content: bytes) -> bytes:
    """A frame around the content: checksum, stuffing, flags."""
    frame = bytearray((_FLAG,))
    for byte in (*content, ~sum(content) & 0xFF):
        frame += bytes((_ESCAPE, _STUFFED[byte])) if byte in _STUFFED else bytes((byte,))
    return bytes(frame) + bytes((_FLAG,))


def unstuff(inner: bytes) -> bytes | None:
    """What lies between two flags -> content without checksum, None if it is no frame."""
    content, bytes_left = bytearray(), iter(inner)
    for byte in bytes_left:
        if byte == _ESCAPE:
            original = _UNSTUFFED.get(next(bytes_left, -1))
            if original is None:
                return None
            content.append(original)
        else:
            content.append(byte)
    whole = len(content) >= 4 and content[2] == len(content) - 4
    return bytes(content[:-1]) if whole and sum(content) & 0xFF == 0xFF else None


class Sps30Uart(UartTalker):
    name = "sps30"
    baud = 115_200

    def __init__(self, host: ChipHost, environment: ParticleEnvironment, chance: Random) -> None:
        super().__init__(host, chance)
        self.counter = ParticleCounter(environment, chance, self.faults)
        self._asleep = False
        self._open_until_us = 0
        self._ready_us = 0
        self._interval_s = AUTO_CLEAN_DEFAULT_S

    @property
    def measuring(self) -> bool:
        return self.counter.running

    def restart(self, t_us: int) -> None:
        self.counter.reset()
        self._asleep = False
        self._open_until_us = 0
        self._ready_us = t_us + POWER_UP_US

    def hear(self, heard: bytearray, t_us: int) -> None:
        if self._asleep and t_us > self._open_until_us:  # the pulse opens it; the bytes are lost
            self._open_until_us = t_us + WAKE_WINDOW_US
            heard.clear()
            return
        while heard.count(_FLAG) >= 2:
            inner, _, rest = bytes(heard[heard.index(_FLAG) + 1 :]).partition(bytes((_FLAG,)))
            if not inner:  # the flag that ended one frame: this one begins another
                del heard[: heard.index(_FLAG) + 1]
                continue
            heard[:] = rest
            content = unstuff(inner)
            if content is None:
                self.note(f"no frame: {inner.hex()}")
            elif t_us < self._ready_us:
                self.note(f"command 0x{content[1]:02X} {self._ready_us - t_us} us too early")
            else:
                self._command(content[1], content[3:], t_us)

    def _command(self, code: int, data: bytes, t_us: int) -> None:
        if self._asleep:
            if code != WAKE:
                return
            if not self.hears("deaf"):
                self._open_until_us = 0
                return
            self._asleep = False
        state, answer = self._execute(code, data, t_us)
        if self.counter.status(t_us) & (STATUS_FAN | STATUS_LASER):
            state |= ERROR_FLAG
        delay_us = ANSWER_US.get(code, ANSWER_USUAL_US) * 3 // 4
        self._ready_us = t_us + delay_us
        content = bytes((0, code, state, len(answer))) + answer
        self.say(stuff(content), t_us + delay_us)

    def _execute(self, code: int, data: bytes, t_us: int) -> tuple[int, bytes]:
        """(state, data of the answer)"""
        if code in (READ, STOP, CLEAN) and not self.counter.running:
            return NOT_NOW, b""
        if code in (START, SLEEP) and self.counter.running:
            return NOT_NOW, b""
        if code == START:
            if data != b"\x01\x03":
                return ILLEGAL, b""
            self.counter.start(t_us)
        elif code == STOP:
            self.counter.stop(t_us)
        elif code == SLEEP:
            self._asleep = True
            self._open_until_us = 0
        elif code == CLEAN:
            self.counter.clean(t_us)
        elif code == RESET:
            self.restart(t_us)
        elif code != WAKE:
            return self._ask(code, data, t_us)
        return 0, b""

    def _ask(self, code: int, data: bytes, t_us: int) -> tuple[int, bytes]:
        if code == READ:
            values = self.counter.read(t_us) if self.counter.is_new(t_us) else None
            return 0, struct.pack(">10f", *values) if values else b""
        if code == STATUS:
            if len(data) != 1:
                return WRONG_LENGTH, b""
            register = self.counter.status(t_us)
            if data == b"\x01":
                self.counter.clear_status()
            return 0, register.to_bytes(4, "big") + b"\0"
        if code == VERSION:
            return 0, bytes((2, 3, 0, 7, 0, 2, 0))
        if code == INFORMATION:
            return 0, b"00080000\0" if data == b"\0" else SERIAL_NUMBER[:20] + b"\0"
        if code == AUTO_CLEAN:
            if len(data) == 5:
                self._interval_s = int.from_bytes(data[1:], "big")
                return 0, b""
            return 0, self._interval_s.to_bytes(4, "big")
        self.note(f"unknown command 0x{code:02X}")
        return UNKNOWN, b""
