# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Decoded integers as physical values: the object that codec.js gives for the same bytes."""

from revier_payload.bodies import BY_NUMBER
from revier_payload.decoded import Decoded
from revier_payload.schema import DOWNLINKS, MESSAGES
from revier_payload.schema.air import CHANNELS
from revier_payload.schema.fields import MISSING, OUT_OF_RANGE, Choice, Field, Flags


def physical(field: Field, value: "int | None") -> object:
    """A number in the field's unit, a choice's name, the names of the flags that are set."""
    if isinstance(field, Flags):
        return flag_names(field.flags, value or 0)
    if value is None:
        return None
    if isinstance(field, Choice):
        return field.choices[value - 1]
    return value if field.denominator == 1 else value / field.denominator


def flag_names(names: "tuple[str, ...]", bits: int) -> "list[str]":
    """Bits that this version has no name for are kept by number."""
    found = []
    for bit in range(32):
        if bits >> bit & 1:
            found.append(names[bit] if bit < len(names) else "bit" + str(bit))
    return found


def object_of(decoded: Decoded) -> "dict[str, object]":
    """`data` of TS013's answer; of an uplink or a downlink without errors."""
    message = MESSAGES.get(decoded.f_port) or DOWNLINKS[decoded.f_port]
    fields = message.fields + message.extras
    data = {} if message.body == "ranges" else _values(fields, decoded)
    data["message"] = message.name
    rows = decoded.rows
    if message.body == "settings":
        data["settings"] = {
            row.name or "setting_" + str(row.values["number"]): _setting(row) for row in rows
        }
    elif message.body == "ranges":
        data["ranges"] = [_values(fields, row) for row in rows]
    elif message.body == "records":
        readings = []
        for row in rows:
            of = MESSAGES[row.f_port]
            reading = _values(of.fields + of.extras, row)
            reading["time"] = row.time
            readings.append(reading)
        data["readings"] = readings
    elif message.body == "batch":
        readings = []
        for row in rows:
            if row.name == "means_before":
                data["means_before"] = _values((message.fields[2],) + CHANNELS, row)
                continue
            reading = _values((message.fields[0],) + CHANNELS, row)
            reading["after"] = row.time
            readings.append(reading)
        data["readings"] = readings
    return data


def _setting(row: Decoded) -> "int | str | None":
    """The name of the value where it has one."""
    value = row.values["value"]
    setting = BY_NUMBER.get(row.values["number"] or 0)
    if value is None or setting is None or not setting.choices:
        return value
    return setting.choices[value - setting.low]


def _values(fields: "tuple[Field, ...]", decoded: Decoded) -> "dict[str, object]":
    data: "dict[str, object]" = {}
    missing = []
    out_of_range = []
    for field in fields:
        state = decoded.states.get(field.name)
        if state is None:
            continue
        data[field.name] = physical(field, decoded.values[field.name])
        if state == MISSING:
            missing.append(field.name)
        elif state == OUT_OF_RANGE:
            out_of_range.append(field.name)
    if missing:
        data["missing"] = missing
    if out_of_range:
        data["out_of_range"] = out_of_range
    return data
