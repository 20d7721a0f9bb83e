# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A message's fields as physical values under the feed's names, with their quality; its flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import msgspec

from revier_gateway.values import FAIL, MISSING, PASS, Value
from revier_payload.codec import Decoded
from revier_payload.physical import flag_names
from revier_payload.schema import MESSAGES
from revier_payload.schema.air import AIR_BATCH, CHANNELS
from revier_payload.schema.fields import MISSING as MISSING_STATE
from revier_payload.schema.fields import OUT_OF_RANGE, Field, Message

CODES_KEPT_MAX = 4096  # of a field
TABLE_BITS_MAX = 9  # of a field whose codes are all worked out at once
PART_BITS = 30
PART_MASK = (1 << PART_BITS) - 1

# Where the feed has another name than the payload, by kind of reading.
FEED_NAMES: dict[str, dict[str, str]] = {
    "air": {"temperature": "temp", "humidity": "rh"},
    "waste": {"temperature": "temp", "quality": "echo"},
    "alarm": {"temperature": "temp"},
}

# name in the payload and in the feed, denominator, unit, names of choices or flags, is it flags, is
# it an extra
Step = tuple[str, str, int, str, tuple[str, ...], bool, bool]

_encode = msgspec.json.Encoder().encode


def values_of(plan: tuple[Step, ...], decoded: Decoded) -> tuple[dict[str, Value], tuple[str, ...]]:
    values: dict[str, Value] = {}
    flags: tuple[str, ...] = ()
    for name, feed_name, denominator, unit, choices, is_flags, is_extra in plan:
        value = decoded.values[name]
        if is_flags:
            flags += _flag_names(choices, value or 0)
        elif value is None and is_extra and decoded.states[name] == MISSING_STATE:
            continue
        else:
            state = decoded.states[name]
            values[feed_name] = _value(value, state, denominator, unit, choices)
    return values, flags


def _value(
    value: int | None, state: str, denominator: int, unit: str, choices: tuple[str, ...]
) -> Value:
    if value is None:
        return Value(None, FAIL if state == OUT_OF_RANGE else MISSING, unit)
    if choices:
        return Value(choices[value - 1], PASS)
    return Value(value if denominator == 1 else value / denominator, PASS, unit)


def plain(message: Message, data: bytes) -> tuple[int, Coded, tuple[str, ...]]:
    """Sequence, values and flags of the usual message: all of its fields and no extras.

    The same as by way of revier_payload.codec.decode and values_of, at a fraction of their time:
    what a code means is worked out once.
    """
    packed = int.from_bytes(data, "big")
    walk = _walk(message.f_port)
    flags: tuple[str, ...] = ()
    for shift, mask, names in walk.flags:
        if bits := packed >> shift & mask:
            flags += _flag_names(names, bits)
    return packed >> walk.seq_shift, Coded(packed, walk), flags


class Coded(Mapping[str, Value]):
    """The values of a usual message, each worked out when it is asked for."""

    __slots__ = ("_packed", "_walk")

    def __init__(self, packed: int, walk: _Walk) -> None:
        self._packed = packed
        self._walk = walk

    def __getitem__(self, name: str) -> Value:
        shift, mask, field = self._walk.fields[name]
        return field.value(self._packed >> shift & mask)

    def __iter__(self) -> Iterator[str]:
        return iter(self._walk.fields)

    def __len__(self) -> int:
        return len(self._walk.fields)

    def to_json(self) -> bytes:
        """As msgspec encodes a dict of them."""
        packed = self._packed
        members = [
            texts[part >> shift & mask]
            for base, fields in self._walk.parts
            for part in (packed >> base & PART_MASK,)
            for shift, mask, texts in fields
        ]
        return b"{%b}" % b",".join(members)


