# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the network asks the node for: other settings (fPort 2), readings again (fPort 4).

Imported when such a downlink comes, and at the end of a wake that owes something. Settings are in
the file at once and in force from the next wake. What is owed is noted (notes.py) under "owed", for
the duty cycle may put it off:

    answer   values of the answer on fPort 3
    ranges   [first sequence, how many] of the readings that are still to be sent on fPort 5

Readings go out in one frame a wake, at low data rates in every fourth, for the duty cycle is there
for the new ones first.
"""

from revier_node import notes, store

MYPY = False
if MYPY:
    from revier_node.app import Node


PORT_SETTINGS = 2
RECORDS_MAX = 48  # of a frame: more than ever fit
DR_LOW = 3  # below it one frame in SLOW_WAKES
SLOW_WAKES = 4


def hear(f_port: int, data: bytes, state: "store.State") -> None:
    owed = notes.load().get("owed", {})
    if f_port == PORT_SETTINGS:
        from revier_node import settings

        answer = settings.change(data)
        if answer:
            owed["answer"] = answer
    else:
        from revier_payload import backfill

        owed["ranges"] = [list(one) for one in backfill.ranges(data)]
    _owe(state, owed)


def speak(node: "Node", time_due: bool) -> None:
    """After a wake's messages. time_due: the world's time is, and no network has told it."""
    note = notes.load()
    owed = note.get("owed", {})
    if time_due or _of_time(note):
        from revier_node import app_time

        app_time.speak(node)
    if "answer" in owed:
        from revier_payload.configuration_answer import CONFIGURATION_ANSWER

        data = CONFIGURATION_ANSWER.encode(owed["answer"])
        if node.link().send(CONFIGURATION_ANSWER.f_port, data, node.state.seq):
            owed = notes.load().get("owed", {})  # a downlink may have come with it
            if CONFIGURATION_ANSWER.encode(owed["answer"]) == data:
                del owed["answer"]
            _owe(node.state, owed)
        if node.wake.kind == "parking":
            from revier_node import empty_bay

            empty_bay.look_soon(node)
    if "ranges" in owed:
        _send_again(node, owed["ranges"])


def _send_again(node: "Node", ranges: "list[list[int]]") -> None:
    """One frame. A request that comes with its answer takes the place of the one before."""
    from revier_node import reading_search
    from revier_payload import backfill

    device = node.link().device
    room = device.payload_max()
    if not room or (device.session.dr < DR_LOW and node.state.boots % SLOW_WAKES):
        return
    left = [list(one) for one in ranges]
    records: list = []
    while left and not records:
        records = reading_search.find(node.state, left[0][0], left[0][1], RECORDS_MAX)
        if not records:
            left.pop(0)
    if records:
        if backfill.HEAD + len(records[0][3]) > room:
            return
        data, count = backfill.encode(records, room)
        if not node.link().send(backfill.PORT, data, node.state.seq):
            return
        _shorten(left, records[count - 1][0] + 1, count == len(records) < RECORDS_MAX)
    owed = notes.load().get("owed", {})
    if owed.get("ranges") == ranges:
        del owed["ranges"]
        if left:
            owed["ranges"] = left
        _owe(node.state, owed)


def _shorten(left: "list[list[int]]", next_seq: int, over: bool) -> None:
    first, count = left[0]
    left[0] = [next_seq, first + count - next_seq]
    if over or left[0][1] <= 0:
        left.pop(0)


def _owe(state: "store.State", owed: dict) -> None:
    notes.save("owed", owed or None)
    state.flags &= ~store.FLAG_APP_TIME
    if owed or _of_time(notes.load()):
        state.flags |= store.FLAG_APP_TIME


def _of_time(note: dict) -> bool:
    time = note.get("time", {})
    return bool(time.get("answer") or time.get("due") or time.get("period"))
