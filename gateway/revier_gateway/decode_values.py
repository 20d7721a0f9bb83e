# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A message's fields as physical values, their quality, and flags by name."""

from __future__ import annotations

from functools import cache

from revier_gateway.values import FAIL, MISSING, PASS, Value
from revier_payload.codec import Decoded
from revier_payload.physical import flag_names
from revier_payload.schema import MESSAGES
from revier_payload.schema.air import AIR_BATCH, CHANNELS
from revier_payload.schema.fields import MISSING as MISSING_STATE
from revier_payload.schema.fields import OUT_OF_RANGE, Field, Message

CODES_KEPT_MAX = 4096  # of a field

# name, denominator, unit, names of choices or flags, is it flags, is it an extra
Step = tuple[str, int, str, tuple[str, ...], bool, bool]


def values_of(plan: tuple[Step, ...], decoded: Decoded) -> tuple[dict[str, Value], tuple[str, ...]]:
    values: dict[str, Value] = {}
    flags: tuple[str, ...] = ()
    for name, denominator, unit, choices, is_flags, is_extra in plan:
        value = decoded.values[name]
        if is_flags:
            flags += _flag_names(choices, value or 0)
        elif value is None and is_extra and decoded.states[name] == MISSING_STATE:
            continue
        else:
            state = decoded.states[name]
            values[name] = _value(value, state, denominator, unit, choices)
    return values, flags


def _value(
    value: int | None, state: str, denominator: int, unit: str, choices: tuple[str, ...]
) -> Value:
    if value is None:
        return Value(None, FAIL if state == OUT_OF_RANGE else MISSING, unit)
    if choices:
        return Value(choices[value - 1], PASS)
    return Value(value if denominator == 1 else value / denominator, PASS, unit)


def plain(message: Message, data: bytes) -> tuple[int, dict[str, Value], tuple[str, ...]]:
    """Sequence, values and flags of the usual message: all of its fields and no extras.

    The same as by way of revier_payload.codec.decode and values_of, at a quarter of their time:
    what a code means is worked out once.
    """
    packed = int.from_bytes(data, "big")
    low, numbers, flagged = _walk(message.f_port)
    values = {name: known[packed >> shift & mask] for name, shift, mask, known in numbers}
    flags: tuple[str, ...] = ()
    for shift, mask, names in flagged:
        flags += _flag_names(names, packed >> shift & mask)
    return packed >> low, values, flags


class _Known(dict[int, Value]):
    """What the codes of a field mean."""

    def __init__(self, field: Field) -> None:
        self._field = field
        _, self._denominator, self._unit, self._names, _, _ = _step(field)

    def __missing__(self, code: int) -> Value:
        value, state = self._field.decode(code)
        made = _value(value, state, self._denominator, self._unit, self._names)
        if len(self) < CODES_KEPT_MAX:
            self[code] = made
        return made


_Number = tuple[str, int, int, _Known]  # name, shift, mask
_Flagged = tuple[int, int, tuple[str, ...]]  # shift, mask, names


@cache
def _walk(f_port: int) -> tuple[int, tuple[_Number, ...], tuple[_Flagged, ...]]:
    """The sequence's shift, and of each field after it where it lies."""
    message = MESSAGES[f_port]
    left = message.length * 8 - message.fields[0].bits
    first, numbers, flagged = left, [], []
    for field in message.fields[1:]:
        left -= field.bits
        name, _, _, names, is_flags, _ = _step(field)
        mask = (1 << field.bits) - 1
        if is_flags:
            flagged.append((left, mask, names))
        else:
            numbers.append((name, left, mask, _Known(field)))
    return first, tuple(numbers), tuple(flagged)


@cache
def plan(f_port: int) -> tuple[Step, ...]:
    """Of each field after seq, extras last."""
    message = MESSAGES[f_port]
    steps = [_step(field) for field in message.fields[1:]]
    return tuple(steps + [_step(field, is_extra=True) for field in message.extras])


@cache
def channel_plan() -> tuple[Step, ...]:
    return tuple(_step(field) for field in CHANNELS)


@cache
def head_plan() -> tuple[Step, ...]:
    return tuple(_step(f) for f in AIR_BATCH.fields if f.name in ("battery", "status"))


def _step(field: Field, *, is_extra: bool = False) -> Step:
    names: tuple[str, ...] = getattr(field, "choices", ()) or getattr(field, "flags", ())
    unit = "" if names else field.unit
    return field.name, field.denominator, unit, names, field.kind == "flags", is_extra


@cache
def _flag_names(names: tuple[str, ...], bits: int) -> tuple[str, ...]:
    """Bits that this version has no name for are kept by number."""
    return tuple(flag_names(names, bits))
