# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which frames of a device were not heard? Counted by f_cnt, session by session.

Every number between the first and the newest frame of a session is heard or lies in exactly one
hole. What the counter does, case by case:

* one more than the newest: the usual frame; further: a hole opens between.
* a number in a hole: a late frame, or one out of a log, fills it.
* any other number that was passed: a copy, unless it was heard so long after the newest frame that
  the counter must have begun again (ABP, or a join that got the same address): a new session.
* an address that was not known, of a device that was: a join whose event was lost; such a session
  begins at 0. Of a device that was not known nothing is missing before its first frame.
* below the first number, or an address heard before all that is known: history out of a log.

What was lost between the last frame that was heard and a join nobody can count in frames; a hole
without numbers (JOINED) names the readings, which the first diagnosis after the join bounds.

A join whose accept the device never heard begins a session without frames, which says nothing.
Everything here is a function of its arguments: no clock, no storage.
"""

from __future__ import annotations

from bisect import insort
from typing import Literal

import msgspec

from revier_gateway.identity import RESTART_AFTER_MS, DeviceState

WHOLE_EPOCH = "0"
SESSIONS_MAX = 4
NAMED_HOLES_MAX = 64  # of one session; older ones stay in the gaps' table alone
NONE_HEARD = -1
JOINED = -1  # first number of the hole that a join closed; its last is before it

Verdict = Literal["new", "filled", "copy"]


class Hole(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Numbers first to last, none of them heard."""

    first: int
    last: int
    noticed_ms: int  # by our clock
    after_ms: int  # the frame before it was heard then, or the session began
    before_ms: int  # the frame after it was heard then
    gap: int = 0  # the gap that names it; 0: not yet declared
    seq_first: int = -1  # readings that may be missing; -1: not known
    seq_last: int = -1
    leapt: bool = False  # the node said that its counter leapt here
    served: bool = False  # the network server had it: it said so in the device's log


class Session(msgspec.Struct, frozen=True, array_like=True, gc=False):
    dev_addr: str
    began_ms: int
    first: int
    newest: int
    newest_ms: int
    holes: tuple[Hole, ...] = ()  # by number
    joined: bool = False  # it is known to begin at 0


class FrameState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of one device; sessions by their beginning, oldest first."""

    sessions: tuple[Session, ...] = ()
    tenant_id: str = ""
    application_id: str = ""
    received_ms: int = 0  # the network server had its newest frame then

    @property
    def holes(self) -> list[Hole]:
        return [hole for session in self.sessions for hole in session.holes]


class Heard(msgspec.Struct, frozen=True, gc=False):
    state: FrameState
    verdict: Verdict
    gap: int = 0  # that the frame was named missing in


def hear(state: FrameState, dev_addr: str, f_cnt: int, heard_ms: int, now_ms: int) -> Heard:
    """One frame, whichever way it came."""
    old = _session_of(state, dev_addr, f_cnt, heard_ms)
    if old is None:
        begun = _begin(state, dev_addr, f_cnt, heard_ms, now_ms)
        return Heard(_added(state, begun), "new")
    if f_cnt > old.newest:
        return Heard(_with(state, old, _forward(old, f_cnt, heard_ms, now_ms)), "new")
    if f_cnt < old.first:
        return Heard(_with(state, old, _back(old, f_cnt, heard_ms, now_ms)), "new")
    for hole in old.holes:
        if hole.first <= f_cnt <= hole.last:
            filled = _filled(old, hole, f_cnt, heard_ms)
            return Heard(_with(state, old, filled), "filled", hole.gap)
    return Heard(state, "copy")


def usual(state: FrameState, dev_addr: str, f_cnt: int, heard_ms: int) -> FrameState | None:
    """hear for the usual frame, at a third of its time: one more than the newest, and later. The
    state's time is renewed with it. None: it is another case."""
    sessions = state.sessions
    if not sessions or heard_ms <= state.received_ms:
        return None
    last = sessions[-1]
    if dev_addr != last.dev_addr or f_cnt != last.newest + 1:
        return None
    if heard_ms < last.newest_ms or heard_ms < last.began_ms:
        return None
    return count_on(state, f_cnt, heard_ms)


