# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The schema as a page for people: docs/protocol/payload.md is what page() returns.

    python -m revier_payload.document > docs/protocol/payload.md

The node does not import this file.
"""

from revier_payload.fields import Choice, Counter, Field, Flags, Linear, Log
from revier_payload.schema import MESSAGES, Message

HEAD = """<!-- SPDX-FileCopyrightText: 2026 The Revier authors -->
<!-- SPDX-License-Identifier: EUPL-1.2 -->
<!-- Generated: python -m revier_payload.document > docs/protocol/payload.md -->

# Payload

What a Revier node sends, to the bit. Generated from `firmware/revier_payload/schema.py`.

- The **fPort is the schema id**. It is never used again for another meaning.
- Fields follow each other without gaps, **most significant bit first**; the last byte is filled
  with zero bits.
- Messages only grow at the end. A decoder ignores bytes after the end that it knows and says so;
  from a shorter message it takes the fields that are whole, and says which are not.
- A field is **valid**, **missing** (not measured) or **out of range** (measured, but more or less
  than the field holds). Missing and out of range have codes of their own and are never numbers.
- `seq` are the low bits of the node's reading sequence, one 32-bit counter for all readings of a
  node. It may skip and never repeats, also after a rejoin or a power loss.
- Integers only. A value in a decoder's answer is an integer in the resolution of the column
  'resolution'; the physical value is that integer times the resolution.

Kinds of fields:

- *linear*: value = lowest value + code x step.
- *log*: a small floating point number with m mantissa bits: exponent = code >> m, mantissa = the
  low m bits. Exponents 0 and 1: value = code x step. Above:
  value = (2^m + mantissa) x step x 2^(exponent - 1).
- *choice*: one of a few named values from 1; 0 is 'unknown', which is missing.
- *counter*: low bits of a number that only grows. *flags*: independent bits, bit 0 first.
  Both are always there.
"""


def page() -> str:
    ports = sorted(MESSAGES)
    lines = [HEAD, "## Messages", "", "| fPort | name | length | meaning |", "|---|---|---|---|"]
    for port in ports:
        m = MESSAGES[port]
        lines.append("| %d | `%s` | %d B | %s |" % (port, m.name, m.length, m.meaning))
    for port in ports:
        lines.append("")
        lines.extend(_message(MESSAGES[port]))
    return "\n".join(lines) + "\n"


def _message(message: Message) -> "list[str]":
    lines = ["## fPort %d: %s (%d B)" % (message.f_port, message.name, message.length), ""]
    lines.append(message.meaning + ".")
    lines.append("")
    lines.append("| bits | field | kind | resolution | steps | range | missing | out of range |")
    lines.append("|---|---|---|---|---|---|---|---|")
    at = 0
    for field in message.fields:
        span = "%d..%d" % (at, at + field.bits - 1)
        lines.append("| %s | `%s` | %s |" % (span, field.name, " | ".join(_columns(field))))
        at += field.bits
    if message.length * 8 > at:
        lines.append("| %d..%d | zero | | | | | | |" % (at, message.length * 8 - 1))
    lines.append("")
    lines.extend("- `%s`: %s%s" % (f.name, f.meaning, _names(f)) for f in message.fields)
    return lines


def _columns(field: Field) -> "tuple[str, ...]":
    if isinstance(field, (Counter, Flags)):
        return (field.kind, "1", "1", "0..%d" % field.maximum, "-", "-")
    steps = "1"
    if isinstance(field, Linear):
        steps = _physical(field, field.step)
    if isinstance(field, Log):
        steps = "%s, m = %d" % (_physical(field, field.step), field.mantissa_bits)
    lowest = field.minimum + isinstance(field, Choice)
    return (
        field.kind,
        (_physical(field, 1) + " " + field.unit) if field.unit != "1" else "1",
        steps,
        "%s..%s" % (_physical(field, lowest), _physical(field, field.maximum)),
        str(field.missing_code),
        str(field.out_of_range_code),
    )


def _names(field: Field) -> str:
    if isinstance(field, Choice):
        names = ["%d %s" % (i + 1, name) for i, name in enumerate(field.choices)]
        return " (0 unknown, " + ", ".join(names) + ")"
    if isinstance(field, Flags):
        return " (" + ", ".join("bit %d %s" % (i, n) for i, n in enumerate(field.flags)) + ")"
    return ""


def _physical(field: Field, value: int) -> str:
    """Exact decimal text of value / denominator."""
    if field.denominator == 1:
        return str(value)
    sign = "-" if value < 0 else ""
    places = len(str(field.denominator)) - 1
    digits = str(abs(value))
    digits = "0" * (places + 1 - len(digits)) + digits
    return sign + digits[:-places] + "." + digits[-places:]


if __name__ == "__main__":
    print(page(), end="")
