# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""At a start, and when NVS lacks something: NVS and file are brought to the same, highest numbers.

A normal wake after a deep sleep does without.
"""

from revier_node import identity_file, store_rtc

MYPY = False
if MYPY:
    from revier_node.store import Store


def settle(stored: "Store") -> None:
    """Identity: NVS if whole, else the file. Counters: the maximum. Other keys end the session."""
    kept = identity_file.read()
    identity = stored.identity()
    numbers = (stored.dev_nonce(), stored.f_cnt_lease(), stored.seq_lease())
    highest = numbers
    if kept:
        highest = tuple([max(kept[1 + i], numbers[i]) for i in range(3)])
        if identity and identity != kept[0]:
            _drop_session(stored)
        identity = identity or kept[0]
    _restore(stored, highest[2])
    if identity:
        if kept != (identity,) + highest:
            identity_file.write(identity, *highest)
        _mend_nvs(stored, identity, highest)
    stored.f_cnt_floor = highest[1]


def _mend_nvs(stored: "Store", identity: tuple, highest: tuple) -> None:
    """What NVS lacks or has too low. The keys come last: they say that the numbers are there.

    The lease of FCntUp stays away without a session, so that the next save writes both.
    """
    from revier_node.store_lease import signed

    nvs = stored.lorawan
    changed = False
    if highest[0] > stored.dev_nonce():
        nvs.set_i32("dev_nonce", highest[0])
        changed = True
    if highest[2] > stored.seq_lease():
        nvs.set_i32("seq_lease", signed(highest[2]))
        changed = True
    if changed:
        nvs.commit()
    if identity != stored.identity():
        for i, name in enumerate(("dev_eui", "join_eui", "app_key")):
            nvs.set_blob(name, identity[i])
        nvs.commit()


def _restore(stored: "Store", seq_lease: int) -> None:
    """After a power loss: both counters go on at their leases."""
    state = stored.state
    if stored.resumed:
        return
    state.seq = state.seq_lease = seq_lease
    state.flags = store_rtc.FLAG_DIAGNOSIS_DUE
    if state.seq:
        state.flags |= store_rtc.FLAG_SEQ_LEAPT
    state.session = _session_copy(stored)
    if state.session:
        state.flags |= store_rtc.FLAG_F_CNT_LEAPT


def _drop_session(stored: "Store") -> None:
    """Of other keys. The last JoinNonce goes with it; the airtime stays spent.

    The file, which still has the old keys, is written after this: a cut before leads here again.
    """
    from revier_mac.session import Session

    if _session_copy(stored):
        stored.lorawan.set_blob("session", b"")
        stored.lorawan.commit()
    state = stored.state
    if not stored.resumed:
        return
    old = Session.unpack(state.session) if state.session else None
    state.flags = state.flags & ~store_rtc.FLAG_JOINED | store_rtc.FLAG_DIAGNOSIS_DUE
    state.session = b""
    if old:
        session = Session()
        session.ledger = old.ledger
        state.session = session.pack()
    stored.save()


def _session_copy(stored: "Store") -> bytes:
    from revier_node.store import get_blob

    return get_blob(stored.lorawan, "session", store_rtc.SESSION_MAX) or b""
