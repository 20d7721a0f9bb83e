# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An hour of air readings in one uplink: setting 16 is 3.

Each reading takes its number of the reading sequence when it is measured, and goes into the log as
if it were sent alone. Until the block has been on the air it lives in the notes (notes.py) under
"hour":

    seq      of its first reading
    ms       the chip's clock when that was measured
    every    ms from one reading to the next
    status   flags of any of its readings
    codes    10 bytes a reading in base64: packed as for fPort 10 or 12, less the sequence
    before   means of the block that was sent last: they fill what is free of airtime in this one

A full block that the duty cycle refuses goes out at a later wake, with the readings of these. The
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
from revier_payload.air_batch_head import AIR_BATCH
from revier_payload.edges import free_size

MYPY = False
if MYPY:
    from revier_node.kinds import Wake


F_PORT = AIR_BATCH.f_port
HOUR_MS = 3_600_000
SIZE_MAX = 45  # bytes: at every data rate of EU868 there is room for six of MAC answers beside
INTERVAL_MAX_S = 1_860  # what the message can say; with a longer one each block has one reading
READING_BYTES = 10
READING_CHARS = 14  # and "==", which is left out
TELL_EVERY = 24  # wakes: then a diagnosis is due again, up to three times, until one is answered
_ON_AIR = ("sent", "acked", "unacknowledged")


class _Batch:
    """The application encodes it when it is about to send; only then is the data rate known."""

    f_port = F_PORT

    @staticmethod
    def encode(values: dict) -> bytes:
        device = values["node"].link().device
        size_max = min(SIZE_MAX, device.payload_max())
        if size_max < air_batch.SIZE_MIN:
            size_max = SIZE_MAX  # the answers in its way go first, in a frame of their own
        spreading_factor = 12 - min(device.session.dr, 5)
        head = {name: values[name] for name in ("seq", "time", "interval", "battery", "status")}
        data: bytes = air_batch.encode(
            head,
            values["samples"],
            size_max,
            lambda size: free_size(size, spreading_factor),
            values["before"],
        )
        return data


def count_of(interval_ms: int) -> int:
    """Readings in a block."""
    return max(1, min(air_batch.SAMPLES_MAX, HOUR_MS // interval_ms))


def report(wake: "Wake", f_port: int, values: dict, _mads: dict) -> list:
    """The messages of this wake: none, or a block; before it one that broke off."""
    air.MESSAGES[F_PORT] = _Batch
    node, loaded = wake.node, notes.load()
    seq = node.store.next_seq()
    packed = air.MESSAGES[f_port].encode(dict(values, seq=seq))
    say("reading", "kind", "air", "port", f_port, "seq", seq)
    node.remember(seq, f_port, packed)
    note = loaded.get("hour", {})
    messages: list = []
    held = len(note.get("codes", "")) // READING_CHARS
    if held and (held == air_batch.SAMPLES_MAX or not _goes_on(wake, note, held, seq)):
        # If numbers went back, so did the node's state, to before this note: the block's last
        # number would be given twice
        if note["seq"] + held <= seq:
            messages.append(_message(wake, f_port, values, note))
        note, held = {}, 0
    if not loaded.get("batches"):
        if node.state.boots % TELL_EVERY == 0:
            node.state.flags |= store.FLAG_DIAGNOSIS_DUE
        return messages + [(f_port, dict(values, seq=seq))]
    if not held:
        note = {"seq": seq, "ms": now_ms(), "every": wake.interval_ms, "status": 0, "codes": "",
                "before": note.get("before")}  # fmt: skip
    note["codes"] += binascii.b2a_base64(packed[-READING_BYTES:])[:READING_CHARS].decode()
    note["status"] |= values["status"]
    notes.save("hour", note)
    if held + 1 >= count_of(wake.interval_ms):
        messages.append(_message(wake, f_port, values, note))
    return messages


def told(message: tuple, outcome: str) -> None:
    """A block that was on the air makes room for the next."""
    note = notes.load().get("hour", {})
    if outcome in _ON_AIR and note.get("seq") == message[1]["seq"]:
        notes.save("hour", {"before": air_batch.means(message[1]["samples"])})


def _goes_on(wake: "Wake", note: dict, held: int, seq: int) -> bool:
    """Is this reading the block's next? It can say neither skipped numbers nor uneven times."""
    if note["seq"] + held != seq or note["every"] != wake.interval_ms:
        return False
    late_ms = now_ms() - note["ms"] - held * note["every"]
    return bool(abs(late_ms) <= note["every"] // 2)


def rest(wake: "Wake", f_port: int, values: dict) -> list:
    """The messages of a block that stays unfinished, for readings are sent in another way now."""
    note = notes.load().get("hour", {})
    if not note.get("codes"):
        return []
    air.MESSAGES[F_PORT] = _Batch
    notes.save("hour", None)
    return [_message(wake, f_port, values, note)]


def _message(wake: "Wake", f_port: int, values: dict, note: dict) -> tuple:
    codes = note["codes"]
    samples = [
        air_batch.codes_of(
            f_port, b"\0" + binascii.a2b_base64(codes[at : at + READING_CHARS] + "==")
        )
        for at in range(0, len(codes), READING_CHARS)
    ]
    unix_s = wake.node.clock.unix_s()
    return (
        F_PORT,
        {
            "seq": note["seq"],
            "time": None if unix_s is None else unix_s - (now_ms() - note["ms"]) // 1000,
            "interval": min(INTERVAL_MAX_S, note["every"] // 1000),
            "battery": values["battery"],
            "status": note["status"],
            "samples": samples,
            "before": note["before"],
            "node": wake.node,
        },
        "told",
    )
