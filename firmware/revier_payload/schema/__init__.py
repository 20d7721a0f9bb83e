# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The schema: every message of a Revier node, by its fPort. Everything else is made from it.

`python tools/payload.py` writes from it what the node packs with (air.py, parking.py,
...), the typed readings (readings.py), the network server's codec (codec.js) and the page
docs/protocol/payload.md. Rules. The fPort is the schema id and is never used again for another
meaning; an uplink and a downlink do not share one. Fields are packed without gaps, first field
first, each with its most significant bit first; the last byte is filled with zero bits. New fields
are only ever appended, as extras. `seq` comes first in a reading, so that a message cut short still
says which it was. Sizes sit on the edges of LoRa's airtime staircase.
"""

from revier_payload.schema.air import AIR, AIR_BATCH, AIR_CO2
from revier_payload.schema.alarm import ALARM
from revier_payload.schema.diagnosis import DIAGNOSIS
from revier_payload.schema.fields import Message
from revier_payload.schema.parking import PARKING_EVENT, PARKING_HEARTBEAT
from revier_payload.schema.remote import (
    BACKFILL,
    BACKFILL_REQUEST,
    CONFIGURATION,
    CONFIGURATION_ANSWER,
)
from revier_payload.schema.waste import WASTE, WASTE_EMPTIED

MESSAGES = {
    m.f_port: m
    for m in (
        DIAGNOSIS,
        CONFIGURATION_ANSWER,
        BACKFILL,
        ALARM,
        AIR,
        AIR_BATCH,
        AIR_CO2,
        PARKING_EVENT,
        PARKING_HEARTBEAT,
        WASTE,
        WASTE_EMPTIED,
    )
}
DOWNLINKS = {m.f_port: m for m in (CONFIGURATION, BACKFILL_REQUEST)}


def seq_bits(f_port: int) -> int:
    """Bits of the reading sequence in a message; 0 where it carries none, or is unknown."""
    message: "Message | None" = MESSAGES.get(f_port)
    if message is None or message.fields[0].name != "seq":
        return 0
    return message.fields[0].bits
