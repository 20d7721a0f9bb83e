# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Two readings never share an identity; one reading keeps its own. Whatever the air does."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_gateway.identity import (
    ANCHORS_MAX,
    NAMESPACE,
    RESTART_AFTER_MS,
    SESSIONS_MAX,
    UNSENT_MAX,
    WHOLE,
    DeviceState,
    Frame,
    Identity,
    follows,
    identify,
    is_ahead,
    learn,
    reading_id,
)

PARKING_BITS, WASTE_BITS, AIR_BITS = 4, 7, 9


def frame(
    f_cnt: int, dev_addr: str = "01020304", at_s: int | None = None, content: int | None = None
) -> Frame:
    content = f_cnt if content is None else content
    return Frame(dev_addr, f_cnt, (f_cnt * 60 if at_s is None else at_s) * 1000, content)


def low(seq: int, bits: int) -> int:
    return seq & ((1 << bits) - 1)


def known(next_seq: int = 1000, f_cnt: int = 0) -> DeviceState:
    return learn(DeviceState(), frame(f_cnt), next_seq)


def test_the_id_is_uuid5_of_device_kind_epoch_and_sequence() -> None:
    expected = uuid.uuid5(NAMESPACE, "70b3d57ed0000001/air/0/4711")
    assert reading_id("70b3d57ed0000001", "air", Identity(4711, WHOLE)) == str(expected)


@given(st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(0, 2**32 - 1))
def test_the_id_is_always_uuid5(dev_eui: str, seq: int) -> None:
    expected = uuid.uuid5(NAMESPACE, f"{dev_eui}/waste/e/{seq}")
    assert reading_id(dev_eui, "waste", Identity(seq, "e")) == str(expected)


@pytest.mark.parametrize("bits", [PARKING_BITS, WASTE_BITS, AIR_BITS])
def test_counting_on_from_a_diagnosis_far_beyond_the_low_bits(bits: int) -> None:
    state = known(1000)
    for step in range(3 << bits):
        identity, state = identify(state, frame(1 + step), low(1000 + step, bits), bits)
        assert identity == Identity(1000 + step, WHOLE)


@pytest.mark.parametrize("bits", [PARKING_BITS, WASTE_BITS, AIR_BITS])
def test_lost_frames_up_to_the_limit_and_one_past_it(bits: int) -> None:
    _, state = identify(known(1000), frame(1), low(1000, bits), bits)
    lost_max = (1 << bits) - UNSENT_MAX - 1  # frames from one heard to the next
    identity, _ = identify(state, frame(1 + lost_max), low(1000 + lost_max, bits), bits)
    assert identity == Identity(1000 + lost_max, WHOLE)
    past = lost_max + 1
    identity, _ = identify(state, frame(1 + past), low(1000 + past, bits), bits)
    assert identity.epoch != WHOLE


def test_readings_that_were_never_sent_up_to_the_limit_and_one_past_it() -> None:
    _, state = identify(known(1000), frame(1), low(1000, WASTE_BITS), WASTE_BITS)
    for unsent, certain in ((UNSENT_MAX, True), (UNSENT_MAX + 1, False)):
        seq = 1001 + unsent
        identity, _ = identify(state, frame(2), low(seq, WASTE_BITS), WASTE_BITS)
        assert (identity == Identity(seq, WHOLE)) is certain


def test_the_same_reading_in_another_frame_keeps_its_identity() -> None:
    first, state = identify(known(1000), frame(1, content=7), low(1000, 4), 4)
    again, state = identify(state, frame(2, content=7), low(1000, 4), 4)
    after, _ = identify(state, frame(3, content=8), low(1001, 4), 4)
    assert (first.seq, again.seq, after.seq) == (1000, 1000, 1001)


def test_the_same_reading_again_after_a_join_keeps_its_identity() -> None:
    first, state = identify(known(1000), frame(1, content=7), low(1000, 4), 4)
    state = learn(state, frame(0, "0a0b0c0d", 9000, content=-1), 1001)
    again, _ = identify(state, frame(1, "0a0b0c0d", 9060, content=7), low(1000, 4), 4)
    assert again == first


def test_low_bits_that_came_round_after_a_power_cut_are_not_the_same_reading() -> None:
    _, state = identify(known(1000), frame(1, content=7), low(1000, 4), 4)
    other, _ = identify(state, frame(2, content=8), low(1016, 4), 4)
    assert other.epoch != WHOLE