class _Coding:
    """What the codes of a field mean."""

    def __init__(self, field: Field, kind: str) -> None:
        self._field = field
        _, self.name, self._denominator, self._unit, self._names, _, _ = _step(field, kind)
        self.texts: _Texts | list[bytes] = _Texts(self)
        if field.bits <= TABLE_BITS_MAX:
            self.texts = [self.texts[code] for code in range(1 << field.bits)]

    def value(self, code: int) -> Value:
        value, state = self._field.decode(code)
        return _value(value, state, self._denominator, self._unit, self._names)


class _Texts(dict[int, bytes]):
    """By code: name and value as a member of a JSON object."""

    def __init__(self, coding: _Coding) -> None:
        self._coding = coding

    def __missing__(self, code: int) -> bytes:
        made = b'"%b":%b' % (self._coding.name.encode(), _encode(self._coding.value(code)))
        if len(self) < CODES_KEPT_MAX:
            self[code] = made
        return made


_Place = tuple[int, int, _Texts | list[bytes]]  # shift, mask, text by code
_Part = tuple[int, tuple[_Place, ...]]


class _Walk(msgspec.Struct, frozen=True):
    """Where each field after the sequence lies: shift, mask and what is to be known of it.

    parts: the same in parts of 30 bits, whose numbers cost Python a third of larger ones.
    """

    seq_shift: int
    fields: dict[str, tuple[int, int, _Coding]]
    parts: tuple[_Part, ...]
    flags: tuple[tuple[int, int, tuple[str, ...]], ...]


@cache
def _walk(f_port: int) -> _Walk:
    message = MESSAGES[f_port]
    left = message.length * 8 - message.fields[0].bits
    first, flagged = left, []
    fields: dict[str, tuple[int, int, _Coding]] = {}
    for field in message.fields[1:]:
        left -= field.bits
        mask = (1 << field.bits) - 1
        if field.kind == "flags":
            flagged.append((left, mask, _step(field, message.kind)[4]))
        else:
            coding = _Coding(field, message.kind)
            fields[coding.name] = (left, mask, coding)
    return _Walk(first, fields, _parts(fields.values()), tuple(flagged))


def _parts(fields: Iterable[tuple[int, int, _Coding]]) -> tuple[_Part, ...]:
    """fields: highest bits first. Each part has its lowest bit's place."""
    parts: list[list[_Place]] = []
    highest = 0
    for shift, mask, coding in fields:
        top = shift + mask.bit_length()
        if not parts or highest - shift > PART_BITS:
            parts.append([])
            highest = top
        parts[-1].append((shift, mask, coding.texts))
    bases = [part[-1][0] for part in parts]
    return tuple(
        [
            (base, tuple([(shift - base, mask, texts) for shift, mask, texts in part]))
            for base, part in zip(bases, parts, strict=True)
        ]
    )


@cache
def plan(f_port: int) -> tuple[Step, ...]:
    """Of each field after seq, extras last."""
    message = MESSAGES[f_port]
    steps = [_step(field, message.kind) for field in message.fields[1:]]
    return tuple(steps + [_step(field, message.kind, is_extra=True) for field in message.extras])


@cache
def channel_plan() -> tuple[Step, ...]:
    return tuple(_step(field, "air") for field in CHANNELS)


@cache
def head_plan() -> tuple[Step, ...]:
    return tuple(_step(f, "air") for f in AIR_BATCH.fields if f.name in ("battery", "status"))


def _step(field: Field, kind: str, *, is_extra: bool = False) -> Step:
    names: tuple[str, ...] = getattr(field, "choices", ()) or getattr(field, "flags", ())
    unit = "" if names else field.unit
    feed_name = FEED_NAMES.get(kind, {}).get(field.name, field.name)
    return field.name, feed_name, field.denominator, unit, names, field.kind == "flags", is_extra


@cache
def _flag_names(names: tuple[str, ...], bits: int) -> tuple[str, ...]:
    """Bits that this version has no name for are kept by number."""
    return tuple(flag_names(names, bits))
