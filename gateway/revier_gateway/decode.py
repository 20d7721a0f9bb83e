# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Uplink to readings: the payload's bits as physical values, by the schema of its fPort."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache

import msgspec

from revier_gateway import identity
from revier_gateway.decode_values import (
    FEED_NAMES,
    channel_plan,
    head_plan,
    plain,
    plan,
    values_of,
)
from revier_gateway.outcomes import Ignored, Refused
from revier_gateway.uplink import Uplink
from revier_gateway.values import Value
from revier_payload.air_batch import SAMPLES_MAX
from revier_payload.codec import Decoded
from revier_payload.codec import decode as decode_payload
from revier_payload.schema import MESSAGES
from revier_payload.schema.air import AIR, CHANNELS, TIME_BITS

WHOLE_BITS = 32
BATCHES = 1 << 6  # of a diagnosis's status
CLOCK_PORT = 202  # TS003, LoRaWAN Application Layer Clock Synchronization
AIR_BITS = AIR.fields[0].bits
CHANNEL_NAMES = tuple([FEED_NAMES["air"].get(field.name, field.name) for field in CHANNELS])
ALWAYS = frozenset(CHANNEL_NAMES[:7])  # every air node could measure them


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One reading. seq_bits 32: seq_low is the node's whole sequence, nothing is to be widened."""

    uplink: Uplink
    kind: str  # air, parking, waste, alarm
    seq_low: int
    seq_bits: int
    values: Mapping[str, Value]  # under the feed's names
    flags: tuple[str, ...]
    measured_ms: int | None = None  # by the node; None: when its frame was heard
    content: int | None = None  # check sum of its own bytes; None: the frame's
    node_time: bool = False  # measured_ms comes from the node's clock
    own_bits: int = 0  # of the sequence, in the message in which it is sent alone


class Payload(msgspec.Struct, frozen=True, gc=False):
    """What a frame says. readings are in the order in which they were measured."""

    readings: tuple[Reading, ...] = ()
    next_seq: int | None = None  # of a diagnosis: the whole sequence of the next reading
    anchors: bool = True  # the last reading is the node's newest: not so in a backfill
    per_frame: int = 1  # of a diagnosis: how many new readings a frame may carry from now on
    other_version: bool = False  # longer than this version knows
    note: str = ""


def read(uplink: Uplink) -> Payload:
    """Raises Ignored for a frame without data for us, Refused for bytes that are not of our
    schema."""
    if uplink.f_port == 0 or not uplink.data:
        raise Ignored("mac_only")
    data = uplink.data
    message = MESSAGES.get(uplink.f_port)
    if uplink.f_port == CLOCK_PORT:
        raise Ignored("clock_request")
    if message is None:
        raise Refused("unknown_f_port", f"fPort {uplink.f_port}, {len(data)} bytes")
    reading = alone(uplink)
    if reading is not None:
        return Payload((reading,))
    found = decoded(uplink)
    if found.errors or found.cut:
        trouble = "; ".join(found.errors + found.warnings)
        raise Refused("bad_payload", f"fPort {uplink.f_port}: {trouble}")
    longer = bool(found.warnings)
    if message.body == "batch":
        return Payload(_samples(uplink, found), other_version=longer)
    if message.body == "records":
        records = tuple([_record(uplink, row) for row in found.rows])
        return Payload(records, anchors=False, other_version=longer)
    if message.kind:
        return Payload((_reading(uplink, found),), other_version=longer)
    batches = (found.values.get("status") or 0) & BATCHES
    per_frame = SAMPLES_MAX if batches else 1
    next_seq = found.values.get("seq")
    note = ""
    if next_seq is None:
        note = ", ".join(f"{name} {value}" for name, value in found.values.items())
    return Payload((), next_seq, per_frame=per_frame, other_version=longer, note=note)


def alone(uplink: Uplink) -> Reading | None:
    """The reading of a message that is one, with all of its fields and no more; None: it is another
    message."""
    message, data = MESSAGES.get(uplink.f_port), uplink.data
    if message is None or len(data) != message.length or not message.kind or message.body:
        return None
    seq, values, flags = plain(message, data)
    return Reading(uplink, message.kind, seq, message.fields[0].bits, values, flags)


_last: tuple[bytes, int, Decoded] = (b"", -1, Decoded(-1, ""))


def decoded(uplink: Uplink) -> Decoded:
    """By the schema of its fPort. The pipeline and its listeners ask for one frame in turn."""
    global _last  # noqa: PLW0603 - a memory of one, which changes no answer
    data, f_port, found = _last
    if data is not uplink.data or f_port != uplink.f_port:
        found = decode_payload(uplink.f_port, uplink.data)
        _last = (uplink.data, uplink.f_port, found)
    return found


def _reading(uplink: Uplink, found: Decoded) -> Reading:
    message = MESSAGES[found.f_port]
    seq = found.values["seq"]
    assert seq is not None
    values, flags = values_of(plan(found.f_port), found)
    return Reading(uplink, message.kind, seq, message.fields[0].bits, values, flags)


def _record(uplink: Uplink, row: Decoded) -> Reading:
    """A reading out of the node's memory: in its own bytes, with its own sequence and time."""
    whole = msgspec.structs.replace(_reading(uplink, row), seq_bits=WHOLE_BITS)
    at_ms = None if row.time is None else row.time * 1000
    content = zlib.crc32(row.data, row.f_port)
    bits = MESSAGES[row.f_port].fields[0].bits
    known = at_ms is not None
    return msgspec.structs.replace(
        whole, measured_ms=at_ms, content=content, node_time=known, own_bits=bits
    )


def _samples(uplink: Uplink, found: Decoded) -> tuple[Reading, ...]:
    """The readings of a batch; the battery is the last one's, measured as the batch was sent."""
    head, flags = values_of(head_plan(), found)
    low, interval = found.values["time"], found.values["interval"]
    rows = [row for row in found.rows if row.name == "sample"]
    assert interval is not None
    heard_s = uplink.heard_ms // 1000
    first_s = heard_s - interval * (len(rows) - 1) if low is None else _whole_time(low, heard_s)
    sent = _names_of(found.values["channels"] or 0)
    known = low is not None
    samples: list[Reading] = []
    for row in rows:
        seq, after = row.values["seq"], row.time
        assert seq is not None
        assert after is not None
        values, _ = values_of(channel_plan(), row)
        values = {name: v for name, v in values.items() if name in sent or name in ALWAYS}
        if row is rows[-1]:
            values["battery"] = head["battery"]
        at_ms = (first_s + after) * 1000
        # coarser than the same reading sent alone: no check sum to compare
        content = identity.OF_A_BATCH
        samples.append(
            Reading(uplink, "air", seq, WHOLE_BITS, values, flags, at_ms, content, known, AIR_BITS)
        )
    return tuple(samples)


def _whole_time(low: int, now_s: int) -> int:
    """The latest Unix time with these low bits that is not in the future, by a minute's grace."""
    span = 1 << TIME_BITS
    return now_s + 60 - (now_s + 60 - low) % span


@cache
def _names_of(bits: int) -> tuple[str, ...]:
    return tuple(name for at, name in enumerate(CHANNEL_NAMES) if bits >> at & 1)
