# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What happened in a parking bay between two messages that were heard.

A bay is vacant or occupied in turn, every message has the state, and an event says how long the
state before it lasted (its extras: the ones before that). So after two events in a row that nobody
heard the states are known in order; the last change is known to the minute from the event's `dwell`
alone, and all of them with its extras.
"""

VACANT, OCCUPIED = 1, 2
LOST_MAX = 2


class Heard:
    """A message as it was heard: when, in which state, and the dwells that it names, newest first.

    event: it changed the state at `at_min`; else dwells is [lasting]. lost: how many messages since
    `before` were not heard.
    """

    def __init__(
        self, at_min: int, state: int, event: bool, dwells: "list[int | None]", lost: int
    ) -> None:
        self.at_min = at_min
        self.state = state
        self.event = event
        self.dwells = dwells
        self.lost = lost


def between(before: Heard, after: Heard) -> "list[tuple[int, int | None]] | None":
    """[(state, when it began or None)], oldest first, of the changes between the two messages.

    None where the messages do not fit together: more were lost than can be told, a state is
    unknown, or an event repeats the state because the node knows that it was wrong. `after`'s own
    change, if it is an event, is not among them.
    """
    last = after.state if not after.event else VACANT + OCCUPIED - after.state
    if {before.state, last} - {VACANT, OCCUPIED}:
        return None
    count = _count(before, after, last)
    if count is None:
        return None
    times: "list[int | None]" = []
    at: "int | None" = after.at_min
    for n in range(count):
        dwell = after.dwells[n] if n < len(after.dwells) else None
        at = None if at is None or dwell is None else at - dwell
        times.append(at)
    states = []
    state = before.state
    for _ in range(count):
        state = VACANT + OCCUPIED - state
        states.append(state)
    return list(zip(states, times[::-1]))  # noqa: B905 (MicroPython)


def _count(before: Heard, after: Heard, last: int) -> "int | None":
    """How many changes lie between: at most as many as messages were lost, and of the parity that
    the states have. Where that leaves two or none, the dwell tells: it is shorter than the time
    since `before` only if there was a change. Without a dwell a later event has to tell.
    """
    odd = int(before.state != last)
    if after.lost > LOST_MAX or odd > after.lost:
        return None
    if odd or after.lost < 2:
        return odd
    dwell = after.dwells[0] if after.dwells else None
    if dwell is None:
        return None
    # whole minutes, rounded to 1/64 by the field
    return 0 if dwell + 1 + dwell // 60 >= after.at_min - before.at_min else 2
