# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Uplink to reading: the payload's bits as physical values, by the schema of its fPort."""

from __future__ import annotations

from functools import cache

import msgspec

from revier_gateway.outcomes import Ignored, Refused
from revier_gateway.uplink import Uplink
from revier_gateway.values import FAIL, MISSING, PASS, Value
from revier_payload.codec import decode as decode_payload
from revier_payload.fields import OUT_OF_RANGE
from revier_payload.schema import MESSAGES

DIAGNOSIS_F_PORT = 1


class Reading(msgspec.Struct, frozen=True):
    uplink: Uplink
    kind: str  # air, parking, waste; "" for a diagnosis
    seq_low: int  # low bits of the node's reading sequence; of a diagnosis the whole of the next
    seq_bits: int
    values: dict[str, Value]
    flags: tuple[str, ...]


def read(uplink: Uplink) -> Reading:
    """Raises Ignored for a frame without data, Refused for bytes that are not of our schema."""
    if uplink.f_port == 0 or not uplink.data:
        raise Ignored("mac_only")
    message = MESSAGES.get(uplink.f_port)
    if message is None:
        raise Refused("unknown_f_port", f"fPort {uplink.f_port}, {len(uplink.data)} bytes")
    decoded = decode_payload(uplink.f_port, uplink.data)
    trouble = decoded.errors + decoded.warnings
    if trouble:
        raise Refused("bad_payload", f"fPort {uplink.f_port}: {'; '.join(trouble)}")
    seq = decoded.values["seq"]
    assert seq is not None
    values: dict[str, Value] = {}
    flags: tuple[str, ...] = ()
    for name, denominator, unit, choices, is_flags in _plan(uplink.f_port):
        value = decoded.values[name]
        if is_flags:
            flags = _flag_names(choices, value or 0)
        elif value is None:
            out_of_range = decoded.states[name] == OUT_OF_RANGE
            values[name] = Value(None, FAIL if out_of_range else MISSING, unit)
        elif choices:
            values[name] = Value(choices[value - 1], PASS)
        else:
            values[name] = Value(value if denominator == 1 else value / denominator, PASS, unit)
    return Reading(uplink, message.kind, seq, message.fields[0].bits, values, flags)


_Step = tuple[str, int, str, tuple[str, ...], bool]


@cache
def _plan(f_port: int) -> tuple[_Step, ...]:
    """name, denominator, unit, names of choices or flags, is it flags - of each field after seq."""
    steps = []
    for field in MESSAGES[f_port].fields[1:]:
        names: tuple[str, ...] = getattr(field, "choices", ()) or getattr(field, "flags", ())
        unit = "" if names else field.unit
        steps.append((field.name, field.denominator, unit, names, field.kind == "flags"))
    return tuple(steps)


@cache
def _flag_names(names: tuple[str, ...], bits: int) -> tuple[str, ...]:
    """Bits that this version has no name for are kept by number."""
    known = tuple(name for bit, name in enumerate(names) if bits >> bit & 1)
    later = range(len(names), bits.bit_length())
    return known + tuple(f"bit{bit}" for bit in later if bits >> bit & 1)
