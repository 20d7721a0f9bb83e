# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What store.py writes to flash once in many wakes: DevNonce, leases, a copy of the session.

The file goes before NVS, so that it permits whatever NVS permits; who called goes on after both.
"""

from revier_node import identity_file, store

MYPY = False
if MYPY:
    from revier_node.store import Store


def reserve_dev_nonce(stored: "Store", next_dev_nonce: int) -> None:
    _keep_in_file(stored, next_dev_nonce, stored.nvs_lease(), stored.seq_lease())
    stored.lorawan.set_i32("dev_nonce", next_dev_nonce)
    stored.lorawan.commit()


def renew_seq(stored: "Store", lease: int) -> None:
    """The lease of FCntUp moves along, so that it stays as far ahead of the sequence's."""
    f_cnt_lease = stored.nvs_lease()
    if f_cnt_lease:  # 0: the session's next save writes both
        f_cnt_lease = min(f_cnt_lease + store.LEASE_STEP, 0xFFFFFFFF)
    _keep_in_file(stored, stored.dev_nonce(), f_cnt_lease, lease)
    if f_cnt_lease:
        stored.lorawan.set_i32("f_cnt_lease", signed(f_cnt_lease))
    _lease_seq(stored, lease)
    stored.lorawan.commit()


def keep_session(stored: "Store", record: bytes, f_cnt_lease: int, seq_lease: int) -> None:
    """The session is committed before its lease: new keys lower the lease, and a low one beside
    the old session would use its counters twice.
    """
    nvs = stored.lorawan
    lower = f_cnt_lease < stored.nvs_lease()
    if not lower:
        _keep_in_file(stored, stored.dev_nonce(), f_cnt_lease, seq_lease)
    nvs.set_blob("session", record)
    if lower:
        nvs.commit()
        _keep_in_file(stored, stored.dev_nonce(), f_cnt_lease, seq_lease)
    nvs.set_i32("f_cnt_lease", signed(f_cnt_lease))
    _lease_seq(stored, seq_lease)
    nvs.commit()


def _lease_seq(stored: "Store", lease: int) -> None:
    stored.lorawan.set_i32("seq_lease", signed(lease))
    stored.state.seq_lease = lease


def _keep_in_file(stored: "Store", dev_nonce: int, f_cnt_lease: int, seq_lease: int) -> None:
    identity = stored.identity()
    if identity:
        identity_file.write(identity, dev_nonce, f_cnt_lease, seq_lease)


def signed(value: int) -> int:
    """NVS knows i32 only."""
    return value - 0x100000000 if value & 0x80000000 else value