def count_on(state: FrameState, f_cnt: int, heard_ms: int) -> FrameState:
    """Usual frames came, up to this one."""
    *before, last = state.sessions
    renewed = Session(
        last.dev_addr, last.began_ms, last.first, f_cnt, heard_ms, last.holes, last.joined
    )
    return FrameState((*before, renewed), state.tenant_id, state.application_id, heard_ms)


def join(state: FrameState, dev_addr: str, at_ms: int) -> FrameState:
    """A join event; the frames of its session may have come before it."""
    for old in reversed(state.sessions):
        if old.dev_addr == dev_addr and old.newest_ms >= at_ms:
            began_ms = min(old.began_ms, at_ms)
            return _with(state, old, msgspec.structs.replace(old, began_ms=began_ms, joined=True))
    unheard = [one for one in state.sessions if one.newest == NONE_HEARD and one.began_ms < at_ms]
    kept = tuple(one for one in state.sessions if one not in unheard)
    begun = Session(dev_addr, at_ms, 0, NONE_HEARD, at_ms, joined=True)
    return _added(msgspec.structs.replace(state, sessions=kept), begun)


def served(state: FrameState, f_cnt: int) -> FrameState:
    """The network server's log says that it had this number before (a retransmission)."""
    for session in reversed(state.sessions):
        if session.newest < f_cnt:
            continue
        for hole in session.holes:
            if hole.first <= f_cnt <= hole.last:
                known = msgspec.structs.replace(hole, served=True)
                return _with(state, session, _replaced(session, hole, (known,)))
        return state
    return state


def leapt(state: FrameState, dev_addr: str, f_cnt: int) -> FrameState:
    """The frame f_cnt was a diagnosis that said: the counter leapt, no frame is lost before me."""
    for session in reversed(state.sessions):
        for hole in session.holes:
            if (session.dev_addr, hole.last + 1) == (dev_addr, f_cnt):
                known = msgspec.structs.replace(hole, leapt=True)
                return _with(state, session, _replaced(session, hole, (known,)))
    return state


def rejoined(
    state: FrameState, dev_addr: str, seqs: tuple[int, int], now_ms: int, *, leapt: bool
) -> FrameState:
    """The first frame of this session was a diagnosis, and by it the readings seqs (first and last)
    were taken before the join and not heard. leapt: some of the numbers may never have been used.
    """
    session = state.sessions[-1]
    before = [one for one in state.sessions[:-1] if one.newest != NONE_HEARD]
    if session.dev_addr != dev_addr or not before or any(h.first < 0 for h in session.holes):
        return state
    after_ms = min(before[-1].newest_ms, session.newest_ms)
    lost = Hole(
        JOINED, JOINED - 1, now_ms, after_ms, session.newest_ms,
        seq_first=seqs[0], seq_last=seqs[1], leapt=leapt,
    )  # fmt: skip
    return _with(state, session, msgspec.structs.replace(session, holes=(lost, *session.holes)))


def with_sequences(state: FrameState, device: DeviceState) -> FrameState:
    """Note which readings lie between the frames on both sides of each hole, while the identities
    of those frames are remembered."""
    for session in state.sessions:
        holes = tuple(_with_sequence(hole, session, device) for hole in session.holes)
        if holes != session.holes:
            state = _with(state, session, msgspec.structs.replace(session, holes=holes))
    return state


def named(state: FrameState, gaps: dict[tuple[str, int], int]) -> FrameState:
    """Holes, by address and first number, have become gaps."""
    sessions = []
    for session in state.sessions:
        holes = [
            msgspec.structs.replace(hole, gap=gaps.get((session.dev_addr, hole.first), hole.gap))
            for hole in session.holes
        ]
        declared = [hole for hole in holes if hole.gap]
        dropped = declared[: max(0, len(declared) - NAMED_HOLES_MAX)]
        left = tuple(hole for hole in holes if hole not in dropped)
        sessions.append(msgspec.structs.replace(session, holes=left))
    return msgspec.structs.replace(state, sessions=tuple(sessions))


def due_ms(state: FrameState, settle_ms: int) -> int | None:
    """When the first hole that is not declared has settled; None: there is none."""
    waiting = [
        hole.noticed_ms for session in state.sessions for hole in session.holes if not hole.gap
    ]
    return min(waiting) + settle_ms if waiting else None