def test_frames_without_a_reading_between_readings() -> None:
    _, state = identify(known(1000), frame(1), low(1000, 4), 4)
    identity, _ = identify(state, frame(9), low(1001, 4), 4)
    assert identity == Identity(1001, WHOLE)


def test_a_late_frame_gets_what_it_would_have_had_in_time() -> None:
    _, state = identify(known(1000), frame(1), low(1000, 4), 4)
    _, state = identify(state, frame(3), low(1002, 4), 4)
    late, state = identify(state, frame(2), low(1001, 4), 4)
    after, _ = identify(state, frame(4), low(1003, 4), 4)
    assert (late.seq, after.seq) == (1001, 1003)


def test_a_frame_from_before_the_first_that_was_heard() -> None:
    first, state = identify(DeviceState(), frame(8), low(1007, 7), 7)
    before, _ = identify(state, frame(7), low(1006, 7), 7)
    assert (before.epoch, first.seq - before.seq) == (first.epoch, 1)


def test_a_new_session_without_its_diagnosis_opens_an_epoch_and_a_diagnosis_ends_it() -> None:
    _, state = identify(known(1000), frame(1), low(1000, 7), 7)
    opened, state = identify(state, frame(1, "0a0b0c0d", 9000), low(1007, 7), 7)
    assert opened.epoch not in (WHOLE, "")
    goes_on, state = identify(state, frame(2, "0a0b0c0d", 9060), low(1008, 7), 7)
    assert goes_on.epoch == opened.epoch
    state = learn(state, frame(3, "0a0b0c0d", 9120), 1009)
    whole, _ = identify(state, frame(4, "0a0b0c0d", 9180), low(1009, 7), 7)
    assert whole == Identity(1009, WHOLE)


def test_a_diagnosis_that_comes_after_its_reading_serves_the_next_and_never_renames() -> None:
    reading = (frame(1, at_s=60), low(1000, 7), 7)
    early, state = identify(DeviceState(), *reading)
    state = learn(state, frame(0, at_s=0), 1000)
    again, state = identify(state, *reading)
    after, _ = identify(state, frame(2, at_s=120), low(1001, 7), 7)
    assert again == early
    assert after == Identity(1001, WHOLE)


def test_a_late_frame_of_the_session_before() -> None:
    _, state = identify(known(1000), frame(1), low(1000, 4), 4)
    _, state = identify(state, frame(3), low(1002, 4), 4)
    state = learn(state, frame(0, "0a0b0c0d", 9000), 1003)
    late, _ = identify(state, frame(2), low(1001, 4), 4)
    assert late == Identity(1001, WHOLE)


def test_a_counter_that_restarted_is_a_new_session_and_a_late_frame_is_not() -> None:
    _, state = identify(known(1000), frame(1, at_s=60), low(1000, 4), 4)
    newest_s = 60 + RESTART_AFTER_MS // 1000
    late, _ = identify(state, frame(1, at_s=newest_s), low(1000, 4), 4)
    assert late == Identity(1000, WHOLE)
    restarted, _ = identify(state, frame(1, at_s=newest_s + 1), low(1001, 4), 4)
    assert restarted.epoch != WHOLE


def test_an_old_session_out_of_a_log_drives_out_none_that_goes_on() -> None:
    state = known()
    for session in range(SESSIONS_MAX):
        state = learn(state, frame(0, f"0000000{session}", 1000 * (session + 1)), 1000)
    addresses = [session.dev_addr for session in state.sessions]
    for f_cnt in (1, 2):
        old = frame(f_cnt, "0a0b0c0d", 60 * f_cnt)
        assert not follows(state, old)
        assert not is_ahead(state, old)
        _, state = identify(state, old, low(7 + f_cnt, 4), 4)
        assert [session.dev_addr for session in state.sessions] == addresses
    assert follows(state, frame(1, addresses[-1], 9000))


def test_what_is_remembered_is_bounded() -> None:
    state = known()
    for session in range(SESSIONS_MAX + 2):
        for f_cnt in range(1, ANCHORS_MAX + 5):
            spoken = frame(f_cnt, f"0000000{session}", session * 100_000 + f_cnt)
            _, state = identify(state, spoken, f_cnt & 15, 4)
    assert len(state.sessions) == SESSIONS_MAX
    assert all(len(session.anchors) <= ANCHORS_MAX for session in state.sessions)


