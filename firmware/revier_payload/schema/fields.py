# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Kinds of fields: how an integer becomes a code of a few bits, and back; a message is their row.

Every kind knows three states. A measured value that the field cannot hold is OUT_OF_RANGE, a value
that was not measured is MISSING; neither is ever a number. Integers only, no exceptions on codes.

    kind     valid codes         missing            out of range
    Linear   0 .. 2^bits - 3     2^bits - 1         2^bits - 2
    Log      0 .. 2^bits - 3     2^bits - 1         2^bits - 2
    Choice   1 .. 2^bits - 2     0                  2^bits - 1
    Counter  all (low bits)      -                  -
    Flags    all                 -                  -
"""

VALID = "valid"
MISSING = "missing"
OUT_OF_RANGE = "out_of_range"


class Field:
    """Common part. value_of and code_of are each other's inverse on every valid code."""

    kind = ""
    required = False

    def __init__(self, name: str, bits: int, unit: str, denominator: int, meaning: str) -> None:
        self.name = name
        self.bits = bits
        self.unit = unit  # UCUM; "1" for a number without unit
        self.denominator = denominator  # physical value = value / denominator, a power of ten
        self.meaning = meaning
        self.missing_code = (1 << bits) - 1
        self.out_of_range_code = (1 << bits) - 2
        self.minimum = 0
        self.maximum = (1 << bits) - 3

    def code_of(self, value: int) -> int:
        """Nearest code of a value between minimum and maximum."""
        return value

    def value_of(self, code: int) -> int:
        return code

    def encode(self, value: "int | None") -> "tuple[int, str]":
        if value is None:
            return self.missing_code, MISSING
        if value < self.minimum or value > self.maximum:
            return self.out_of_range_code, OUT_OF_RANGE
        return self.code_of(value), VALID

    def decode(self, code: int) -> "tuple[int | None, str]":
        if code == self.missing_code:
            return None, MISSING
        value = self.value_of(code)
        if code == self.out_of_range_code or value > self.maximum:
            return None, OUT_OF_RANGE
        return value, VALID


