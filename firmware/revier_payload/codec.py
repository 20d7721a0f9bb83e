# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Values to bytes and back, by the schema.

encode(f_port, values) -> bytes
    values: name -> int in the field's resolution or None. What is absent is missing; what the
    field cannot hold leaves as 'out of range'. An unknown fPort, an unknown name or a missing
    counter is the caller's bug and raises ValueError. Extras go out where one of them is given.
    Messages with a body have encoders of their own: air_batch, backfill, downlinks.
decode(f_port, data) -> Decoded
    an uplink; never raises, whatever the port and the bytes. decode_downlink: likewise.
"""

from revier_payload import air_batch_decoder, bodies
from revier_payload.decoded import Decoded
from revier_payload.schema import DOWNLINKS, MESSAGES
from revier_payload.schema.fields import MISSING, Field, Message

TABLE_BITS_MAX = 9  # of a field whose answers are worked out once
STEPS: "dict[str, list[tuple[Field, str, int, int, list[tuple[int | None, str]]]]]" = {}

__all__ = ("Decoded", "decode", "decode_downlink", "encode")


def encode(f_port: int, values: "dict[str, int | None]") -> bytes:
    message = MESSAGES.get(f_port)
    if message is None or message.body:
        raise ValueError("no message of fields on fPort " + str(f_port))
    return encode_fields(message, values)


def encode_fields(message: Message, values: "dict[str, int | None]") -> bytes:
    fields = message.fields
    if any(values.get(field.name) is not None for field in message.extras):
        fields = fields + message.extras
    packed = 0
    bits = 0
    known = 0
    for field in fields:
        known += field.name in values
        packed = packed << field.bits | field.encode(values.get(field.name))[0]
        bits += field.bits
    if fields is message.fields:
        known += len([1 for field in message.extras if field.name in values])
    if known != len(values):
        raise ValueError("unknown field in " + ", ".join(sorted(values)))
    length = (bits + 7) // 8
    return (packed << (length * 8 - bits)).to_bytes(length, "big")


def decode(f_port: int, data: "bytes | bytearray") -> Decoded:
    return _decode(MESSAGES, f_port, data)


def decode_downlink(f_port: int, data: "bytes | bytearray") -> Decoded:
    return _decode(DOWNLINKS, f_port, data)


def _decode(messages: "dict[int, Message]", f_port: int, data: "bytes | bytearray") -> Decoded:
    message = messages.get(f_port)
    if message is None:
        result = Decoded(f_port, "")
        result.errors.append("no message on fPort " + str(f_port))
        return result
    result = Decoded(f_port, message.name)
    if len(data) * 8 < message.fields[0].bits:
        result.errors.append("too short to tell what it is: %d B" % len(data))
    elif not message.body:
        decode_fields(message, data, result)
        length = message.length_max
        if len(data) > length:
            result.warnings.append("%d B after the end were not read" % (len(data) - length))
    else:
        _decode_body(message, data, result)
    if result.errors:
        result.clear()
    return result


def _steps(message: Message) -> "list[tuple[Field, str, int, int, list[tuple[int | None, str]]]]":
    """Field, name, bits, mask, and all of its answers where they are few."""
    found = STEPS.get(message.name)
    if found is None:
        found = []
        for field in message.fields + message.extras:
            codes = range(1 << field.bits) if field.bits <= TABLE_BITS_MAX else range(0)
            table = [field.decode(code) for code in codes]
            found.append((field, field.name, field.bits, (1 << field.bits) - 1, table))
        STEPS[message.name] = found
    return found


def decode_fields(message: Message, data: "bytes | bytearray", result: Decoded) -> None:
    """The fields, and the extras if all fields are there. Bytes behind them are not looked at."""
    length = len(data)
    steps = _steps(message)
    if length < message.length:
        result.cut = True
        steps = steps[: len(message.fields)]
    elif length > message.length_max:
        length = message.length_max
        data = data[:length]
    left = length * 8
    packed = int.from_bytes(data, "big")
    values = result.values
    states = result.states
    absent = []
    for field, name, bits, mask, table in steps:
        left -= bits
        if left < 0:
            absent.append(name)
            values[name] = None
            states[name] = MISSING
        elif table:
            values[name], states[name] = table[packed >> left & mask]
        else:
            values[name], states[name] = field.decode(packed >> left & mask)
    if result.cut:
        for field in message.extras:
            values[field.name] = None
            states[field.name] = MISSING
    if absent and length not in message.lengths:
        result.warnings.append("ends before " + ", ".join(absent))


def _decode_body(message: Message, data: "bytes | bytearray", result: Decoded) -> None:
    if message.body != "ranges":
        decode_fields(message, data, result)
        if result.cut:
            result.errors.append("ends before its head does: %d B" % len(data))
            return
    if message.body == "batch":
        air_batch_decoder.decode(data, result)
    elif message.body == "records":
        _decode_records(data, result)
    elif message.body == "settings":
        bodies.decode_settings(data, result)
    else:
        bodies.decode_ranges(message, data, result)


def _decode_records(data: "bytes | bytearray", result: Decoded) -> None:
    """Each record as the uplink that it was or would have been, with its whole sequence."""
    port = result.values["port"]
    message = MESSAGES.get(port or 0)
    if message is None or message.body or message.fields[0].name != "seq" or port == 1:
        result.errors.append("records of no reading: fPort " + str(port))
        return
    for seq, time_s, payload in bodies.records(data, result):
        row = _decode(MESSAGES, message.f_port, payload)
        if row.errors or (row.values["seq"] or 0) != seq & ((1 << message.fields[0].bits) - 1):
            result.errors.append("a record is not of its sequence: " + str(seq))
            return
        row.values["seq"] = seq
        row.time = time_s
        row.data = bytes(payload)
        result.rows.append(row)
        for warning in row.warnings:
            if warning not in result.warnings:
                result.warnings.append(warning)
