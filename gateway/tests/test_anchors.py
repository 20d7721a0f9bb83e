# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Packed, the frames that are remembered say what they said as objects."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from revier_gateway.anchors import ANCHORS_MAX, Anchor, add_newest, newest, pack, unpack
from revier_gateway.identity import DeviceState, Frame, Identity, identify, learn

U32 = st.integers(0, 2**32 - 1)
ANCHORS = st.builds(
    Anchor,
    f_cnt=U32,
    seq=st.integers(-1, 2**32 - 1),
    epoch=st.sampled_from(["0", "0a0b0c0d-7-1", "ff-1-2"]),
    content=st.integers(-2, 2**32 - 1),
    order=U32,
)


@given(st.lists(ANCHORS, max_size=ANCHORS_MAX))
def test_what_is_packed_is_unpacked(anchors: list[Anchor]) -> None:
    records, epochs = pack(anchors)
    assert list(unpack(records, epochs)) == anchors
    last = (anchors[-1].f_cnt, anchors[-1].seq, anchors[-1].epoch == "0") if anchors else None
    assert newest(records) == last


@given(st.lists(ANCHORS, max_size=2 * ANCHORS_MAX))
def test_the_oldest_goes_when_there_are_too_many(anchors: list[Anchor]) -> None:
    records, epochs = pack([])
    for anchor in anchors:
        records, epochs = add_newest(records, epochs, anchor)
    assert list(unpack(records, epochs)) == anchors[-ANCHORS_MAX:]
    assert len(epochs) <= 2


def test_what_a_version_before_wrote_is_read_and_goes_on() -> None:
    old = ["0a0b0c0d", 9, 9000, [[8, 100, "0", -1, 1], [9, 3, "e", 77, 2]], 2]
    written = msgspec.msgpack.encode([[old], 1, 100])
    state = msgspec.msgpack.decode(written, type=DeviceState)
    assert state.sessions[0].anchors == (Anchor(8, 100, "0", -1, 1), Anchor(9, 3, "e", 77, 2))
    again, _ = identify(state, Frame("0a0b0c0d", 9, 9000, 77), 3, 4)
    assert again == Identity(3, "e")
    known = learn(state, Frame("0a0b0c0d", 10, 10_000), 103)
    assert [anchor.seq for anchor in known.sessions[0].anchors] == [100, 3, 102]
    after, _ = identify(known, Frame("0a0b0c0d", 11, 11_000, 5), 103 & 15, 4)
    assert after == Identity(103, "0")
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(known), type=DeviceState)
    assert stored == known


def test_the_usual_frame_after_what_a_version_before_wrote_keeps_the_names_of_epochs() -> None:
    old = ["0a0b0c0d", 9, 9000, [[8, 3, "e", 77, 1], [9, 100, "0", -1, 2]], 2]
    state = msgspec.msgpack.decode(msgspec.msgpack.encode([[old], 1, 100]), type=DeviceState)
    found, after = identify(state, Frame("0a0b0c0d", 10, 10_000, 5), 101 & 15, 4)
    assert found == Identity(101, "0")
    expected = (Anchor(8, 3, "e", 77, 1), Anchor(9, 100, "0", -1, 2), Anchor(10, 101, "0", 5, 3))
    assert after.sessions[0].anchors == expected
