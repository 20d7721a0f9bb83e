# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a parking node sends. Rules in schema/__init__.py."""

from revier_payload.schema.fields import NODE_FLAGS, Choice, Flags, Log, Message, battery, seq


def _parking_state() -> Choice:
    return Choice("state", 2, "state of the bay", ("vacant", "occupied"))


def _confidence() -> Choice:
    return Choice("confidence", 2, "how sure the detector is", ("low", "high"))


def _dwell(name: str, meaning: str) -> Log:
    return Log(name, 8, "min", meaning, mantissa_bits=5)


PARKING_EVENT = Message(
    20,
    "parking_event",
    "parking",
    "A bay has changed",
    (
        seq(4),
        _parking_state(),
        _confidence(),
        _dwell("dwell", "how long the state before lasted"),
    ),
    # Free of airtime at SF8 to SF11, see edges.py: two lost events come back with their times.
    (
        _dwell("dwell_2", "how long the state before that lasted"),
        _dwell("dwell_3", "and the one before that"),
    ),
)

PARKING_HEARTBEAT = Message(
    21,
    "parking_heartbeat",
    "parking",
    "A bay has not changed",
    (
        seq(4),
        _parking_state(),
        _confidence(),
        battery(),
        Flags("status", 4, "node status", NODE_FLAGS),
    ),
    (_dwell("lasting", "how long this state has lasted"),),
)
