# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Fates: each command ends, ends once, and with a reason where it did not succeed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_gateway.commands import fate
from revier_gateway.commands.fate import (
    Acknowledged,
    Answered,
    Command,
    Dropped,
    Elapsed,
    Enqueued,
    Event,
    Heard,
    NotTransmitted,
    Refused,
    Sent,
    Vanished,
)
from revier_gateway.commands.making import item_id_of, new_command

HOUR_MS = 3_600_000


def command(kind: str = "configure", confirmed: bool = False) -> Command:
    return new_command("70b3d57ed0000001", kind, b"\1", 0, origin="admin", confirmed=confirmed)


def through(one: Command, *events: Event, at_ms: int = 1000) -> Command:
    for event in events:
        one = fate.advance(one, event, at_ms)
    return one


QUEUED = (Enqueued("item"),)
SENT = (*QUEUED, Sent())
NO_ANSWER = (Heard(),) * fate.UPLINKS_MAX


@pytest.mark.parametrize(
    ("kind", "confirmed", "events", "state", "reason"),
    [
        ("configure", False, (), "waiting", ""),
        ("configure", False, QUEUED, "queued", ""),
        ("configure", False, SENT, "sent", ""),
        ("configure", False, (*SENT, Answered()), "acknowledged", ""),
        ("configure", False, (*QUEUED, Answered()), "acknowledged", ""),  # its txack was lost
        ("configure", False, (*SENT, Answered("refused_range")), "failed", "refused_range"),
        ("configure", False, (*SENT, *NO_ANSWER), "waiting", "no_answer"),
        ("configure", True, (*SENT, Acknowledged(True)), "sent", ""),
        ("configure", True, (*SENT, Acknowledged(False)), "waiting", "not_acknowledged"),
        ("backfill", False, (*SENT, Answered(is_last=False)), "sent", ""),
        ("backfill", False, (*SENT, Answered(is_last=False), *NO_ANSWER), "acknowledged", ""),
        ("downlink", False, SENT, "sent", ""),
        ("downlink", True, (*SENT, Acknowledged(True)), "acknowledged", ""),
        ("downlink", True, (*QUEUED, Acknowledged(True)), "acknowledged", ""),
        ("downlink", False, (*QUEUED, Dropped("EXPIRED")), "expired", "network server"),
        (
            "downlink",
            False,
            (*QUEUED, Dropped("DOWNLINK_PAYLOAD_SIZE", "(at most 51 B)")),
            "failed",
            "payload_size (at most 51 B)",
        ),
        ("downlink", False, (*QUEUED, Dropped("F_CNT_DOWN")), "waiting", "f_cnt_down"),
        ("downlink", False, (*QUEUED, Vanished()), "waiting", "vanished"),
        ("downlink", False, (*SENT, Vanished()), "sent", ""),
        ("downlink", False, (Refused("no such device"),), "failed", "no such device"),
        ("downlink", False, (*QUEUED, NotTransmitted("TOO_LATE")), "queued",
         "radio gateway: TOO_LATE"),
        ("downlink", False, (*QUEUED, NotTransmitted("TOO_LATE"), Sent()), "sent", ""),
    ],
)  # fmt: skip
def test_fates(
    kind: str, confirmed: bool, events: tuple[Event, ...], state: str, reason: str
) -> None:
    end = through(command(kind, confirmed), *events)
    assert (end.state, end.reason) == (state, reason)


def test_an_unanswered_downlink_ends_when_it_is_sent() -> None:
    assert fate.is_over(through(command("downlink"), *SENT))
    assert not fate.is_over(through(command("downlink", True), *SENT))


@pytest.mark.parametrize(
    ("events", "state", "reason"),
    [
        ((), "expired", "not heard in time"),
        (QUEUED, "expired", "not heard in time"),
        (SENT, "failed", "no_answer"),
        ((*SENT, Answered(is_last=False)), "acknowledged", ""),
    ],
)
def test_our_own_timeout(events: tuple[Event, ...], state: str, reason: str) -> None:
    one = through(command(), *events)
    late_ms = one.expires_ms + fate.GRACE_MS
    assert fate.advance(one, Elapsed(), late_ms - 1) == one
    end = fate.advance(one, Elapsed(), late_ms)
    assert (end.state, end.reason, end.ended_ms) == (state, reason, late_ms)


def test_tried_again_later_and_not_for_ever() -> None:
    one = command("configure", True)
    waits = []
    for _ in range(fate.ATTEMPTS_MAX - 1):
        one = through(one, *SENT, Acknowledged(False))
        assert one.state == "waiting"
        waits.append(one.next_ms - 1000)
    assert waits == [fate.AGAIN_FIRST_MS, 2 * fate.AGAIN_FIRST_MS]
    one = through(one, *SENT, Acknowledged(False))
    assert (one.state, one.reason, one.attempts) == ("failed", "not_acknowledged", 3)


def test_each_attempt_has_one_name_in_the_queue() -> None:
    one = command()
    again = through(one, *SENT, *NO_ANSWER)
    assert item_id_of(one) == item_id_of(one) != item_id_of(again)


EVENTS = st.sampled_from(
    [
        Enqueued("a"),
        Refused("x"),
        Vanished(),
        Sent(),
        Acknowledged(True),
        Acknowledged(False),
        Dropped("EXPIRED"),
        Dropped("DOWNLINK_PAYLOAD_SIZE"),
        Dropped("F_CNT_DOWN"),
        Dropped("UPLINK_MIC"),
        NotTransmitted("TOO_LATE"),
        Answered(),
        Answered("refused_kind"),
        Answered(is_last=False),
        Heard(),
        Elapsed(),
    ]
)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(EVENTS, st.integers(0, HOUR_MS)), max_size=60),
    st.sampled_from(("configure", "backfill", "downlink")),
    st.booleans(),
)
def test_it_ends_once_and_always(
    steps: list[tuple[Event, int]], kind: str, confirmed: bool
) -> None:
    one, now_ms = command(kind, confirmed), 0
    for event, after_ms in steps:
        now_ms += after_ms
        before, one = one, fate.advance(one, event, now_ms)
        if fate.is_over(before):
            assert one == before
        assert one.attempts <= fate.ATTEMPTS_MAX
        assert fate.is_over(one) == (one.state in fate.ENDS or _is_silent_end(one))
        if one.state in ("failed", "expired"):
            assert one.reason
    end = fate.advance(one, Elapsed(), one.expires_ms + fate.GRACE_MS)
    assert fate.is_over(end)
    packed = msgspec.msgpack.encode(end)
    assert msgspec.msgpack.decode(packed, type=Command) == end


def _is_silent_end(one: Command) -> bool:
    return one.state == "sent" and not one.answers and not one.confirmed
