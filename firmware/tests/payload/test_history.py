# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A bay's history survives two messages in a row that nobody hears, through the bits on the air."""

import random

import pytest

from revier_payload.codec import decode, encode
from revier_payload.history import OCCUPIED, VACANT, Heard, between

HEARTBEAT_MIN = 60
SHORTEST_MIN = 5


def day(rng, extras):
    """[(minute, seq, fPort, payload)] of a bay: events, and a heartbeat after each quiet hour.

    And its changes, [(minute, state)]. No state is shorter than SHORTEST_MIN.
    """
    at, seq, state = 0, rng.randrange(1000), VACANT
    sent, changes = [], [(0, VACANT)]
    while at < 3 * 24 * 60:
        stay = SHORTEST_MIN + int(rng.expovariate(1 / rng.choice((15, 60, 400))))
        for beat in range(at + HEARTBEAT_MIN, at + stay, HEARTBEAT_MIN):
            values = {"seq": seq, "state": state, "confidence": 2, "battery": 3600, "status": 0}
            if extras:
                values["lasting"] = beat - at
            sent.append((beat, seq, 21, encode(21, values)))
            seq += 1
        at += stay
        state = VACANT + OCCUPIED - state
        changes.append((at, state))
        dwells = [changes[n][0] - changes[n - 1][0] for n in range(len(changes) - 1, 0, -1)]
        names = ("dwell", "dwell_2", "dwell_3") if extras else ("dwell",)
        values = {"seq": seq, "state": state, "confidence": 2}
        values.update(zip(names, dwells, strict=False))
        sent.append((at, seq, 20, encode(20, values)))
        seq += 1
    return sent, changes


def lose(rng, sent):
    """What is heard when at most two in a row are lost, as often as that may be."""
    heard, run = [], 0
    for message in sent:
        run = run + 1 if rng.random() < 0.6 and run < 2 else 0
        if not run:
            heard.append(message)
    return heard


def understood(message, low_before):
    at, seq, port, payload = message
    decoded = decode(port, payload)
    assert decoded.values["seq"] == seq & 15
    lost = (decoded.values["seq"] - low_before - 1) & 15
    names = ("dwell", "dwell_2", "dwell_3") if port == 20 else ("lasting",)
    dwells = [decoded.values[name] for name in names]
    return Heard(at, decoded.values["state"], port == 20, dwells, lost), decoded.values["seq"]


def rebuilt(heard):
    """[(state, minute or None)] of all changes, from what was heard, first message to last."""
    before, low = understood(heard[0], (heard[0][1] - 1) & 15)
    found, waiting = [], 0
    for message in heard[1:]:
        after, low = understood(message, low)
        after.lost += waiting
        gap = between(before, after)
        if gap is None and not after.event:
            waiting = after.lost  # a heartbeat of two bytes: the next event will tell
            continue
        assert gap is not None
        found += gap
        if after.event:
            found.append((after.state, after.at_min))
        before, waiting = after, 0
    return found, before.at_min


@pytest.mark.parametrize("seed", range(60))
def test_states_and_times_with_the_extras(seed):
    rng = random.Random(seed)
    sent, changes = day(rng, extras=True)
    heard = lose(rng, sent)
    assert len(heard) < 0.75 * len(sent)
    found, until = rebuilt(heard)
    true = [(state, at) for at, state in changes if heard[0][0] < at <= until]
    assert [state for state, _ in found] == [state for state, _ in true]
    unknown = 0
    for (_, at), (_, true_at) in zip(found, true, strict=True):
        if at is None:  # two events lost, and then a heartbeat: it names one time
            unknown += 1
        else:  # a dwell of hours is known to 1/64 of it
            assert abs(at - true_at) <= 40
    assert unknown <= max(3, len(found) // 5)
    exact = sum(
        at is not None and abs(at - t) <= 2 for (_, at), (_, t) in zip(found, true, strict=True)
    )
    assert exact > 0.8 * len(found)


@pytest.mark.parametrize("seed", range(60))
def test_states_in_order_with_two_bytes_alone(seed):
    """Between two events: single losses with their times, of two in a row at least the states."""
    rng = random.Random(seed)
    sent, changes = day(rng, extras=False)
    sent = [message for message in sent if message[2] == 20]
    sent = [(at, n, port, _renumbered(payload, n)) for n, (at, _, port, payload) in enumerate(sent)]
    heard = lose(rng, sent)
    found, until = rebuilt(heard)
    true = [state for at, state in changes if heard[0][0] < at <= until]
    assert [state for state, _ in found] == true
    assert sum(at is None for _, at in found) < len(found) / 2


def _renumbered(payload, seq):
    return bytes(((seq & 15) << 4 | payload[0] & 15,)) + payload[1:]


def test_three_in_a_row_are_too_many():
    before = Heard(0, VACANT, True, [None], 0)
    assert between(before, Heard(90, OCCUPIED, True, [5], 3)) is None
    assert between(before, Heard(90, OCCUPIED, True, [5], 2)) == [(OCCUPIED, None), (VACANT, 85)]
    assert between(before, Heard(90, OCCUPIED, True, [90], 2)) == []
    assert between(before, Heard(90, VACANT, True, [7], 1)) == [(OCCUPIED, 83)]
    assert between(before, Heard(90, OCCUPIED, False, [7], 0)) is None
    occupied = Heard(0, OCCUPIED, True, [5], 0)
    assert between(occupied, Heard(90, OCCUPIED, True, [None, 90], 0)) is None
