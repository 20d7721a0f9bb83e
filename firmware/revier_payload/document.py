# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The schema as a page for people: docs/protocol/payload.md is what page() returns.

generate.py writes it. The node does not import this file.
"""

from revier_payload.bodies_text import BODIES
from revier_payload.schema import DOWNLINKS, MESSAGES
from revier_payload.schema.fields import Choice, Counter, Field, Flags, Linear, Log, Message
from revier_payload.schema.remote import ORDERED, SETTINGS

HEAD = """<!-- SPDX-FileCopyrightText: 2026 The Revier authors -->
<!-- SPDX-License-Identifier: EUPL-1.2 -->
<!-- Generated: python tools/payload.py -->

# Payload

What a Revier node sends and takes, to the bit. Generated from `firmware/revier_payload/schema/`,
as are the node's packers, the typed readings (`readings.py`) and `codec.js`, the codec (TS013) that
`revier-provision` puts into ChirpStack's device profile.

- The **fPort is the schema id**. It is never used again for another meaning, and an uplink and a
  downlink do not share one.
- Fields follow each other without gaps, **most significant bit first**; the last byte is filled
  with zero bits.
- Messages only grow at the end. What is marked *extra* follows where the sender has room for it, or
  is of a later version; a message may end before any of them. A decoder ignores bytes after the end
  that it knows and says so (`warnings`); from a message that is shorter than it ever was it takes
  the fields that are whole, and says which are not.
- What cannot be read at all gives `errors` and no values. No bytes make a decoder throw; no bytes
  at all, or fPort 0 (a frame of the MAC), are no error and give an empty object.
- A field is **valid**, **missing** (not measured) or **out of range** (measured, but more or less
  than the field holds). Missing and out of range have codes of their own and are never numbers.
- `seq` are the low bits of the node's reading sequence, one 32-bit counter for all readings of a
  node. It may skip and never repeats, also after a rejoin or a power loss. A frame carries one new
  reading at most; a node that sends batches sets `batches` in a diagnosis, and repeats that until
  it is answered, before the first batch and as long as it sends them.
- Integers only. A value in a decoder's answer is an integer in the resolution of the column
  'resolution'; the physical value is that integer times the resolution. (`codec.js` and the typed
  readings answer with physical values: numbers, names of choices, lists of the flags that are set.)

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
    lines = [HEAD, "## Messages", ""]
    lines += ["| fPort | | name | length | meaning |", "|---|---|---|---|---|"]
    every = [(port, "up", m) for port, m in MESSAGES.items()]
    every += [(port, "down", m) for port, m in DOWNLINKS.items()]
    every.sort(key=lambda entry: entry[0])
    for port, way, m in every:
        lines.append("| %d | %s | `%s` | %s | %s |" % (port, way, m.name, _length(m), m.meaning))
    for _, way, m in every:
        lines.append("")
        lines.extend(_message(m, way))
    return "\n".join(lines) + "\n"


def _length(message: Message) -> str:
    if message.body == "ranges":
        return "n x %d B" % message.length
    if message.body:
        return "%d B and %s" % (message.length, message.body)
    if message.extras:
        return "%d B, at most %d B" % (message.length, message.length_max)
    return "%d B" % message.length


def _message(message: Message, way: str) -> "list[str]":
    title = "## fPort %d %s: %s (%s)"
    lines = [title % (message.f_port, way, message.name, _length(message)), ""]
    lines.append(message.meaning + ".")
    lines.append("")
    lines.append("| bits | field | kind | resolution | steps | range | missing | out of range |")
    lines.append("|---|---|---|---|---|---|---|---|")
    at = 0
    for field in message.fields + message.extras:
        span = "%d..%d" % (at, at + field.bits - 1)
        extra = ", extra" if field in message.extras else ""
        columns = " | ".join(_columns(field))
        lines.append("| %s | `%s`%s | %s |" % (span, field.name, extra, columns))
        at += field.bits
    if message.length * 8 > at and not message.body:
        lines.append("| %d..%d | zero | | | | | | |" % (at, message.length * 8 - 1))
    lines.append("")
    fields = message.fields + message.extras
    lines.extend("- `%s`: %s%s" % (f.name, f.meaning, _names(f)) for f in fields)
    if message.body:
        lines += ["", BODIES[message.body].strip()]
    if message.body == "settings":
        lines += [""] + _settings()
    return lines


def _settings() -> "list[str]":
    lines = ["| number | setting | node | unit | lowest | highest | as made | meaning |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    row = "| %d | `%s` | %s | %s | %d | %d | %s | %s |"
    names = {}
    for s in SETTINGS:
        names[s.number] = s.name
        made = "by kind" if s.default is None else str(s.default)
        choices = ", ".join(["%d `%s`" % (s.low + i, name) for i, name in enumerate(s.choices)])
        meaning = s.meaning + (" (" + choices + ")" if choices else "")
        cells = (s.number, s.name, s.kind or "all", s.unit, s.low, s.high, made, meaning)
        lines.append(row % cells)
    lines.append("")
    pairs = ["`%s` must not exceed `%s`" % (names[low], names[high]) for low, high in ORDERED]
    text = ", ".join(pairs[:-1]) + " and " + pairs[-1]
    return lines + [text + "; one that is not set counts as the node was made."]


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
