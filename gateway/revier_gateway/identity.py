# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which reading is it? From the few low bits in a frame to an identity that never repeats.

A node counts its readings in one 32-bit sequence that survives rejoin and power loss; it may skip,
never repeat. Frames carry its low bits (4 to 9), a diagnosis the whole of it. The receiver widens:

* The frame counter f_cnt says how many frames lie between two frames of one session. Between them
  the sequence advances by at most that: a frame carries at most one new reading, a reading that is
  not sent takes a number of f_cnt along, and a power cut skips no fewer frames than readings
  (firmware/revier_node/store.py). A reading that goes out again may put a few out of order. As long
  as this is less than the low bits' span, exactly one sequence fits.
* Anything else (too many frames lost, a new session whose diagnosis was lost) is ambiguous. Then an
  epoch is opened: the low bits count from there under a name that no other epoch has, rather than a
  guess that could give two readings one identity.
* Epoch "0" is the node's own sequence: known whole, by a diagnosis or by counting on from one, or
  because the frame carries it whole: batches and backfills do.
* A node that sends batches may have put as many readings into any frame that was lost. It says so
  in the status of its diagnosis, which it repeats until it is answered, before it begins.

Everything here is a function of its arguments: no clock, no storage.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

import msgspec

from revier_gateway import anchors as remembered
from revier_gateway.anchors import (
    Anchor,
    Packed,
    add_newest,
    add_records,
    newest,
    pack,
    record_of_whole,
    unpack,
)

WHOLE = remembered.WHOLE
ANCHORS_MAX = remembered.ANCHORS_MAX

SEQ_MAX = 0xFFFF_FFFF
NO_CONTENT = -1
OF_A_BATCH = -2  # a reading's content is not known in the bytes in which it is sent alone
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:revier:reading")
_NAMESPACE = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)  # copied for each: half the time
_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))

UNSENT_MAX = 3  # later readings than one that goes out again, which may be all that was heard
SESSIONS_MAX = 3  # ChirpStack does not promise order: late frames of the session before
# A frame counter that went back is a late event if it was heard before the newest frame, and a
# restarted counter (ABP, or a join that got the same address) if it was heard this much after.
RESTART_AFTER_MS = 60_000


class Session(msgspec.Struct, frozen=True, array_like=True, gc=False):
    dev_addr: str
    newest_f_cnt: int
    newest_ms: int
    kept: bytes | list[Anchor] = b""  # anchors.py; a list: as versions before wrote it
    arrivals: int = 0  # the newest anchor's order
    epochs: tuple[str, ...] = ()  # of what is kept

    @property
    def packed(self) -> Packed:
        return (self.kept, self.epochs) if isinstance(self.kept, bytes) else pack(self.kept)

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """By f_cnt."""
        return unpack(*self.packed)


class DeviceState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of one device; sessions as they were heard last, the newest at the end."""

    sessions: tuple[Session, ...] = ()
    per_frame: int = 1  # new readings in one frame, at most, as far as was heard
    newest_seq: int = -1  # no reading beyond it was ever known by its whole sequence


class Frame(msgspec.Struct, frozen=True, gc=False):
    dev_addr: str
    f_cnt: int
    heard_ms: int
    content: int = NO_CONTENT


class Identity(msgspec.Struct, frozen=True, gc=False):
    """seq is the node's own sequence in epoch "0", and counts from low bits in any other."""

    seq: int
    epoch: str


