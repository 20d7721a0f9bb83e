# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the node remembers: in RTC memory through deep sleep, in NVS through power loss.

RTC memory (lost with the supply), in all at most 2,048 bytes:
    0..7     main.py's count of failures (image/main.py); kept as it is
    8..      two slots of SLOT_SIZE bytes: CRC-32, length, generation, record
A write goes to the older slot, so one that is cut at any byte leaves the newer one.

NVS (survives power loss; each write wears flash): identity, DevNonce, two leases and a copy of
the session. A lease is a number that the counter has not reached: below it counting costs no
write; after a power loss counting goes on at the lease. So a number may be skipped, never used
twice.
"""

import binascii
import struct

import esp32
import machine

MYPY = False
if MYPY:
    from esp32 import NVS


HEADER_SIZE = 8
HEADER_MAGIC = 0x52  # image/main.py: magic, failures, their complement, code of the last error
SLOT_SIZE = 704
LEASE_STEP = 64  # at most one NVS write for 64 readings or 64 frames
SESSION_MAX = 256
KIND_STATE_MAX = 64
DEV_NONCES = 65_536

_SLOT_HEAD = "<IHH"
_SLOT_HEAD_SIZE = 8
# counters and clock of State, in the order of _FIELDS (at the end)
_STATE = "<IIHBBqQQHHBqQiHIBBBb"
_STATE_SIZE = struct.calcsize(_STATE)
_VERSION = 1

FLAG_DIAGNOSIS_DUE = 1  # the first uplink after a join
FLAG_SEQ_LEAPT = 2
FLAG_F_CNT_LEAPT = 4
FLAG_JOINED = 8  # the session is one of a join


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
        self.joined_ms = 0
        self.join_tries = 0
        self.unanswered = 0  # requests in a row that the network left without an answer
        self.diagnosed = 0  # diagnoses in a row
        self.lag_ms = 0  # of the MAC's time behind the chip's clock
        self.awake_ms = 0  # the chip's clock when the node was last awake for sure
        self.clock_ppm = 0  # of the sleep clock, learnt; positive: it is slow
        self.residual_ppm = 0  # what it may err by beside that; 0: nothing is learnt yet
        self.time_error_ms = 0  # of the world's time, as of now
        self.link_good = 0  # link checks in a row that would allow a higher data rate
        self.link_silent = 0  # requests in a row without an answer
        self.link_uplinks = 0  # since the last link check
        self.margin_db = -128  # of the link, last known; -128: never
        self.kind = b""
        self.session = b""

    def pack(self) -> bytes:
        assert len(self.kind) <= KIND_STATE_MAX
        assert len(self.session) <= SESSION_MAX
        fixed = struct.pack(_STATE, *[getattr(self, name) for name in _FIELDS])
        head = struct.pack("<BBH", _VERSION, len(self.kind), len(self.session))
        return head + fixed + self.kind + self.session

    def unpack(self, record: bytes) -> bool:
        """True if the record was one of this version."""
        version, kind, session = struct.unpack_from("<BBH", record)
        if version != _VERSION or len(record) != 4 + _STATE_SIZE + kind + session:
            return False
        values = struct.unpack_from(_STATE, record, 4)
        for name, value in zip(_FIELDS, values):  # noqa: B905 (MicroPython has no strict)
            setattr(self, name, value)
        at = 4 + _STATE_SIZE
        self.kind = bytes(record[at : at + kind])
        self.session = bytes(record[at + kind :])
        return True


def _open_slot(memory: bytes, at: int) -> "bytes | None":
    """The record of a whole slot, or None."""
    crc, length, _ = struct.unpack_from(_SLOT_HEAD, memory, at)
    end = at + _SLOT_HEAD_SIZE + length
    if not length or length > SLOT_SIZE - _SLOT_HEAD_SIZE:
        return None
    if binascii.crc32(memory[at + 4 : end]) != crc:
        return None
    return memory[at + _SLOT_HEAD_SIZE : end]


class Store:
    def __init__(self) -> None:
        self._rtc = machine.RTC()
        self._lorawan = esp32.NVS("lorawan")
        self._node = esp32.NVS("node")
        self._generation = 0
        self._slot = 0
        self._succeeded = False
        self.state = State()
        self.last_error = self._last_error()
        self.resumed = self._load()
        if not self.resumed:
            self._restore()

    def _load(self) -> bool:
        """Take the newer whole slot of RTC memory. False if there is none."""
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
                if not self.state.unpack(record):
                    return False
                self._slot = slot
                self._generation = second if slot else first
                return True
        return False

    def _last_error(self) -> int:
        head = self._rtc.memory()[:4]
        return head[3] if len(head) == 4 and head[0] == HEADER_MAGIC else 0

    def _restore(self) -> None:
        """After a power loss: both counters go on at their leases."""
        state = self.state
        state.seq = state.seq_lease = self._get_u32(self._node, "seq_lease")
        state.flags = FLAG_DIAGNOSIS_DUE
        if state.seq:
            state.flags |= FLAG_SEQ_LEAPT
        state.session = self._get_blob(self._lorawan, "session", SESSION_MAX) or b""
        if state.session:
            state.flags |= FLAG_F_CNT_LEAPT

    def save(self) -> None:
        """Write the state to RTC memory; a cut at any byte leaves the state before."""
        record = self.state.pack()
        self._generation = (self._generation + 1) & 0xFFFF
        body = struct.pack("<HH", len(record), self._generation) + record
        slot = struct.pack("<I", binascii.crc32(body)) + body
        assert len(slot) <= SLOT_SIZE
        self._slot ^= 1
        memory = bytearray(self._rtc.memory())
        missing = HEADER_SIZE + 2 * SLOT_SIZE - len(memory)
        if missing > 0:
            memory += bytes(missing)
        at = HEADER_SIZE + self._slot * SLOT_SIZE
        memory[at : at + len(slot)] = slot
        if self._succeeded:
            memory[:HEADER_SIZE] = bytes(HEADER_SIZE)
        self._rtc.memory(memory)

    def succeeded(self) -> None:
        """A wake has gone well: from the next save on main.py's count of failures is zero."""
        self._succeeded = True

    # -- identity: written by provisioning --

    def identity(self) -> "tuple | None":
        """(dev_eui, join_eui, app_key) as printed, or None if one is missing or torn."""
        dev_eui = self._get_blob(self._lorawan, "dev_eui", 8) or b""
        join_eui = self._get_blob(self._lorawan, "join_eui", 8) or b""
        app_key = self._get_blob(self._lorawan, "app_key", 16) or b""
        whole = len(dev_eui) == len(join_eui) == 8 and len(app_key) == 16
        return (dev_eui, join_eui, app_key) if whole else None

    # -- DevNonce: every join request ever sent has its own --

    def dev_nonce(self) -> int:
        """The next unused one; DEV_NONCES when all are spent."""
        return self._get_u32(self._lorawan, "dev_nonce")

    def reserve_dev_nonce(self, next_dev_nonce: int) -> None:
        """On return no power loss can bring back a lower one."""
        if next_dev_nonce > self.dev_nonce():
            self._lorawan.set_i32("dev_nonce", next_dev_nonce)
            self._lorawan.commit()

    # -- the reading sequence: one 32-bit counter for all readings of this node --

    def next_seq(self) -> int:
        """A number that no reading of this node ever had."""
        state = self.state
        if state.seq >= state.seq_lease:
            state.seq_lease = state.seq + LEASE_STEP
            self._node.set_i32("seq_lease", _signed(state.seq_lease))
            self._node.commit()
        seq = state.seq
        state.seq = (seq + 1) & 0xFFFFFFFF
        return seq

    # -- what a kind wants back after a power loss --

    def kind_copy(self) -> bytes:
        return self._get_blob(self._node, "kind", KIND_STATE_MAX) or b""

    def keep_kind(self, memory: bytes) -> None:
        self._node.set_blob("kind", memory)
        self._node.commit()

    # -- session --

    def f_cnt_lease(self) -> int:
        return self._get_u32(self._lorawan, "f_cnt_lease")

    def save_session(self, record: bytes, f_cnt_up: int, keep: bool, urgent: bool = True) -> None:
        """NVS if `keep` (new keys or parameters) or the lease is used up; RTC memory at once if
        `urgent`, else with the next save()."""
        self.state.session = record
        if keep or f_cnt_up >= self.f_cnt_lease():
            self._lorawan.set_blob("session", record)
            self._lorawan.set_i32("f_cnt_lease", _signed(f_cnt_up + LEASE_STEP))
            self._lorawan.commit()
        if urgent:
            self.save()

    # -- NVS: the port knows i32 and blob only; what is absent raises OSError --

    def _get_blob(self, nvs: "NVS", key: str, size: int) -> "bytes | None":
        buffer = bytearray(size)
        try:
            return bytes(buffer[: nvs.get_blob(key, buffer)])
        except OSError:
            return None

    def _get_u32(self, nvs: "NVS", key: str) -> int:
        try:
            return nvs.get_i32(key) & 0xFFFFFFFF
        except OSError:
            return 0


def _signed(value: int) -> int:
    return value - 0x100000000 if value & 0x80000000 else value


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
    "time_error_ms",
    "link_good",
    "link_silent",
    "link_uplinks",
    "margin_db",
]
