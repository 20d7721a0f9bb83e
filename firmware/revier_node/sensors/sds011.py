# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Nova SDS011 particulate matter sensor, UART 9600 8N1; PM2.5 and PM10 only.

P = Nova Fitness "Laser Dust Sensor Control Protocol V1.3": frames AA ... AB, commands AA B4.
AIRROHR = opendata-stuttgart/sensors-software, airrohr-firmware: 15 s of warm-up.

Reporting mode and working period are in its flash: this driver leaves both as they are. It asks
for each reading, which works in either mode. The laser lives 8,000 h: switch it off between.
"""

from revier_node.sensors import FROZEN, VALID, Repeats, fault, valid
from revier_node.sensors.line import Line

MYPY = False
if MYPY:
    from collections.abc import Callable

    from machine import UART


BAUD = 9600
WARM_UP_MS = 15_000  # AIRROHR
ANSWER_LIMIT_MS = 1_500  # it reports each second by itself, and may answer only then
TRIES = 2  # asleep, it may miss the first bytes
FROZEN_AFTER = 6
FROZEN_FROM = 100  # 10 ug/m3: below, the same tenths came three times in a row from a sound sensor
RANGE_MAX = 9_999  # 999.9 ug/m3

FRAME_BYTES = 10
_HEAD, _TAIL = 0xAA, 0xAB
_READING, _ANSWER = 0xC0, 0xC5
_QUERY, _WORK_STATE = 4, 6
_SET, _SLEEP, _WORK = 1, 0, 1


def command(code: int, *data: int) -> bytes:
    """P: AA B4, command, twelve bytes of data, FF FF (any device), sum, AB."""
    body = bytes((code,)) + bytes(data) + bytes(12 - len(data)) + b"\xff\xff"
    return bytes((_HEAD, 0xB4)) + body + bytes((sum(body) & 0xFF, _TAIL))


def measure(data: "bytes | bytearray", count: int) -> int:
    """For line.Frames: the length of the reading or answer that begins here."""
    if data[0] != _HEAD or (count > 1 and data[1] not in (_READING, _ANSWER)):
        return -1
    if count < FRAME_BYTES:
        return 0
    return FRAME_BYTES if data[9] == _TAIL and sum(data[2:8]) & 0xFF == data[8] else -1


def parse(frame: bytes) -> tuple:
    """A reading -> (PM2.5 and PM10 in 0.1 ug/m3, device id)."""
    if len(frame) != FRAME_BYTES or measure(frame, FRAME_BYTES) != FRAME_BYTES:
        return fault("checksum")
    if frame[1] != _READING:
        return fault("no reading")
    pm25, pm10 = frame[3] << 8 | frame[2], frame[5] << 8 | frame[4]
    if pm25 > RANGE_MAX or pm10 > RANGE_MAX:
        return fault("range")
    return valid((pm25, pm10, frame[6] << 8 | frame[7]))


def _is_reading(frame: bytes) -> bool:
    return frame[1] == _READING


def _is_state(state: int) -> "Callable[[bytes], bool]":
    return lambda frame: frame[1:5] == bytes((_ANSWER, _WORK_STATE, _SET, state))


class Sds011:
    WARM_UP_MS = WARM_UP_MS
    more_warm_up_ms = 0

    def __init__(self, uart: "UART") -> None:
        self._line = Line(uart, measure, FRAME_BYTES)
        self._repeats = Repeats(FROZEN_AFTER)

    def start(self) -> tuple:
        """Fan and laser on."""
        return self._set_state(_WORK)

    def read(self) -> tuple:
        """The masses of now; it has no PM1 and no PM4."""
        frame = self._line.ask(command(_QUERY), _is_reading, ANSWER_LIMIT_MS)
        if frame is None:
            return fault(self._line.error)
        outcome = parse(frame)
        if outcome[0] != VALID:
            return outcome
        pm25, pm10, _ = outcome[1]
        if self._repeats.frozen(frame) and pm10 >= FROZEN_FROM:
            return fault(FROZEN)
        return valid((None, pm25, None, pm10))

    def status(self) -> tuple:
        """It knows of no errors of its own: a stuck fan shows as a frozen value."""
        return valid(0)

    def stop(self) -> tuple:
        """Fan and laser off."""
        return self._set_state(_SLEEP)

    def _set_state(self, state: int) -> tuple:
        for _ in range(TRIES):
            question = command(_WORK_STATE, _SET, state)
            if self._line.ask(question, _is_state(state), ANSWER_LIMIT_MS):
                return valid(None)
        return fault(self._line.error)
