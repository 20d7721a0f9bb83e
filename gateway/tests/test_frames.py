# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Each frame number is heard, filled or lies in exactly one hole, whatever the radio does."""

from __future__ import annotations

import random
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_gateway.anchors import Anchor, pack
from revier_gateway.gaps import frames
from revier_gateway.gaps.frames import FrameState, Hole
from revier_gateway.identity import RESTART_AFTER_MS, DeviceState
from revier_gateway.identity import Session as Identified

ADDR, OTHER = "01020304", "0a0b0c0d"
MINUTE_MS = 60_000
Arrival = tuple[str, int, int]  # address, f_cnt, heard


def heard(
    state: FrameState, numbers: Iterable[int], addr: str = ADDR, at_ms: int = 0
) -> FrameState:
    for f_cnt in numbers:
        state = frames.hear(state, addr, f_cnt, at_ms + f_cnt * 1000, 0).state
    return state


def missing(state: FrameState) -> list[tuple[int, int]]:
    return [(hole.first, hole.last) for hole in state.holes]


def test_the_first_contact_misses_nothing_before_it() -> None:
    assert missing(heard(FrameState(), [4711, 4712])) == []


def test_a_hole_opens_splits_and_closes() -> None:
    state = heard(FrameState(), [1, 6])
    assert missing(state) == [(2, 5)]
    assert missing(heard(state, [3])) == [(2, 2), (4, 5)]
    assert missing(heard(state, [3, 2, 5, 4])) == []


def test_a_copy_changes_nothing() -> None:
    state = heard(FrameState(), [1, 2, 3])
    again = frames.hear(state, ADDR, 2, 3000, 0)
    assert (again.state, again.verdict) == (state, "copy")


def test_a_join_begins_at_zero() -> None:
    state = frames.join(heard(FrameState(), [7]), OTHER, 9000)
    assert missing(heard(state, [3], OTHER, 10_000)) == [(0, 2)]


def test_a_join_that_comes_late_leaves_a_newer_one_that_was_not_followed_yet() -> None:
    state = frames.join(heard(FrameState(), [7]), OTHER, 9000)
    late = frames.join(state, "00000001", 3000)
    assert [one.dev_addr for one in late.sessions] == ["00000001", ADDR, OTHER]
    assert missing(heard(late, [0], OTHER, 10_000)) == []


def test_a_lost_join_event_begins_at_zero_too() -> None:
    assert missing(heard(heard(FrameState(), [7]), [3], OTHER, 10_000)) == [(0, 2)]


def test_a_join_that_the_device_never_heard_says_nothing() -> None:
    state = heard(FrameState(), [7])
    for n in range(20):
        state = frames.join(state, f"{n:08x}", 8000 + n)
    assert missing(heard(state, [8, 9])) == []
    assert len(state.sessions) <= frames.SESSIONS_MAX


def test_a_join_event_after_its_first_frames() -> None:
    state = heard(heard(FrameState(), [7]), [0, 1], OTHER, 10_000)
    assert missing(frames.join(state, OTHER, 9_500)) == []
    assert len(frames.join(state, OTHER, 9_500).sessions) == 2


def test_a_counter_that_begins_again() -> None:
    state = heard(FrameState(), range(500))
    state = frames.hear(state, ADDR, 2, 500_000 + 2 * MINUTE_MS, 0).state
    assert missing(state) == [(0, 1)]
    assert [session.newest for session in state.sessions] == [499, 2]
    late = frames.hear(state, ADDR, 498, 498_000, 0)
    assert late.verdict == "copy"


def test_32_bits() -> None:
    top = 2**32 - 1
    assert missing(heard(FrameState(), [65_534, 65_537])) == [(65_535, 65_536)]
    assert missing(heard(FrameState(), [top - 2, top])) == [(top - 1, top - 1)]


def test_history_out_of_a_log_reaches_further_back() -> None:
    state = heard(FrameState(), [51, 52])
    assert missing(heard(state, [41, 43, 50])) == [(42, 42), (44, 49)]
    older = frames.hear(state, OTHER, 900, 51_000 - 10 * MINUTE_MS, 0).state
    assert missing(older) == []
    assert [session.dev_addr for session in older.sessions] == [OTHER, ADDR]


def test_a_late_frame_says_which_gap_it_fills() -> None:
    state = frames.named(heard(FrameState(), [1, 5]), {(ADDR, 2): 77})
    found = frames.hear(state, ADDR, 3, 3000, 0)
    assert (found.verdict, found.gap) == ("filled", 77)
    assert {hole.gap for hole in found.state.holes} == {77}


def test_named_holes_have_a_limit() -> None:
    last = 2 * frames.NAMED_HOLES_MAX + 2
    state = heard(FrameState(), range(0, last + 1, 2))
    assert len(state.holes) == last // 2  # what is not yet named is never forgotten
    named = frames.named(state, {(ADDR, hole.first): hole.first for hole in state.holes})
    assert len(named.holes) == frames.NAMED_HOLES_MAX
    assert named.holes[-1] == msgspec.structs.replace(state.holes[-1], gap=last - 1)


def test_it_is_due_when_it_has_settled() -> None:
    state = frames.hear(heard(FrameState(), [1]), ADDR, 5, 5000, now_ms=6000).state
    assert frames.due_ms(state, 30_000) == 36_000
    assert frames.due_ms(frames.named(state, {(ADDR, 2): 1}), 30_000) is None


