# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Did this frame, or this reading, come before? Usual frames are known by what is kept of them
(usual_frame.py), all others and their readings by keys that are check sums."""

from __future__ import annotations

import hashlib

from revier_gateway import identity
from revier_gateway.decode import Reading
from revier_gateway.outcomes import Ignored, Refused
from revier_gateway.uplink import Uplink
from revier_gateway.work import Work

# The same frame again within this time is a copy; later it is a counter that restarted.
COPY_WITHIN_MS = 3_600_000
# A reading sent alone is heard so soon after it was measured; node clocks err by less.
ALONE_WITHIN_MS = 60_000


def no_copy(up: Uplink, frame: identity.Frame, state: identity.DeviceState, work: Work) -> None:
    """Raises Ignored where the same frame came before."""
    if state == identity.DeviceState() or identity.is_ahead(state, frame):
        return
    seen, like = work.seen_before(frame_key(up)), (int(up.dev_addr, 16), up.f_cnt, frame.content)
    before_ms = None if seen is None else seen[0]
    if before_ms is None or abs(frame.heard_ms - before_ms) > COPY_WITHIN_MS:
        before_ms = work.frame_before(up.dev_eui, like, frame.heard_ms - COPY_WITHIN_MS)
    if before_ms is not None and abs(frame.heard_ms - before_ms) <= COPY_WITHIN_MS:
        raise Ignored("duplicate_frame", f"{up.dev_eui} fCnt {up.f_cnt}")


def frame_key(up: Uplink) -> bytes:
    """It has no deduplicationId: that is random per handled set, so a late copy of a frame comes
    under a new one."""
    text = f"{up.dev_eui}/{up.dev_addr}/{up.f_cnt}/{up.f_port}/".encode()
    return hashlib.blake2b(text + up.data, digest_size=16).digest()


def keys_of(
    reading: Reading,
    which: identity.Identity,
    reading_id: str,
    frame: identity.Frame,
    state: identity.DeviceState,
    work: Work,
) -> list[bytes]:
    """Of a frame that is not a usual one; raises Ignored where its reading is known. Then the frame
    is remembered: when its session is forgotten, nothing else tells that it came."""
    up = reading.uplink
    keys = [frame_key(up), key_of(reading_id)]
    try:
        if identity.is_known(state, which):
            no_repetition(reading, which, reading_id, frame.content, work)
        if which.epoch != identity.WHOLE:
            low = low_key(up.dev_eui, reading.kind, reading.seq_low, reading.seq_bits)
            not_known_by_low_bits(low, frame.heard_ms, frame.content, work)
            keys.append(low)
    except Ignored:
        work.seen[keys[0]] = (frame.heard_ms, frame.content)
        raise
    return keys


def no_repetition(
    reading: Reading, which: identity.Identity, reading_id: str, content: int, work: Work
) -> bytes:
    """The reading's key; raises Ignored where the same reading came in another frame.

    A batch is coarser than the reading alone: then the whole sequence has to do without the
    content's word.
    """
    key = key_of(reading_id)
    before = work.seen_before(key)
    if before is None and which.epoch == identity.WHOLE:
        before = work.reading_before(reading.uplink.dev_eui, reading.kind, which.seq)
    if before is not None and (before[1] == content or identity.OF_A_BATCH in (before[1], content)):
        raise Ignored("duplicate_reading", reading_id)
    if before is not None:
        raise Refused("identity_clash", reading_id)
    return key


def key_of(reading_id: str) -> bytes:
    return bytes.fromhex(reading_id.replace("-", ""))


def low_key(dev_eui: str, kind: str, seq_low: int, seq_bits: int) -> bytes:
    """Under this key a reading whose frame cannot tell its whole sequence, and one that names it
    whole, find each other."""
    text = f"{dev_eui}/{kind}/{seq_bits}/{seq_low & ((1 << seq_bits) - 1)}/low"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def not_known_by_low_bits(key: bytes, t_ms: int, content: int, work: Work) -> None:
    """Raises Ignored where the reading is known already, in an epoch or with its whole sequence.

    Its low bits cannot come round within a minute, save by power cuts; those do not make the same
    bytes.
    """
    before = work.seen_before(key)
    if before is None or not -ALONE_WITHIN_MS < before[0] - t_ms < ALONE_WITHIN_MS:
        return
    if before[1] == content or identity.OF_A_BATCH in (before[1], content):
        raise Ignored("duplicate_reading", "known by its low bits and its time")