# -- sessions


def _session_of(state: FrameState, dev_addr: str, f_cnt: int, heard_ms: int) -> Session | None:
    """The session that the frame belongs to; None: it begins one."""
    same = [session for session in state.sessions if session.dev_addr == dev_addr]
    for session in reversed(same):
        went_back = f_cnt <= session.newest
        if heard_ms < session.began_ms - RESTART_AFTER_MS:
            if f_cnt < session.first and session is same[0] and not session.joined:
                return session
            continue
        if went_back and heard_ms > session.newest_ms + RESTART_AFTER_MS:
            return None
        return session
    return None


def _begin(state: FrameState, dev_addr: str, f_cnt: int, heard_ms: int, now_ms: int) -> Session:
    before = [session for session in state.sessions if session.began_ms <= heard_ms]
    if not before:
        return Session(dev_addr, heard_ms, f_cnt, f_cnt, heard_ms)
    after_ms = min(heard_ms, before[-1].newest_ms)
    hole = Hole(0, f_cnt - 1, now_ms, after_ms, heard_ms)
    holes = (hole,) if f_cnt else ()
    return Session(dev_addr, heard_ms, 0, f_cnt, heard_ms, holes, joined=True)


def _added(state: FrameState, begun: Session) -> FrameState:
    sessions = list(state.sessions)
    insort(sessions, begun, key=lambda session: session.began_ms)
    return msgspec.structs.replace(state, sessions=tuple(sessions[-SESSIONS_MAX:]))


def _with(state: FrameState, old: Session, new: Session) -> FrameState:
    sessions = tuple([new if session is old else session for session in state.sessions])
    return FrameState(sessions, state.tenant_id, state.application_id, state.received_ms)


def _forward(session: Session, f_cnt: int, heard_ms: int, now_ms: int) -> Session:
    holes = session.holes
    if f_cnt > session.newest + 1:
        after_ms = min(session.newest_ms, heard_ms)
        holes += (Hole(session.newest + 1, f_cnt - 1, now_ms, after_ms, heard_ms),)
    newest_ms = max(session.newest_ms, heard_ms)
    return msgspec.structs.replace(session, newest=f_cnt, newest_ms=newest_ms, holes=holes)


def _back(session: Session, f_cnt: int, heard_ms: int, now_ms: int) -> Session:
    holes = session.holes
    if f_cnt < session.first - 1:
        before_ms = max(session.began_ms, heard_ms)
        holes = (Hole(f_cnt + 1, session.first - 1, now_ms, heard_ms, before_ms), *holes)
    began_ms = min(session.began_ms, heard_ms)
    return msgspec.structs.replace(session, first=f_cnt, began_ms=began_ms, holes=holes)


# -- holes


def _filled(session: Session, hole: Hole, f_cnt: int, heard_ms: int) -> Session:
    """What is left on both sides lies nearer in time, too; the readings between are not known."""
    change = msgspec.structs.replace
    left = change(hole, last=f_cnt - 1, before_ms=max(hole.after_ms, heard_ms))
    right = change(hole, first=f_cnt + 1, after_ms=min(hole.before_ms, heard_ms))
    rest = tuple(change(one, seq_first=-1, seq_last=-1) for one in (left, right))
    return _replaced(session, hole, tuple(one for one in rest if one.first <= one.last))


def _replaced(session: Session, old: Hole, new: tuple[Hole, ...]) -> Session:
    holes: list[Hole] = []
    for hole in session.holes:
        holes += new if hole is old else (hole,)
    return msgspec.structs.replace(session, holes=tuple(holes))


def _with_sequence(hole: Hole, session: Session, device: DeviceState) -> Hole:
    if hole.seq_first >= 0:
        return hole
    before = after = None
    for known in device.sessions:
        if known.dev_addr != session.dev_addr:
            continue
        before = next((a for a in reversed(known.anchors) if a.f_cnt < hole.first), before)
        after = next((a for a in known.anchors if a.f_cnt > hole.last), after)
    if before is None or after is None or {before.epoch, after.epoch} != {WHOLE_EPOCH}:
        return hole
    return msgspec.structs.replace(hole, seq_first=before.seq + 1, seq_last=after.seq)
