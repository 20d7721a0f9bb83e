# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An hour of air readings in one uplink: setting 16, report, is 3 (batch).

Each reading takes its number of the reading sequence when it is measured, and goes into the log as
if it were sent alone. Until the block has been on the air it lives in the notes (notes.py) under
"hour":

    seq      of its first reading
    ms       the chip's clock when that was measured
    every    ms from one reading to the next
    status   flags of any of its readings
    next     ms from the first reading to the wake for the one after this block; if that is full
    tried    how often it was given to the radio since its last reading
    codes    10 bytes a reading in base64: packed as for fPort 10 or 12, less the sequence
    before   means of the block that was sent last: they fill what is free of airtime in this one

A full block goes out a second later, in a wake of its own that measures nothing (air_hour.py): a
node's heap has no room for sensors, encoder and radio at once. One that the duty cycle refuses goes
out at a later wake, with the readings of these. The
notes are lost with the supply, and the block with them; no number comes twice.

The receiver must know of the batches before one can be lost (payload.md): until a diagnosis that
says so was answered (seldom.py notes it under "batches") each reading goes out alone.
"""

import binascii

from revier_node import notes, store
from revier_node.clock import now_ms
from revier_node.console import say
from revier_node.kinds import air
from revier_payload import air_batch

MYPY = False
if MYPY:
    from revier_node.kinds import Wake


HOUR_MS = 3_600_000
READING_BYTES = 10
READING_CHARS = 14  # and "==", which is left out
TELL_EVERY = 24  # wakes: then a diagnosis is due again, up to three times, until one is answered


def count_of(interval_ms: int) -> int:
    """Readings in a block."""
    return max(1, min(air_batch.SAMPLES_MAX, HOUR_MS // interval_ms))


def due(wake: "Wake") -> list:
    """The block that this wake is to send, as its only message: a full one, or one that broke off
    because numbers or times were skipped, which a block cannot say.
    """
    note = notes.load().get("hour", {})
    held, seq = _held(note), wake.node.store.state.seq
    # If numbers went back, so did the node's state, to before this note: the block's last number
    # would be given twice
    if not held or note["seq"] + held > seq:
        return []
    tries = note.get("tried", 0)
    last = tries == 1 and held == air_batch.SAMPLES_MAX  # the next reading begins another block
    if "next" not in note and not last and (tries or _goes_on(wake, note, held, seq)):
        return []
    from revier_node.kinds import air_hour

    wake.kept = note["ms"] + note.pop("next") if "next" in note else wake.started_ms
    note["tried"] = tries + 1
    notes.save("hour", note)
    return [air_hour.message(wake, note)]


def rest(wake: "Wake") -> list:
    """A block that stays unfinished, for readings are sent in another way now: as due() has it."""
    note = notes.load().get("hour", {})
    if not _held(note):
        return []
    from revier_node.kinds import air_hour

    notes.save("hour", None)
    wake.kept = wake.started_ms
    return [air_hour.message(wake, note)]


def report(wake: "Wake", f_port: int, values: dict, _mads: dict) -> list:
    """No message, but while the network does not know of batches: the reading joins its hour."""
    node, loaded = wake.node, notes.load()
    seq = node.store.next_seq()
    packed = air.MESSAGES[f_port].encode(dict(values, seq=seq))
    say("reading", "kind", "air", "port", f_port, "seq", seq)
    node.remember(seq, f_port, packed)
    note = loaded.get("hour", {})
    held = _held(note)
    if held and (held == air_batch.SAMPLES_MAX or not _goes_on(wake, note, held, seq)):
        note, held = {}, 0
    if not loaded.get("batches"):
        if node.state.boots % TELL_EVERY == 0:
            node.state.flags |= store.FLAG_DIAGNOSIS_DUE
        return [(f_port, dict(values, seq=seq))]
    if not held:
        note = {"seq": seq, "ms": now_ms(), "every": wake.interval_ms, "status": 0, "codes": "",
                "before": note.get("before")}  # fmt: skip
    note["codes"] += binascii.b2a_base64(packed[-READING_BYTES:])[:READING_CHARS].decode()
    note["status"] |= values["status"]
    note.pop("tried", None)
    if held + 1 >= count_of(wake.interval_ms):
        note["next"] = wake.started_ms + wake.interval_ms - note["ms"]
        wake.kept = wake.started_ms
    notes.save("hour", note)
    return []


def _held(note: dict) -> int:
    return len(note.get("codes", "")) // READING_CHARS


def _goes_on(wake: "Wake", note: dict, held: int, seq: int) -> bool:
    """Is this reading the block's next? It can say neither skipped numbers nor uneven times."""
    if note["seq"] + held != seq or note["every"] != wake.interval_ms:
        return False
    late_ms = now_ms() - note["ms"] - held * note["every"]
    return bool(abs(late_ms) <= note["every"] // 2)
