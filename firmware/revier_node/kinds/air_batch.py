# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An hour of air readings in one uplink: {"report": "batch"} in /node.json.

Each reading takes its number of the reading sequence when it is measured. Until the hour is full
the block lives in the notes (notes.py) under "hour":

    seq      of its first reading
    ms       the chip's clock when that was measured
    status   flags of any of its readings
    codes    10 bytes a reading in hexadecimal: packed as for fPort 10 or 12, less the sequence
    port     which of the two
    battery  in mV, at the last reading
    next     when the reading after this block is due; only there when the block is full
    before   means of the block that was sent last: they fill what is free of airtime in this one

A full block goes out a second later, in a wake of its own that measures nothing (air_hour.py): a
node's heap has no room for sensors, encoder and radio at once. The notes are lost with the supply,
and the block with them; no number comes twice.
"""

import binascii

from revier_node import notes
from revier_node.clock import now_ms
from revier_node.kinds import air
from revier_payload import air_batch

MYPY = False
if MYPY:
    from revier_node.kinds import Wake


HOUR_MS = 3_600_000
READING_BYTES = 10


def count_of(interval_ms: int) -> int:
    """Readings in a block."""
    return max(1, min(air_batch.SAMPLES_MAX, HOUR_MS // interval_ms))


def due(wake: "Wake") -> list:
    """The block that this wake is to send, as its only message: a full one, or one that broke off
    because numbers were skipped, which a block cannot say.
    """
    note = notes.load().get("hour", {})
    held = len(note.get("codes", "")) // (2 * READING_BYTES)
    skipped = wake.node.store.state.seq - note.get("seq", 0) - held if held else 0
    if not skipped and "next" not in note:
        return []
    wake.kept = note.get("next", wake.started_ms)
    if skipped < 0:
        # The numbers went back, and with them the node's state, to before this note: the block's
        # last ones would be given twice
        notes.save("hour", {"before": note["before"]})
        return []
    from revier_node.kinds import air_hour

    return [air_hour.message(wake, note)]


def report(wake: "Wake", f_port: int, values: dict, _mads: dict) -> list:
    """No message: the reading is put to the others of its hour."""
    seq = wake.node.store.next_seq()
    note = notes.load().get("hour", {})
    if "codes" not in note:
        note = {"seq": seq, "ms": now_ms(), "status": 0, "codes": "", "before": note.get("before")}
    packed = air.MESSAGES[f_port].encode(dict(values, seq=0))
    note["codes"] += binascii.hexlify(packed[-READING_BYTES:]).decode()
    note["status"] |= values["status"]
    note["battery"], note["port"] = values["battery"], f_port
    if len(note["codes"]) >= 2 * READING_BYTES * count_of(wake.interval_ms):
        note["next"] = wake.started_ms + wake.interval_ms
        wake.kept = wake.started_ms
    notes.save("hour", note)
    return []
