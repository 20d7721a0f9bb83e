# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Plantower PMS5003 particulate matter sensor, UART 9600 8N1; PMS5003T has climate beside it.

DM = Plantower PMS5003 data manual V2.3, appendix I: frames of 32 bytes, checksum, commands.
PYPMS = avaldebe/PyPMS, pms/sensors/plantower: recorded frames, and which of them to refuse.

It is asked for each reading (passive mode): in active mode the next frame may be 2.3 s away, and
a frame that is asked for is never an old one.
"""

import struct
import time

from revier_node.sensors import FROZEN, VALID, Repeats, fault, missing, valid
from revier_node.sensors.line import Line

MYPY = False
if MYPY:
    from machine import UART


BAUD = 9600
WARM_UP_MS = 30_000  # DM: stable 30 s after the fan starts
ANSWER_LIMIT_MS = 500  # 32 bytes take 34 ms; it may be busy counting
WAKE_LIMIT_MS = 2_500  # the first frame after waking comes by itself (active mode), within 2.3 s
FROZEN_AFTER = 6  # its own period is up to 2.3 s, so frames come twice; not six times with counts

FRAME_BYTES, ANSWER_BYTES = 32, 8
_HEAD_1, _HEAD_2 = 0x42, 0x4D  # DM: "BM"
_PASSIVE, _ACTIVE = b"\xe1\x00\x00", b"\xe1\x00\x01"
_READ = b"\xe2\x00\x00"
_SLEEP, _WAKE = b"\xe4\x00\x00", b"\xe4\x00\x01"
_SETTLE_MS = 100  # between two commands

# positions in a reading: mass for a factory's air and for the atmosphere in ug/m3, then particles
# above 0.3 ... 10 um in 0.1 l; PMS5003T: 0.1 Cel and 0.1 % in place of the last two counts
CF1_PM1, CF1_PM25, CF1_PM10, PM1, PM25, PM10, N03, N05, N1, N25, N5, N10, VERSION, ERROR = range(14)
T_TEMPERATURE, T_HUMIDITY = N5, N10


def command(code: bytes) -> bytes:
    """DM: 42 4D, command, two bytes of data, and the sum of all."""
    frame = bytes((_HEAD_1, _HEAD_2)) + code
    return frame + struct.pack(">H", sum(frame))


def measure(data: "bytes | bytearray", count: int) -> int:
    """For line.Frames: the length of the reading or answer that begins here."""
    if data[0] != _HEAD_1 or (count > 1 and data[1] != _HEAD_2):
        return -1
    if count < 4:
        return 0
    length = (data[2] << 8 | data[3]) + 4
    if length not in (FRAME_BYTES, ANSWER_BYTES):
        return -1
    if count < length:
        return 0
    return length if sum(data[: length - 2]) == data[length - 2] << 8 | data[length - 1] else -1


def parse(frame: bytes, variant_t: bool = False) -> tuple:
    """A frame -> 14 integers (positions above); of the PMS5003T the temperature is signed.

    Missing: the first frames after waking, all zero or (PYPMS) with a mass but no particle.
    """
    if len(frame) != FRAME_BYTES or measure(frame, FRAME_BYTES) != FRAME_BYTES:
        return fault("checksum")
    values = struct.unpack(">10hhh2B" if variant_t else ">12H2B", frame[4:30])
    if variant_t:  # only the temperature has a sign
        values = tuple([v & 0xFFFF if i != T_TEMPERATURE else v for i, v in enumerate(values)])
    if not any(values[:N5]):
        return missing("warming up")
    if values[N03] == 0 and values[PM10] > 0:
        return missing("warming up")
    return valid(values)


def _is_reading(frame: bytes) -> bool:
    return len(frame) == FRAME_BYTES


class Pms5003:
    WARM_UP_MS = WARM_UP_MS
    more_warm_up_ms = 0

    def __init__(self, uart: "UART", variant_t: bool = False) -> None:
        self._line = Line(uart, measure, FRAME_BYTES)
        self._variant_t = variant_t
        self._repeats = Repeats(FROZEN_AFTER)
        self._values: "tuple | None" = None

    def start(self) -> tuple:
        """Fan and laser on, then passive mode. Heard or not, what is waited for is bounded."""
        # asleep, it may miss the first bytes; awake, it does not answer this
        for _ in range(2):
            if self._line.ask(command(_WAKE), _is_frame, WAKE_LIMIT_MS):
                time.sleep_ms(_SETTLE_MS)
                return self._do(_PASSIVE)
            # awake and in passive mode already (only the node was restarted) it says nothing
            if self._do(_PASSIVE)[0] == VALID:
                return valid(None)
        return fault(self._line.error)

    def read(self) -> tuple:
        """The masses of now: PM1, PM2.5 and PM10 for the atmosphere; it has no PM4."""
        frame = self._line.ask(command(_READ), _is_reading, ANSWER_LIMIT_MS)
        if frame is None:
            return fault(self._line.error)
        outcome = parse(frame, self._variant_t)
        if outcome[0] != VALID:
            return outcome
        if self._repeats.frozen(frame):
            return fault(FROZEN)
        values = self._values = outcome[1]
        return valid((values[PM1] * 10, values[PM25] * 10, None, values[PM10] * 10))

    def climate(self) -> tuple:
        """(0.01 Cel, None, 1/1024 %) of the newest reading; PMS5003T only."""
        if not self._variant_t or self._values is None:
            return missing("nothing measured")
        humidity = self._values[T_HUMIDITY] * 1024 // 10
        return valid((self._values[T_TEMPERATURE] * 10, None, humidity))

    def status(self) -> tuple:
        """The error code of the newest reading (DM gives no list of its meanings)."""
        return valid(0 if self._values is None else self._values[ERROR])

    def stop(self) -> tuple:
        """Fan and laser off (below 0.2 mA)."""
        return self._do(_SLEEP)

    def _do(self, code: bytes) -> tuple:
        """DM: it echoes the command and its last byte; its own frames may come between."""
        echo = bytes((code[0], code[2]))
        answer = self._line.ask(
            command(code),
            lambda frame: len(frame) == ANSWER_BYTES and frame[4:6] == echo,
            ANSWER_LIMIT_MS,
        )
        return fault(self._line.error) if answer is None else valid(None)


def _is_frame(_frame: bytes) -> bool:
    return True
