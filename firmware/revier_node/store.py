# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the node remembers: in RTC memory through deep sleep, in NVS and a file through power loss.

RTC memory: store_rtc.py. NVS (each write wears flash): identity, DevNonce, two leases and a copy of
the session. A lease is a number that the counter has not reached: below it counting costs no
write; after a power loss counting goes on at the lease. So a number may be skipped, never used
twice. A write that is due renews both leases.

Within a session the reading sequence never moves further than FCntUp: a receiver that knows the
low bits of the one and all of the other can tell how often they came round. A frame carries one new
reading at most; a reading that is not sent takes a number of FCntUp along (waiting.py); and a power
loss skips at least as many frames (F_CNT_LEAP) as it can skip readings.

Identity, DevNonce and leases are in a file as well (identity_file.py), for start-up code may erase
NVS. Writing all these: store_lease.py. The file is read at a start, or when NVS lacks something;
not after a deep sleep (store_start.py).
"""

import esp32
import machine

from revier_node import store_rtc

MYPY = False
if MYPY:
    from typing import Any

    from esp32 import NVS


# L2 4.3.1.1: with ADR the network answers every 65th to 96th uplink, and that write renews the
# leases; so a shorter one would cost a second write
LEASE_STEP = 128
# After a power loss FCntUp goes on so far beyond its lease: the sequence, at its own lease, may
# have leapt by LEASE_STEP, FCntUp by nothing. A few more for what was taken and not sent.
F_CNT_LEAP = LEASE_STEP + 8
DEV_NONCES = 65_536
State = store_rtc.State
FLAG_DIAGNOSIS_DUE = store_rtc.FLAG_DIAGNOSIS_DUE
FLAG_SEQ_LEAPT = store_rtc.FLAG_SEQ_LEAPT
FLAG_F_CNT_LEAPT = store_rtc.FLAG_F_CNT_LEAPT
FLAG_JOINED = store_rtc.FLAG_JOINED
FLAG_COLD = store_rtc.FLAG_COLD
FLAG_HELD = store_rtc.FLAG_HELD
FLAG_APP_TIME = store_rtc.FLAG_APP_TIME


class Store:
    def __init__(self) -> None:
        self._rtc = store_rtc.RtcMemory()
        self.lorawan = esp32.NVS("lorawan")
        self._node = esp32.NVS("node")
        self._succeeded = False
        self.f_cnt_floor = 0  # the file's lease
        self.state = State()
        self.last_error = self._rtc.last_error()
        self.resumed = self._rtc.load(self.state)
        started = machine.reset_cause() != machine.DEEPSLEEP_RESET
        if not self.resumed or started or not self.identity() or not self.dev_nonce():
            from revier_node import store_start

            store_start.settle(self)

    def save(self) -> None:
        """Write the state to RTC memory; a cut at any byte leaves the state before."""
        self._rtc.save(self.state, self._succeeded)

    def succeeded(self) -> None:
        """A wake has gone well: from the next save on main.py's count of failures is zero."""
        self._succeeded = True

    # -- identity: provisioning writes it to NVS, a start copies it to the file --

    def identity(self) -> "tuple | None":
        """(dev_eui, join_eui, app_key) as printed, or None if NVS and file have lost it."""
        dev_eui = get_blob(self.lorawan, "dev_eui", 8) or b""
        join_eui = get_blob(self.lorawan, "join_eui", 8) or b""
        app_key = get_blob(self.lorawan, "app_key", 16) or b""
        whole = len(dev_eui) == len(join_eui) == 8 and len(app_key) == 16
        return (dev_eui, join_eui, app_key) if whole else None

    # -- DevNonce: every join request ever sent has its own --

    def dev_nonce(self) -> int:
        """The next unused one; DEV_NONCES when all are spent."""
        return get_u32(self.lorawan, "dev_nonce")

    def reserve_dev_nonce(self, next_dev_nonce: int) -> None:
        """On return no power loss can bring back a lower one."""
        if next_dev_nonce > self.dev_nonce():
            _lease().reserve_dev_nonce(self, next_dev_nonce)

    # -- the reading sequence: one 32-bit counter for all readings of this node --

    def seq_lease(self) -> int:
        return get_u32(self.lorawan, "seq_lease")

    def next_seq(self) -> int:
        """A number that no reading of this node ever had."""
        state = self.state
        if state.seq >= state.seq_lease:
            _lease().renew_seq(self, (state.seq + LEASE_STEP) & 0xFFFFFFFF)
        seq = state.seq
        state.seq = (seq + 1) & 0xFFFFFFFF
        return seq

    # -- what a kind wants back after a power loss --

    def kind_copy(self) -> bytes:
        return get_blob(self._node, "kind", store_rtc.KIND_STATE_MAX) or b""

    def keep_kind(self, memory: bytes) -> None:
        self._node.set_blob("kind", memory)
        self._node.commit()

    # -- session --

    def nvs_lease(self) -> int:
        return get_u32(self.lorawan, "f_cnt_lease")

    def f_cnt_lease(self) -> int:
        return max(self.nvs_lease(), self.f_cnt_floor)

    def save_session(self, record: bytes, f_cnt_up: int, keep: bool, urgent: bool = True) -> None:
        """NVS if `keep` (new keys or parameters) or the lease is used up; RTC memory at once if
        `urgent`, else with the next save().
        """
        self.state.session = record
        if keep or f_cnt_up >= self.nvs_lease():
            f_cnt_lease = min(f_cnt_up + LEASE_STEP, 0xFFFFFFFF)
            seq_lease = self.state.seq + LEASE_STEP & 0xFFFFFFFF
            _lease().keep_session(self, record, f_cnt_lease, seq_lease)
        if urgent:
            self.save()


def _lease() -> "Any":
    from revier_node import store_lease

    return store_lease


# -- NVS: the port knows i32 and blob only; what is absent raises OSError --


def get_blob(nvs: "NVS", key: str, size: int) -> "bytes | None":
    buffer = bytearray(size)
    try:
        return bytes(buffer[: nvs.get_blob(key, buffer)])
    except OSError:
        return None


def get_u32(nvs: "NVS", key: str) -> int:
    try:
        return nvs.get_i32(key) & 0xFFFFFFFF
    except OSError:
        return 0
