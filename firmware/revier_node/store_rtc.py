# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""RTC memory: what survives deep sleep and resets, lost with the supply. At most 2,048 bytes:

    0..7     main.py's count of failures (image/main.py); kept as it is
    8..      two slots of SLOT_SIZE bytes: CRC-32, length, generation, record
    1416..   notes of rare wakes (notes.py); kept as they are
A write goes to the older slot, so one that is cut at any byte leaves the newer one.
"""

import binascii
import struct

import machine

HEADER_SIZE = 8
HEADER_MAGIC = 0x52  # image/main.py: magic, failures, their complement, code of the last error
SLOT_SIZE = 704
SESSION_MAX = 256
KIND_STATE_MAX = 64
COUNTS_SIZE = 16

_SLOT_HEAD = "<IHH"
_SLOT_HEAD_SIZE = 8
# counters and clock of State, in the order of _FIELDS (at the end)
_STATE = "<IIHBBqQQHHBqQiHhIBBBb16s"
_STATE_SIZE = struct.calcsize(_STATE)
_VERSION = 3

FLAG_DIAGNOSIS_DUE = 1  # the first uplink after a join
FLAG_SEQ_LEAPT = 2
FLAG_F_CNT_LEAPT = 4
FLAG_JOINED = 8  # the session is one of a join
FLAG_COLD = 16  # it waits, or has waited and sends for the first time (waiting.py)
FLAG_HELD = 32  # messages wait in the notes
# 64: the time is of whole seconds only (clock.COARSE)
FLAG_APP_TIME = 128  # remote.py, or app_time.py, has something to say


class State:
    """Everything in RTC memory. `kind` and `session` are bytes, empty if there is none."""

    def __init__(self) -> None:
        self.seq = 0  # of the next reading
        self.seq_lease = 0
        self.boots = 0
        self.error = 0
        self.flags = 0  # FLAG_...
        self.unix_offset_ms = 0  # 0: the time is not known
        self.clock_set_ms = 0
        self.joined_ms = 0  # not joined: when to try again
        self.join_tries = 0
        self.unanswered = 0  # requests in a row that the network left without an answer
        self.diagnosed = 0  # diagnoses in a row
        self.lag_ms = 0  # of the MAC's time behind the chip's clock
        self.awake_ms = 0  # the chip's clock when the node was last awake for sure
        self.clock_ppm = 0  # of the sleep clock, learnt; positive: it is slow
        self.residual_ppm = 0  # what it may err by beside that; 0: nothing is learnt yet
        self.nap_ppm = 0  # a light sleep takes longer by so much, as downlinks told; 0: unknown
        self.time_error_ms = 0  # of the world's time, as of now
        self.link_good = 0  # link checks in a row that would allow a higher data rate
        self.link_silent = 0  # requests in a row without an answer
        self.link_uplinks = 0  # since the last link check
        self.margin_db = -128  # of the link, last known; -128: never
        self.counts = bytes(COUNTS_SIZE)  # revier_mac: of each thing that went wrong
        self.kind = b""
        self.recent = b""  # readings that are not yet in the flash: reading_log.py
        self.session = b""

    def pack(self) -> bytes:
        assert len(self.kind) <= KIND_STATE_MAX
        assert len(self.session) <= SESSION_MAX
        fixed = struct.pack(_STATE, *[getattr(self, name) for name in _FIELDS])
        head = struct.pack("<BBH", _VERSION, len(self.kind), len(self.session))
        return head + fixed + self.kind + self.recent + self.session

    def unpack(self, record: bytes) -> bool:
        """True if the record was one of this version."""
        version, kind, session = struct.unpack_from("<BBH", record)
        end = len(record) - session
        if version != _VERSION or end < 4 + _STATE_SIZE + kind:
            return False
        values = struct.unpack_from(_STATE, record, 4)
        for name, value in zip(_FIELDS, values):  # noqa: B905 (MicroPython has no strict)
            setattr(self, name, value)
        at = 4 + _STATE_SIZE
        self.kind = bytes(record[at : at + kind])
        self.recent = bytes(record[at + kind : end])
        self.session = bytes(record[end:])
        return True


def _check(body: bytes) -> int:
    """CRC-32 with the last four bytes counted twice.

    A session ends with its own CRC-32, and after such a record a CRC is the same whatever the
    record says: a slot torn before an old session looked whole and took the counters back.
    """
    check: int = binascii.crc32(body[-4:], binascii.crc32(body))
    return check


def _open_slot(memory: bytes, at: int) -> "bytes | None":
    """The record of a whole slot, or None."""
    crc, length, _ = struct.unpack_from(_SLOT_HEAD, memory, at)
    end = at + _SLOT_HEAD_SIZE + length
    if not length or length > SLOT_SIZE - _SLOT_HEAD_SIZE:
        return None
    if _check(memory[at + 4 : end]) != crc:
        return None
    return memory[at + _SLOT_HEAD_SIZE : end]


class RtcMemory:
    def __init__(self) -> None:
        self._rtc = machine.RTC()
        self._generation = 0
        self._slot = 0

    def load(self, state: State) -> bool:
        """Take the newer whole slot. False if there is none."""
        memory = self._rtc.memory()
        if len(memory) < HEADER_SIZE + 2 * SLOT_SIZE:
            return False
        first, second = [
            struct.unpack_from("<H", memory, HEADER_SIZE + slot * SLOT_SIZE + 6)[0]
            for slot in (0, 1)
        ]
        newer = 1 if 0 < (second - first) & 0xFFFF < 0x8000 else 0
        for slot in (newer, newer ^ 1):
            record = _open_slot(memory, HEADER_SIZE + slot * SLOT_SIZE)
            if record:  # an older one of another firmware would take the counters back
                if not state.unpack(record):
                    return False
                self._slot = slot
                self._generation = second if slot else first
                return True
        return False

    def save(self, state: State, failures_over: bool) -> None:
        """A cut at any byte leaves the state before."""
        record = state.pack()
        self._generation = (self._generation + 1) & 0xFFFF
        body = struct.pack("<HH", len(record), self._generation) + record
        slot = struct.pack("<I", _check(body)) + body
        assert len(slot) <= SLOT_SIZE
        self._slot ^= 1
        memory = bytearray(self._rtc.memory())
        missing = HEADER_SIZE + 2 * SLOT_SIZE - len(memory)
        if missing > 0:
            memory += bytes(missing)
        at = HEADER_SIZE + self._slot * SLOT_SIZE
        memory[at : at + len(slot)] = slot
        if failures_over:
            memory[:HEADER_SIZE] = bytes(HEADER_SIZE)
        self._rtc.memory(memory)

    def last_error(self) -> int:
        head = self._rtc.memory()[:4]
        return head[3] if len(head) == 4 and head[0] == HEADER_MAGIC else 0


# A list, after the class: the file's own table of names serves it. A tuple would hold the names
# a second time in the .mpy.
_FIELDS = [
    "seq",
    "seq_lease",
    "boots",
    "error",
    "flags",
    "unix_offset_ms",
    "clock_set_ms",
    "joined_ms",
    "join_tries",
    "unanswered",
    "diagnosed",
    "lag_ms",
    "awake_ms",
    "clock_ppm",
    "residual_ppm",
    "nap_ppm",
    "time_error_ms",
    "link_good",
    "link_silent",
    "link_uplinks",
    "margin_db",
    "counts",
]
