# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The decoder of an air batch; what air_batch.py writes. Never raises, whatever the bytes."""

from revier_payload.air_batch import (
    BITS,
    ESCAPE_BITS,
    FLAT,
    HEAD_BITS,
    MEAN_SHIFT,
    PARTICLES,
    UNARY_MAX,
    shifts,
)
from revier_payload.decoded import Decoded
from revier_payload.schema.air import CHANNELS
from revier_payload.schema.fields import VALID

VALID_CODE_MAX = [field.code_of(field.maximum) for field in CHANNELS]


class _Bits:
    """Bits out of bytes; zeros behind the end, where `at` says that it was passed."""

    def __init__(self, data: "bytes | bytearray", at: int) -> None:
        self.packed = int.from_bytes(data, "big")
        self.end = len(data) * 8
        self.at = at

    def take(self, bits: int) -> int:
        self.at += bits
        left = self.end - self.at
        value = self.packed >> left if left >= 0 else self.packed << -left
        return value & ((1 << bits) - 1)

    def rice(self, k: int) -> int:
        ones = 0
        while ones < UNARY_MAX and self.take(1):
            ones += 1
        return self.take(ESCAPE_BITS) if ones == UNARY_MAX else ones << k | self.take(k)


def decode(data: "bytes | bytearray", result: Decoded) -> None:
    """result has the head's values; it gets the rows, or errors."""
    values = result.values
    count, interval, level = values["samples"], values["interval"], values["level"]
    if count is None or interval is None or level is None:
        result.errors.append("a block without samples, interval or level")
        return
    mask = values["channels"] or 0
    channels = [c for c in range(len(BITS)) if mask >> c & 1]
    bits = _Bits(data, HEAD_BITS)
    columns = _columns(bits, channels, count, level, bool(values["gaps"]))
    if columns is None or bits.at > bits.end:
        result.errors.append("the block is damaged")
        return
    for i in range(count):
        row = Decoded(result.f_port, "sample")
        row.values["seq"] = ((values["seq"] or 0) + i) & 0xFFFFFFFF
        row.states["seq"] = VALID
        row.time = i * interval
        for c in range(len(BITS)):
            codes = columns.get(c)
            code = codes[i] if codes is not None else (1 << BITS[c]) - 1
            name = CHANNELS[c].name
            row.values[name], row.states[name] = CHANNELS[c].decode(code)
        result.rows.append(row)
    _means(data[(bits.at + 7) // 8 :], channels, result)


def _columns(
    bits: "_Bits", channels: "list[int]", count: int, level: int, gaps: bool
) -> "dict[int, list[int]] | None":
    """Channel -> its codes, as many as there are samples; None where a code cannot be."""
    columns = {}
    before: "list[int] | None" = None
    for c, shift in zip(channels, shifts(channels, level)):  # noqa: B905 (MicroPython)
        gone = _gone(bits, BITS[c], count) if gaps else {}
        told = None
        if before is not None and not gone and c - 1 in channels and 0 < c < PARTICLES:
            told = [code >> shift for code in before]
        coarse = _column(bits, count - len(gone), BITS[c] - shift, told)
        if coarse is None or bits.at > bits.end:
            return None
        before = None if gone else [code << shift for code in coarse]
        codes = []
        rest = iter(coarse)
        for i in range(count):
            if i in gone:
                codes.append(gone[i])
            else:
                codes.append(min(next(rest) << shift, VALID_CODE_MAX[c]))
        columns[c] = codes
    return columns


def _gone(bits: "_Bits", width: int, count: int) -> "dict[int, int]":
    """Sample -> its code, missing or out of range."""
    gone: "dict[int, int]" = {}
    if bits.take(1):
        return gone
    for i in range(count):
        if not bits.take(1):
            gone[i] = (1 << width) - 2 if bits.take(1) else (1 << width) - 1
    return gone


def _column(bits: "_Bits", count: int, width: int, told: "list[int] | None") -> "list[int] | None":
    codes: "list[int]" = []
    if not count:
        return codes
    by_neighbour = told is not None and bits.take(1)
    k = bits.take(3)
    value = 0 if by_neighbour else bits.take(width)
    for i in range(count):
        if k != FLAT and (by_neighbour or i):
            folded = bits.rice(k)
            value += -(folded + 1 >> 1) if folded & 1 else folded >> 1
        code = value + told[i] if by_neighbour and told is not None else value
        if not 0 <= code < 1 << width:
            return None
        codes.append(code)
    return codes


def _means(rest: "bytes | bytearray", channels: "list[int]", result: Decoded) -> None:
    """The coarse means of the block before, where they are sent: the row after the samples."""
    size = (4 + sum([BITS[c] - MEAN_SHIFT for c in channels]) + 7) // 8
    if len(rest) >= size and channels:
        bits = _Bits(rest, 0)
        row = Decoded(result.f_port, "means_before")
        row.values["samples"], row.states["samples"] = bits.take(4), VALID
        for c in channels:
            coarse = bits.take(BITS[c] - MEAN_SHIFT)
            none = coarse == (1 << (BITS[c] - MEAN_SHIFT)) - 1
            code = (1 << BITS[c]) - 1 if none else min(coarse << MEAN_SHIFT, VALID_CODE_MAX[c])
            field = CHANNELS[c]
            row.values[field.name], row.states[field.name] = field.decode(code)
        result.rows.append(row)
        rest = rest[size:]
    if rest:
        result.warnings.append("%d B after the end were not read" % len(rest))