def reading_id(dev_eui: str, kind: str, identity: Identity) -> str:
    """UUIDv5 of device, kind, epoch and sequence (RFC 9562 5.5); 2 us less than uuid.uuid5."""
    name = f"{dev_eui}/{kind}/{identity.epoch}/{identity.seq}"
    hashed = _NAMESPACE.copy()
    hashed.update(name.encode())
    digest = hashed.hexdigest()
    variant = _VARIANTS[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def identify(
    state: DeviceState, frame: Frame, seq_low: int, seq_bits: int
) -> tuple[Identity, DeviceState]:
    """The identity of the reading in this frame, and what to remember."""
    assert 0 <= seq_low < 1 << seq_bits
    seq = _next_seq(state, frame, seq_low, seq_bits)
    if seq is not None:
        step = (frame.f_cnt, frame.heard_ms, seq, frame.content)
        return Identity(seq, WHOLE), carry_on(state, [step])
    session = session_of(state, frame)
    identity = widen(session.anchors, frame, seq_low, seq_bits, state.per_frame)
    if identity is None:
        again = _sent_before(session.anchors, frame, seq_low, seq_bits, state.per_frame)
        if again is not None:
            return again, _remember(state, session, frame, None)
    if identity is None or (
        is_known(state, identity) and _is_taken(state, identity, frame.content)
    ):
        identity = Identity(seq_low, f"{frame.dev_addr}-{frame.f_cnt}-{frame.heard_ms // 1000}")
    return identity, _remember(state, session, frame, identity)


def follows(state: DeviceState, frame: Frame) -> bool:
    """It counts on in the session that was heard last, and later than all that was heard: no copy
    of it can have come."""
    if not state.sessions:
        return False
    last = state.sessions[-1]
    return (
        last.dev_addr == frame.dev_addr
        and -1 < last.newest_f_cnt < frame.f_cnt
        and frame.heard_ms > last.newest_ms
    )


Step = tuple[int, int, int, int]  # f_cnt, heard_ms, seq, content


def carry_on(state: DeviceState, steps: Sequence[Step]) -> DeviceState:
    """Frames, one or more, that follow, each with the next reading, known by its whole sequence."""
    *before, last = state.sessions
    records, epochs = last.packed
    order, newest_ms, added = last.arrivals, last.newest_ms, b""
    for f_cnt, heard_ms, seq, content in steps:
        order += 1
        added += record_of_whole(f_cnt, seq, content, order)
        newest_ms = max(newest_ms, heard_ms)
    f_cnt, _, seq, _ = steps[-1]
    kept = add_records(records, added)
    renewed = Session(last.dev_addr, f_cnt, newest_ms, kept, order, epochs)
    return DeviceState((*before, renewed), state.per_frame, seq)


def newest_whole(state: DeviceState) -> tuple[int, int] | None:
    """f_cnt and sequence of the newest reading, where that is known whole and ends the session that
    was heard last: then the next frame can be a usual one."""
    if not state.sessions:
        return None
    last = newest(state.sessions[-1].packed[0])
    if last is None or not last[2] or last[1] != state.newest_seq:
        return None
    return last[:2]


def _next_seq(state: DeviceState, frame: Frame, seq_low: int, seq_bits: int) -> int | None:
    """widen for the usual frame, at a third of its time: it follows, and so does its sequence that
    of the last one. None: it is another."""
    if not follows(state, frame):
        return None
    last = newest(state.sessions[-1].packed[0])
    if last is None or last[0] >= frame.f_cnt or not last[2]:
        return None
    seq = next_seq(last[1], seq_low, seq_bits, frame.f_cnt - last[0], state.per_frame)
    return None if seq is None or seq <= state.newest_seq else seq


def next_seq(seq: int, seq_low: int, seq_bits: int, frames: int, per_frame: int) -> int | None:
    """The sequence with these low bits that so many frames can have brought since seq."""
    span = 1 << seq_bits
    advance = (seq_low - seq) % span
    found = seq + advance
    if advance == 0 or not 0 <= found <= SEQ_MAX:
        return None
    return found if _fits(advance, frames, span, per_frame) else None


def learn(state: DeviceState, frame: Frame, next_seq: int, per_frame: int = 1) -> DeviceState:
    """A diagnosis said which sequence the next reading will carry, and how many a frame may."""
    bare = msgspec.structs.replace(frame, content=NO_CONTENT)
    after = _remember(state, session_of(state, bare), bare, Identity(next_seq - 1, WHOLE))
    return msgspec.structs.replace(after, per_frame=per_frame)


def learn_batch(state: DeviceState, frame: Frame, first_seq: int, count: int) -> DeviceState:
    """A frame carried `count` new readings with their whole sequence."""
    bare = msgspec.structs.replace(frame, content=OF_A_BATCH)
    newest = Identity(first_seq + count - 1, WHOLE)
    after = _remember(state, session_of(state, bare), bare, newest)
    return msgspec.structs.replace(after, per_frame=max(after.per_frame, count))


def learn_backfill(state: DeviceState, newest_seq: int) -> DeviceState:
    """Readings out of the node's memory, up to newest_seq; they tell nothing of the frames."""
    if newest_seq <= state.newest_seq:
        return state
    return msgspec.structs.replace(state, newest_seq=newest_seq)


def is_ahead(state: DeviceState, frame: Frame) -> bool:
    """No frame of its session with this counter, or a later one, was ever entered.

    A session that was forgotten (SESSIONS_MAX) may come back out of ChirpStack's event log, so
    whatever is not the newest is looked for.
    """
    session = session_of(state, frame)
    counts_on = -1 < session.newest_f_cnt < frame.f_cnt
    return counts_on and frame.heard_ms > state.sessions[-1].newest_ms


def is_known(state: DeviceState, identity: Identity) -> bool:
    """Can a reading of this identity have come before? Where not, nobody need look."""
    return identity.epoch != WHOLE or identity.seq <= state.newest_seq


def is_new(state: DeviceState, identity: Identity) -> bool:
    """The next reading of the node's own sequence, as far as that has 32 bits."""
    return identity.epoch == WHOLE and state.newest_seq < identity.seq <= SEQ_MAX


def session_of(state: DeviceState, frame: Frame) -> Session:
    """The session that the frame belongs to; a new one where none fits."""
    if state.sessions:
        last = state.sessions[-1]
        if last.dev_addr == frame.dev_addr and last.newest_f_cnt < frame.f_cnt:
            return last
    for session in state.sessions[::-1]:
        if session.dev_addr != frame.dev_addr:
            continue
        went_back = frame.f_cnt <= session.newest_f_cnt
        if went_back and frame.heard_ms > session.newest_ms + RESTART_AFTER_MS:
            break
        return session
    return Session(frame.dev_addr, -1, frame.heard_ms)


def widen(
    anchors: tuple[Anchor, ...], frame: Frame, seq_low: int, seq_bits: int, per_frame: int = 1
) -> Identity | None:
    """The only sequence that fits the low bits, or None where none or several do.

    Asked in turn: the same frame; the nearest frame before it; the nearest after it.
    """
    span = 1 << seq_bits
    for anchor in anchors:
        if anchor.f_cnt == frame.f_cnt:
            same = anchor.content == frame.content and (anchor.seq - seq_low) % span == 0
            return Identity(anchor.seq, anchor.epoch) if same else None
    after = [anchor for anchor in anchors if anchor.f_cnt > frame.f_cnt]
    start = _nearest_before(anchors, frame.f_cnt)
    if start is not None:
        advance = (seq_low - start.seq) % span
        if _fits(advance, frame.f_cnt - start.f_cnt, span, per_frame):
            return _in_order(Identity(start.seq + advance, start.epoch), after)
    for anchor in after[:1]:
        retreat = (anchor.seq - seq_low) % span
        if _fits(retreat, anchor.f_cnt - frame.f_cnt, span, per_frame):
            return _in_order(Identity(anchor.seq - retreat, anchor.epoch), after)
    return None


def _sent_before(
    anchors: tuple[Anchor, ...], frame: Frame, seq_low: int, seq_bits: int, per_frame: int
) -> Identity | None:
    """An alarm or an event goes out again when later readings have been sent: the same bytes, and
    so few frames later that its low bits cannot have come round."""
    span = 1 << seq_bits
    for anchor in reversed(anchors):
        same = anchor.content in (frame.content, OF_A_BATCH)
        if same and anchor.f_cnt < frame.f_cnt and (anchor.seq - seq_low) % span == 0:
            distance = frame.f_cnt - anchor.f_cnt
            if _fits(0, distance, span, per_frame):
                return Identity(anchor.seq, anchor.epoch)
    return None


def _nearest_before(anchors: tuple[Anchor, ...], f_cnt: int) -> Anchor | None:
    """Or, where that one only counts in an epoch, a whole one that came to be known later: a
    diagnosis that was overtaken by the first readings after it. A whole one that was known when the
    epoch was opened does not count: something lies between that it could not explain."""
    before = [anchor for anchor in anchors if anchor.f_cnt < f_cnt]
    if not before:
        return None
    nearest = before[-1]
    whole = [anchor for anchor in before if anchor.epoch == WHOLE]
    if whole and whole[-1].order > nearest.order:
        return whole[-1]
    return nearest


def _fits(advance: int, frames: int, span: int, per_frame: int) -> bool:
    """Can the sequence have moved this far, and could it not have moved once round?"""
    waiting = per_frame if per_frame > 1 else 0  # taken, and not yet in a batch
    advance_max = frames * per_frame + waiting + UNSENT_MAX
    return advance <= advance_max < span


def _in_order(found: Identity, after: list[Anchor]) -> Identity | None:
    """A sequence does not begin below zero, nor does it overtake a later frame's."""
    later = [anchor.seq for anchor in after if anchor.epoch == found.epoch]
    return found if found.seq >= 0 and (not later or found.seq <= later[0]) else None


def _is_taken(state: DeviceState, identity: Identity, content: int) -> bool:
    """Another reading has this identity: after a power cut the low bits may come round to it. The
    same reading in another frame has the same content."""
    contents = [
        anchor.content
        for session in state.sessions
        for anchor in session.anchors
        if anchor.seq == identity.seq and anchor.epoch == identity.epoch
    ]
    return bool(contents) and content not in contents and OF_A_BATCH not in contents


def _remember(
    state: DeviceState, session: Session, frame: Frame, identity: Identity | None
) -> DeviceState:
    """identity: None where the frame says nothing new about the sequence."""
    anchors, epochs = session.packed
    if identity is not None:
        anchors, epochs = _anchored(session, frame, identity)
    renewed = Session(
        session.dev_addr,
        max(session.newest_f_cnt, frame.f_cnt),
        max(session.newest_ms, frame.heard_ms),
        anchors,
        session.arrivals + 1,
        epochs,
    )
    newest_seq = state.newest_seq
    if identity is not None and identity.epoch == WHOLE and identity.seq > newest_seq:
        newest_seq = identity.seq
    # One that was forgotten and comes out of a log stays before those that go on, or it would drive
    # one of them out.
    others = [old for old in state.sessions if old is not session]
    kept = sorted([*others, renewed], key=lambda one: one.newest_ms)[-SESSIONS_MAX:]
    return DeviceState(tuple(kept), state.per_frame, newest_seq)


def _anchored(session: Session, frame: Frame, identity: Identity) -> Packed:
    order = session.arrivals + 1
    new = Anchor(frame.f_cnt, identity.seq, identity.epoch, frame.content, order)
    records, epochs = session.packed
    last = newest(records)
    if last is None or last[0] < frame.f_cnt:
        return add_newest(records, epochs, new)
    anchors = session.anchors
    for old in anchors:
        if (old.f_cnt, old.content) == (new.f_cnt, new.content):
            new = old
    others = [anchor for anchor in anchors if anchor.f_cnt != frame.f_cnt]
    return pack(sorted((*others, new), key=lambda anchor: anchor.f_cnt)[-ANCHORS_MAX:])