@dataclass
class Node:
    """A node as design decision 6 has it: one sequence, leased, never repeated."""

    rng: random.Random
    bits: int
    seq: int
    f_cnt: int = 0
    dev_addr: str = "00000000"
    at_s: int = 0
    sent: list[tuple[Frame, int | None, int | None]] = field(default_factory=list)

    def speak(self, reading: int | None, whole: int | None) -> None:
        """One frame: a reading, a diagnosis, or neither."""
        self.at_s += self.rng.randrange(70, 600)
        content = -1 if reading is None else reading  # no two readings look alike
        spoken = Frame(self.dev_addr, self.f_cnt, self.at_s * 1000, content)
        self.sent.append((spoken, reading, whole))
        self.f_cnt += 1

    def read(self) -> None:
        self.speak(self.seq, None)
        self.seq += 1

    def join(self) -> None:
        self.dev_addr = f"{self.rng.getrandbits(25):08x}"
        self.f_cnt = 0
        self.speak(None, self.seq)

    def lose_power(self) -> None:
        """Both counters go on from the end of their leases, f_cnt beyond it."""
        self.seq += self.rng.randrange(64)
        self.f_cnt += 64 + self.rng.randrange(64)


STEPS = st.lists(
    st.sampled_from(["read"] * 8 + ["again", "mac", "unsent", "join", "power", "diagnosis"]),
    min_size=1,
    max_size=120,
)


def play(steps: Sequence[str], seed: int, bits: int) -> Node:
    rng = random.Random(seed)
    node = Node(rng, bits, seq=rng.randrange(2**20))
    node.join()
    for step in steps:
        match step:
            case "read":
                node.read()
            case "again":
                newest = [reading for _, reading, _ in node.sent if reading is not None]
                node.speak(newest[-1] if newest else None, None)
            case "mac":
                node.speak(None, None)
            case "unsent":
                node.seq += 1
                node.f_cnt += 1
            case "join":
                node.join()
            case "power":
                node.lose_power()
            case "diagnosis":
                node.speak(None, node.seq)
    return node


@settings(max_examples=300, deadline=None)
@given(
    STEPS,
    st.integers(0, 2**32),
    st.sampled_from([PARKING_BITS, WASTE_BITS, AIR_BITS]),
    st.floats(0, 0.6),
    st.booleans(),
)
def test_no_two_readings_share_an_identity(
    steps: Sequence[str], seed: int, bits: int, loss: float, reorder: bool
) -> None:
    node = play(steps, seed, bits)
    heard = [spoken for spoken in node.sent if node.rng.random() >= loss]
    if reorder:
        for index in range(len(heard) - 1):
            if node.rng.random() < 0.2:
                heard[index], heard[index + 1] = heard[index + 1], heard[index]
    owner: dict[Identity, int] = {}
    state = DeviceState()
    for spoken, reading, whole in heard:
        if whole is not None:
            state = learn(state, spoken, whole)
        elif reading is not None:
            identity, state = identify(state, spoken, low(reading, bits), bits)
            assert owner.setdefault(identity, reading) == reading


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(0, 2**32), st.sampled_from([WASTE_BITS, AIR_BITS]))
def test_all_heard_and_no_power_lost_gives_the_true_sequence(
    steps: Sequence[str], seed: int, bits: int
) -> None:
    node = play([step for step in steps if step not in ("power", "unsent", "again")], seed, bits)
    state = DeviceState()
    for spoken, reading, whole in node.sent:
        if whole is not None:
            state = learn(state, spoken, whole)
        elif reading is not None:
            identity, state = identify(state, spoken, low(reading, bits), bits)
            assert identity == Identity(reading, WHOLE)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(0, 2**32), st.floats(0, 0.5))
def test_a_frame_that_comes_again_at_once_has_the_same_identity(
    steps: Sequence[str], seed: int, loss: float
) -> None:
    node = play(steps, seed, PARKING_BITS)
    state = DeviceState()
    for spoken, reading, whole in node.sent:
        if node.rng.random() < loss:
            continue
        if whole is not None:
            state = learn(state, spoken, whole)
        elif reading is not None:
            first, state = identify(state, spoken, low(reading, 4), 4)
            again, state = identify(state, spoken, low(reading, 4), 4)
            assert again == first