def test_what_the_node_and_the_network_server_say() -> None:
    state = heard(FrameState(), [1, 5, 9])
    assert [hole.leapt for hole in frames.leapt(state, ADDR, 5).holes] == [True, False]
    assert [hole.served for hole in frames.served(state, 7).holes] == [False, True]
    assert frames.served(state, 4000) == state


def anchors(*pairs: tuple[int, int, str]) -> DeviceState:
    made = [Anchor(f_cnt, seq, epoch, 0, n) for n, (f_cnt, seq, epoch) in enumerate(pairs)]
    records, epochs = pack(made)
    return DeviceState((Identified(ADDR, 9, 9000, records, len(made), epochs),))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (anchors((1, 100, "0"), (5, 103, "0")), (101, 103)),
        (anchors((1, 100, "0"), (5, 100, "0")), (101, 100)),  # no reading was in them
        (anchors((1, 100, "0"), (5, 3, "e")), (-1, -1)),
        (anchors((5, 103, "0")), (-1, -1)),
        (DeviceState(), (-1, -1)),
    ],
)
def test_readings_between_two_frames(known: DeviceState, expected: tuple[int, int]) -> None:
    (hole,) = frames.with_sequences(heard(FrameState(), [1, 5]), known).holes
    assert (hole.seq_first, hole.seq_last) == expected


def test_a_frame_of_an_earlier_count_fills_no_hole_of_the_later_one() -> None:
    """The counter began again (ABP), and a log tells later what was heard before that."""
    state = heard(FrameState(), [0, 2], at_ms=2_000_000)
    assert [(hole.first, hole.last) for hole in state.holes] == [(1, 1)]
    late = frames.hear(state, ADDR, 1, 1_000_000, 3_000_000)
    assert late.verdict == "new"
    assert [(hole.first, hole.last) for hole in late.state.holes] == [(1, 1)]


class Device:
    """What really was sent, and what became of it: an air that loses, repeats and reorders."""

    def __init__(self, seed: int, loss: float) -> None:
        self.rng = random.Random(seed)
        self.loss = loss
        self.now_ms = 1_000_000
        self.addr, self.f_cnt = "00000001", 0
        self.arrivals: list[tuple[int, Arrival | str]] = []
        self.lost: list[Arrival] = []

    def arrive(self, what: Arrival | str) -> None:
        self.arrivals.append((self.now_ms + self.rng.randrange(3000), what))

    def frame(self) -> None:
        self.now_ms += self.rng.randrange(1500, 900_000)
        sent = (self.addr, self.f_cnt, self.now_ms)
        self.f_cnt += 1
        if self.rng.random() < self.loss:
            self.lost.append(sent)
        else:
            self.arrive(sent)
            if self.rng.random() < 0.2:
                self.arrive(sent)  # the same uplink a second time

    def join(self) -> None:
        self.now_ms += self.rng.randrange(10_000, 900_000)
        fresh = f"{self.rng.getrandbits(32):08x}"
        if self.rng.random() < 0.7:
            self.arrive(fresh)
        if self.rng.random() < 0.8:  # it heard the accept
            self.addr, self.f_cnt = fresh, 0

    def reset(self) -> None:
        self.now_ms += 200_000
        self.f_cnt = 0

    def leap(self) -> None:
        self.f_cnt += self.rng.randrange(1, 300)


def take(state: FrameState, arrivals: list[tuple[int, Arrival | str]]) -> FrameState:
    for at_ms, what in sorted(arrivals, key=lambda one: one[0]):
        if isinstance(what, str):
            state = frames.join(state, what, at_ms)
        else:
            state = frames.hear(state, *what, now_ms=at_ms).state
    return state


def check(state: FrameState, arrivals: list[tuple[int, Arrival | str]]) -> None:
    """Every number is heard or in one hole; never both, never neither."""
    for number, session in enumerate(state.sessions):
        later = [one.began_ms for one in state.sessions[number + 1 :]
                 if one.dev_addr == session.dev_addr]  # fmt: skip
        until_ms = min(later, default=2**62)
        got = {
            what[1]
            for _, what in arrivals
            if not isinstance(what, str)
            and what[0] == session.dev_addr
            and session.began_ms <= what[2] + RESTART_AFTER_MS < until_ms
        }
        absent = [n for hole in session.holes for n in range(hole.first, hole.last + 1)]
        assert len(absent) == len(set(absent))
        assert not got & set(absent)
        assert got | set(absent) == set(range(session.first, session.newest + 1))
        assert list(session.holes) == sorted(session.holes, key=lambda hole: hole.first)


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(("frame",) * 12 + ("join", "reset", "leap")), min_size=1, max_size=80),
    st.integers(0, 2**32),
    st.floats(0, 0.6),
)
def test_each_number_is_heard_or_in_one_hole(steps: list[str], seed: int, loss: float) -> None:
    device = Device(seed, loss)
    for step in steps:
        getattr(device, step)()
    state = take(FrameState(), device.arrivals)
    check(state, device.arrivals)
    if 1 + steps.count("join") + steps.count("reset") > frames.SESSIONS_MAX:
        return  # what a log tells of a session that is forgotten is told to another
    found = device.rng.sample(device.lost, len(device.lost) // 2)
    log = [(device.now_ms, sent) for sent in sorted(found, key=lambda sent: sent[2])]
    check(take(state, log), [*device.arrivals, *log])


def test_a_hole_survives_the_disk() -> None:
    state = heard(FrameState(tenant_id="t"), [1, 5])
    packed = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(packed, type=FrameState) == state
    assert isinstance(state.holes[0], Hole)
