# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What comes from the schema: the node's packers, settings.py, readings.py, codec.js, the page.

files() is all of it as text; tools/payload.py writes it.
"""

from revier_payload.schema import MESSAGES
from revier_payload.schema.fields import Choice, Counter, Field, Flags, Log, Message
from revier_payload.schema.remote import ORDERED, SETTINGS, SETTINGS_MAX

ROOM = __file__.replace("\\", "/").rpartition("/")[0]
PAGE = ROOM + "/../../docs/protocol/payload.md"
# A node's module -> the messages that it packs; a node imports only what it sends.
MODULES = {
    "air": (10,),
    "air_batch_head": (11,),
    "air_co2": (12,),
    "alarm": (6,),
    "configuration_answer": (3,),
    "diagnosis": (1,),
    "parking": (20, 21),
    "waste": (30,),
    "waste_emptied": (31,),
}
HEAD = """# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Generated from schema/: python tools/payload.py
"""


def files() -> "dict[str, str]":
    """Path -> text."""
    from revier_payload.document import page
    from revier_payload.javascript import codec

    made = {}
    for name, ports in MODULES.items():
        made[ROOM + "/" + name + ".py"] = _packers(ports)
    made[ROOM + "/settings.py"] = _settings()
    made[ROOM + "/readings.py"] = _readings()
    with open(ROOM + "/codec_runtime.js", encoding="utf-8") as source:
        runtime = source.read().partition("\n\n")[2]
    made[ROOM + "/codec.js"] = codec(runtime)
    made[PAGE] = page()
    return made


def how_of(field: Field) -> int:
    """As pack.py numbers the kinds."""
    if isinstance(field, Log):
        return field.mantissa_bits
    return -2 if isinstance(field, Choice) else {Flags: -3, Counter: -4}.get(type(field), -1)


def _packers(ports: "tuple[int, ...]") -> str:
    lines = [HEAD + '"""Packed by a node: fPort ' + " and ".join([str(p) for p in ports]) + '."""']
    lines += ["", "from revier_payload.pack import Packer", ""]
    for port in ports:
        message = MESSAGES[port]
        lines += [message.name.upper() + " = Packer(", "    %d," % port, "    %d," % message.length]
        lines.append("    (")
        for f in message.fields + message.extras:
            step = getattr(f, "step", 1)
            row = (f.name, f.bits, how_of(f), step, f.minimum, f.maximum)
            lines.append('        ("%s", %d, %d, %d, %d, %d),' % row)
        lines += ["    ),", ")"]
    return "\n".join(lines) + "\n"


def _settings() -> str:
    lines = [
        HEAD + '"""What a node takes as its configuration: number, kind, lowest, highest."""',
        "",
    ]
    lines += ["SETTINGS_MAX = %d" % SETTINGS_MAX, "SETTINGS = ("]
    for one in SETTINGS:
        lines.append('    (%d, "%s", %d, %d),' % (one.number, one.kind, one.low, one.high))
    lines += [")", "ORDERED = ("]
    lines += ["    (%d, %d)," % pair for pair in ORDERED]
    return "\n".join(lines + [")"]) + "\n"


def _readings() -> str:
    doc = '"""Uplinks with typed attributes in physical units: what typed.read() answers."""'
    lines = [HEAD + doc, "", "from revier_payload.typed import Reading", ""]
    for port in sorted(MESSAGES):
        lines += [""] + _class(MESSAGES[port]) + [""]
    lines += ["", "CLASSES: dict[str, type[Reading]] = {"]
    lines += ['    "%s": %s,' % (m.name, _camel(m.name)) for _, m in sorted(MESSAGES.items())]
    return "\n".join(lines + ["}"]) + "\n"


def _class(message: Message) -> "list[str]":
    lines = ["class " + _camel(message.name) + "(Reading):"]
    lines += ['    """%s: fPort %d."""' % (message.meaning, message.f_port), ""]
    for field in message.fields + message.extras:
        unit = "" if field.unit == "1" else "  # " + field.unit
        lines.append("    %s: %s%s" % (field.name, _type(field), unit))
    return lines


def _type(field: Field) -> str:
    if isinstance(field, Flags):
        return "tuple[str, ...]"
    if isinstance(field, Counter):
        return "int"
    if isinstance(field, Choice):
        return "str | None"
    return "int | None" if field.denominator == 1 else "float | None"


def _camel(name: str) -> str:
    return "".join([part[0].upper() + part[1:] for part in name.split("_")])
