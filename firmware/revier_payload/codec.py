# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Values to bytes and back, by the schema.

encode(f_port, values) -> bytes
    values: name -> int in the field's resolution or None. What is absent is missing; what the
    field cannot hold leaves as 'out of range'. An unknown fPort, an unknown name or a missing
    `seq` is the caller's bug and raises ValueError.
decode(f_port, data) -> Decoded
    never raises, whatever the port and the bytes.
"""

from revier_payload.fields import MISSING
from revier_payload.schema import MESSAGES


class Decoded:
    """values: name -> int or None. states: name -> VALID, MISSING, OUT_OF_RANGE.

    errors: nothing could be read (values is empty). warnings: read, but not as the schema has it.
    """

    def __init__(self, f_port: int, name: str) -> None:
        self.f_port = f_port
        self.name = name  # of the message, "" if the fPort is unknown
        self.values: dict[str, "int | None"] = {}
        self.states: dict[str, str] = {}
        self.errors: list[str] = []
        self.warnings: list[str] = []


def encode(f_port: int, values: "dict[str, int | None]") -> bytes:
    message = MESSAGES.get(f_port)
    if message is None:
        raise ValueError("no message on fPort " + str(f_port))
    return message.encode(values)


def decode(f_port: int, data: "bytes | bytearray") -> Decoded:
    message = MESSAGES.get(f_port)
    result = Decoded(f_port, message.name if message else "")
    if message is None:
        result.errors.append("no message on fPort " + str(f_port))
        return result
    length = message.length
    left = len(data) * 8
    if left < message.fields[0].bits:
        result.errors.append("too short to tell which reading it is: %d B" % len(data))
        return result
    if len(data) > length:
        result.warnings.append("%d B after the end were not read" % (len(data) - length))
        data = data[:length]
        left = length * 8
    packed = int.from_bytes(data, "big")
    absent = []
    for field in message.fields:
        left -= field.bits
        name = field.name
        if left < 0:
            absent.append(name)
            result.values[name] = None
            result.states[name] = MISSING
        else:
            code = packed >> left & ((1 << field.bits) - 1)
            result.values[name], result.states[name] = field.decode(code)
    if absent:
        result.warnings.append("ends before " + ", ".join(absent))
    return result