class Linear(Field):
    """Equal steps from minimum. maximum, if given, must be a whole number of steps away."""

    kind = "linear"

    def __init__(
        self,
        name: str,
        bits: int,
        unit: str,
        meaning: str,
        step: int = 1,
        minimum: int = 0,
        maximum: "int | None" = None,
        denominator: int = 1,
    ) -> None:
        Field.__init__(self, name, bits, unit, denominator, meaning)
        self.step = step
        self.minimum = minimum
        top = minimum + step * ((1 << bits) - 3)
        self.maximum = top if maximum is None else maximum
        assert self.maximum <= top
        assert (self.maximum - minimum) % step == 0

    def code_of(self, value: int) -> int:
        return (value - self.minimum + self.step // 2) // self.step

    def value_of(self, code: int) -> int:
        return self.minimum + code * self.step


class Log(Field):
    """A small floating point number: codes below 2^(m+1) are whole steps, then the step doubles.

    code = exponent << m | mantissa; value = step * mantissa for exponents 0 and 1 (as one number),
    step * (2^m + mantissa) << (exponent - 1) above. The relative step is between 2^-(m+1) and 2^-m.
    """

    kind = "log"

    def __init__(
        self,
        name: str,
        bits: int,
        unit: str,
        meaning: str,
        mantissa_bits: int,
        step: int = 1,
        maximum: "int | None" = None,
        denominator: int = 1,
    ) -> None:
        Field.__init__(self, name, bits, unit, denominator, meaning)
        self.mantissa_bits = mantissa_bits
        self.step = step
        top = self.value_of((1 << bits) - 3)
        self.maximum = top if maximum is None else maximum
        assert self.maximum <= top
        assert self.value_of(self.code_of(self.maximum)) == self.maximum

    def code_of(self, value: int) -> int:
        mantissa_end = 2 << self.mantissa_bits
        exponent = 0
        unit = self.step
        while value // unit >= mantissa_end:
            exponent += 1
            unit += unit
        # Rounding up to mantissa_end gives the first code of the next exponent, as it should.
        return (exponent << self.mantissa_bits) + (value + unit // 2) // unit

    def value_of(self, code: int) -> int:
        exponent = code >> self.mantissa_bits
        if exponent < 2:
            return self.step * code
        mantissa = code & ((1 << self.mantissa_bits) - 1)
        return self.step * (mantissa + (1 << self.mantissa_bits)) << (exponent - 1)


class Choice(Field):
    """One of a few named values, numbered from 1; 0 says 'unknown', which is missing."""

    kind = "choice"

    def __init__(self, name: str, bits: int, meaning: str, choices: "tuple[str, ...]") -> None:
        Field.__init__(self, name, bits, "1", 1, meaning)
        self.choices = choices
        self.missing_code = 0
        self.out_of_range_code = (1 << bits) - 1
        self.minimum = 0  # a caller's 0 is 'unknown' and leaves as the missing code
        self.maximum = len(choices)
        assert self.maximum < self.out_of_range_code

    def encode(self, value: "int | None") -> "tuple[int, str]":
        if value == 0:
            return 0, MISSING
        return Field.encode(self, value)


class Counter(Field):
    """The low bits of a number that only grows. Always there; the receiver widens it."""

    kind = "counter"
    required = True

    def __init__(self, name: str, bits: int, meaning: str) -> None:
        Field.__init__(self, name, bits, "1", 1, meaning)
        self.maximum = (1 << bits) - 1

    def encode(self, value: "int | None") -> "tuple[int, str]":
        if value is None:
            raise ValueError("field " + self.name + " must be given")
        return value & self.maximum, VALID

    def decode(self, code: int) -> "tuple[int | None, str]":
        return code, VALID


class Flags(Field):
    """Independent bits, the first name is bit 0. A flag that nobody set is 0."""

    kind = "flags"

    def __init__(self, name: str, bits: int, meaning: str, flags: "tuple[str, ...]") -> None:
        Field.__init__(self, name, bits, "1", 1, meaning)
        assert len(flags) <= bits
        self.flags = flags
        self.maximum = (1 << bits) - 1

    def encode(self, value: "int | None") -> "tuple[int, str]":
        return (value or 0) & self.maximum, VALID

    def decode(self, code: int) -> "tuple[int | None, str]":
        return code, VALID


class Message:
    """A row of fields; `extras` follow where the sender has room for them, and from later versions.

    A message ends after its fields or after any extra that ends a byte (`lengths`). `body` names
    what follows the fields where that is no row of fields: see bodies.py.
    """

    def __init__(
        self,
        f_port: int,
        name: str,
        kind: str,
        meaning: str,
        fields: "tuple[Field, ...]",
        extras: "tuple[Field, ...]" = (),
        body: str = "",
    ) -> None:
        self.f_port = f_port
        self.name = name
        self.kind = kind  # of node: air, parking, waste; "" for every node
        self.meaning = meaning
        self.fields = fields
        self.extras = extras
        self.body = body
        self.bits = sum(field.bits for field in fields)
        self.length = (self.bits + 7) // 8
        ends = [self.bits + sum(f.bits for f in extras[: n + 1]) for n in range(len(extras))]
        assert not extras or not self.bits % 8
        self.lengths = (self.length,) + tuple([end // 8 for end in ends if not end % 8])
        self.length_max = self.lengths[-1]
        assert not extras or ends[-1] == self.length_max * 8


def seq(bits: int) -> Counter:
    return Counter("seq", bits, "low bits of the node's 32-bit reading sequence")


def battery() -> Linear:
    # One lithium cell, down to below the brown-out of a 3.3 V regulator.
    return Linear("battery", 4, "V", "battery voltage", 125, 2600, denominator=1000)


# Common to several messages
NODE_FLAGS = ("sensor_fault", "uncalibrated", "clock_unknown", "restarted")
