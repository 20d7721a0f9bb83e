# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The schema: every uplink message of a Revier node, by its fPort.

A message is declared in the module of its kind (air, parking, waste; diagnosis for every node), so
that a node loads its own only; nowhere else. Rules. The fPort is the schema id and is never used
again for another meaning. Fields are packed without gaps, first field first, each with its most
significant bit first; the last byte is filled with zero bits. New fields are only ever appended.
`seq` comes first, so that a message cut short still says which reading it was. Sizes sit on the
edges of LoRa's airtime staircase.
"""

from revier_payload.air import AIR
from revier_payload.diagnosis import DIAGNOSIS
from revier_payload.fields import Message
from revier_payload.parking import PARKING_EVENT, PARKING_HEARTBEAT
from revier_payload.waste import WASTE

__all__ = (
    "AIR",
    "DIAGNOSIS",
    "MESSAGES",
    "PARKING_EVENT",
    "PARKING_HEARTBEAT",
    "WASTE",
    "Message",
    "seq_bits",
)

MESSAGES = {m.f_port: m for m in (AIR, PARKING_EVENT, PARKING_HEARTBEAT, WASTE, DIAGNOSIS)}


def seq_bits(f_port: int) -> int:
    """Number of low bits of the reading sequence in a message; 0 for an unknown fPort."""
    message = MESSAGES.get(f_port)
    return message.fields[0].bits if message else 0
