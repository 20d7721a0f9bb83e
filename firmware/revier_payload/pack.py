# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's side of a message: values to bytes, from a table that generate.py writes.

A row of the table: name, bits, how, step, lowest, highest. `how` is a Log's mantissa bits or one of
the negative numbers below. What each kind means: schema/fields.py, which the tests hold against
this file for every field and value.
"""

LINEAR = -1
CHOICE = -2
FLAGS = -3
COUNTER = -4


class Packer:
    """f_port, length: of the schema. extras: how many of the last rows are left out of `length`."""

    def __init__(
        self, f_port: int, length: int, table: "tuple[tuple[str, int, int, int, int, int], ...]"
    ) -> None:
        self.f_port = f_port
        self.length = length
        self.table = table

    def encode(self, values: "dict[str, int | None]", length: int = 0) -> bytes:
        """length: in bytes, with that much of the schema's extras; 0 is without.

        What is absent or None is missing; what the field cannot hold leaves as 'out of range'.
        An unknown name or a missing counter is the caller's bug and raises ValueError.
        """
        length = length or self.length
        packed = bits_all = known = 0
        for row in self.table:
            known += row[0] in values
            packed = packed << row[1] | code_of(row, values.get(row[0]))
            bits_all += row[1]
        if known != len(values):
            raise ValueError("unknown field in " + ", ".join(sorted(values)))
        bits_all -= length * 8
        return (packed >> bits_all if bits_all > 0 else packed << -bits_all).to_bytes(length, "big")


def code_of(row: "tuple[str, int, int, int, int, int]", value: "int | None") -> int:
    name, bits, how, step, low, high = row
    top: int = (1 << bits) - 1
    if how <= FLAGS:
        if value is None and how == COUNTER:
            raise ValueError("field " + name + " must be given")
        return (value or 0) & top
    if how == CHOICE:
        value = value or 0
        return value if 0 <= value <= high else top
    if value is None:
        return top
    if value < low or value > high:
        return top - 1
    exponent = 0
    if how >= 0:
        while value // step >= 2 << how:
            exponent += 1
            step += step
        exponent <<= how
    # Rounding up to the end of the mantissa gives the next exponent's first code, as it should.
    code: int = exponent + (value - low + step // 2) // step
    return code
