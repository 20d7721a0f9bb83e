# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the network asks the node for: other settings (fPort 2), readings again (fPort 4).

Imported when such a downlink comes, and at the end of a wake that owes something. Settings are in
the file at once and in force from the next wake. What is owed is noted (notes.py) under "owed", for
the duty cycle may put it off:

    answer   values of the answer on fPort 3
"""

from revier_node import notes, store

MYPY = False
if MYPY:
    from revier_node.app import Node


PORT_SETTINGS = 2


def hear(f_port: int, data: bytes, state: "store.State") -> None:
    owed = notes.load().get("owed", {})
    if f_port == PORT_SETTINGS:
        from revier_node import settings

        answer = settings.change(data)
        if answer:
            owed["answer"] = answer
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


def _owe(state: "store.State", owed: dict) -> None:
    notes.save("owed", owed or None)
    state.flags &= ~store.FLAG_APP_TIME
    if owed or _of_time(notes.load()):
        state.flags |= store.FLAG_APP_TIME


def _of_time(note: dict) -> bool:
    time = note.get("time", {})
    return bool(time.get("answer") or time.get("due") or time.get("period"))
