# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The schema as the network server's codec: codec.js is tables from here and codec_runtime.js."""

from revier_payload import air_batch as batch
from revier_payload.air_batch_decoder import VALID_CODE_MAX
from revier_payload.schema import DOWNLINKS, MESSAGES
from revier_payload.schema.air import CHANNELS
from revier_payload.schema.fields import Choice, Field, Flags, Message
from revier_payload.schema.remote import (
    BACKFILL_REQUEST,
    CONFIGURATION,
    ORDERED,
    RANGES_MAX,
    SETTINGS,
    SETTINGS_MAX,
)

HEAD = """// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// Generated: python tools/payload.py. LoRaWAN payload codec API, TS013-1.0.0.
// One file without imports, for the device profile of a network server. What the fields mean:
// docs/protocol/payload.md. Values are physical; null is no value, and `missing` or `out_of_range`
// names it. An answer has `errors` where nothing could be read; nothing throws.

"""


def codec(runtime: str) -> str:
    """The whole file. runtime: the text of codec_runtime.js."""
    lines = [
        "var REVIER = {",
        "  // name, bits, kind, denominator, minimum, maximum, step, m, names",
    ]
    lines += _messages("uplinks", MESSAGES) + _messages("downlinks", DOWNLINKS)
    lines.append("  channels: [")
    lines += ["    " + _field(field) + "," for field in CHANNELS]
    lines += ["  ],", "  // number, name, lowest, highest, unit, names, as made", "  settings: ["]
    for one in SETTINGS:
        names = ", ".join(['"' + name + '"' for name in one.choices])
        unit = "" if one.unit == "1" else " " + one.unit
        made = "null" if one.default is None else str(one.default)
        row = (one.number, one.name, one.low, one.high, unit, names, made)
        lines.append('    [%d, "%s", %d, %d, "%s", [%s], %s],' % row)
    lines.append("  ],")
    lines.append("  ordered: " + str([list(pair) for pair in ORDERED]) + ",")
    numbers = (
        ("settingsMax", SETTINGS_MAX),
        ("rangesMax", RANGES_MAX),
        ("configurationPort", CONFIGURATION.f_port),
        ("backfillRequestPort", BACKFILL_REQUEST.f_port),
        ("headBits", batch.HEAD_BITS),
        ("particles", batch.PARTICLES),
        ("givesWay", list(batch.GIVES_WAY)),
        ("levelMeans", batch.LEVEL_MEANS),
        ("unaryMax", batch.UNARY_MAX),
        ("escapeBits", batch.ESCAPE_BITS),
        ("meanShift", batch.MEAN_SHIFT),
        ("validCodeMax", VALID_CODE_MAX),
    )
    lines += ["  %s: %s," % (name, value) for name, value in numbers]
    lines[-1] = lines[-1][:-1]
    return HEAD + "\n".join(lines) + "\n};\n\n" + runtime


def _messages(name: str, messages: "dict[int, Message]") -> "list[str]":
    lines = ["  " + name + ": {"]
    for port in sorted(messages):
        m = messages[port]
        head = '    %d: { name: "%s", body: "%s", extras: %d, lengths: %s, fields: ['
        lines.append(head % (port, m.name, m.body, len(m.extras), list(m.lengths)))
        lines += ["      " + _field(field) + "," for field in m.fields + m.extras]
        lines.append("    ] },")
    return lines + ["  },"]


def _field(field: Field) -> str:
    names: "tuple[str, ...]" = ()
    if isinstance(field, Choice):
        names = field.choices
    if isinstance(field, Flags):
        names = field.flags
    return '["%s", %d, "%s", %d, %d, %d, %d, %d, [%s]]' % (
        field.name,
        field.bits,
        field.kind,
        field.denominator,
        field.minimum,
        field.maximum,
        getattr(field, "step", 1),
        getattr(field, "mantissa_bits", 0),
        ", ".join(['"' + name + '"' for name in names]),
    )
