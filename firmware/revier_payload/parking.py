# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a parking node sends. Rules in schema.py."""

from revier_payload.fields import NODE_FLAGS, Choice, Flags, Log, Message, battery, seq


def _parking_state() -> Choice:
    return Choice("state", 2, "state of the bay", ("vacant", "occupied"))


def _confidence() -> Choice:
    return Choice("confidence", 2, "how sure the detector is", ("low", "high"))


PARKING_EVENT = Message(
    20,
    "parking_event",
    "parking",
    "A bay has changed",
    (
        seq(4),
        _parking_state(),
        _confidence(),
        Log("dwell", 8, "min", "how long the state before lasted", mantissa_bits=5),
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
)
