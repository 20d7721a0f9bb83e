# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Messages as ChirpStack writes them in JSON: pbjson's rules, which are not protobuf's own.

Of package `integration` every scalar, list and map is written, also at its default; of all other
packages (`gw`, `common`) defaults are left out. Messages that are not set are absent everywhere.
Times end in `+00:00` and have 0, 3, 6 or 9 digits; bytes are base64; numbers in a Struct are
doubles.
"""

import base64
import json
import math
from ctypes import c_float
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from revier_bench.network_server.times import NS_PER_S

INTEGERS_AS_TEXT = frozenset((FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64))


def to_json(message: Message) -> bytes:
    return json.dumps(to_value(message), separators=(",", ":"), ensure_ascii=False).encode()


def to_value(message: Message) -> Any:
    """The JSON value of a message, of dict, list, str, int, float, bool and None."""
    special = _WELL_KNOWN.get(message.DESCRIPTOR.full_name)
    if special is not None:
        return special(message)
    emit_defaults = message.DESCRIPTOR.file.package == "integration"
    out: dict[str, Any] = {}
    field: Any  # two types of one interface, by the protobuf implementation
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.is_repeated:
            if value or emit_defaults:
                out[field.json_name] = _many(field, value)
        elif field.message_type is not None:
            if message.HasField(field.name):
                out[field.json_name] = to_value(value)
        elif _is_set(message, field, value) or (emit_defaults and not field.containing_oneof):
            out[field.json_name] = _scalar(field, value)
    return out


def _is_set(message: Message, field: FieldDescriptor, value: Any) -> bool:
    return message.HasField(field.name) if field.has_presence else bool(value)


def _many(field: FieldDescriptor, value: Any) -> Any:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        item = entry.fields_by_name["value"]
        return {str(k): _one(item, v) for k, v in value.items()}
    return [_one(field, v) for v in value]


def _one(field: FieldDescriptor, value: Any) -> Any:
    return to_value(value) if field.message_type is not None else _scalar(field, value)


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known is not None else value
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    if field.cpp_type in INTEGERS_AS_TEXT:
        return str(value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT:
        return shortest_float32(value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return value if math.isfinite(value) else None
    return value


def shortest_float32(value: float) -> float | None:
    """The double with the fewest digits that is this float32: 94.48819, not 94.48818969."""
    if not math.isfinite(value):
        return None
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if c_float(short).value == value:
            return short
    return value


def fraction(nanos: int) -> str:
    """A fraction of a second with 0, 3, 6 or 9 digits, as few as hold it."""
    if nanos == 0:
        return ""
    if nanos % 1_000_000 == 0:
        return f".{nanos // 1_000_000:03d}"
    if nanos % 1_000 == 0:
        return f".{nanos // 1_000:06d}"
    return f".{nanos:09d}"


def rfc3339(unix_ns: int) -> str:
    seconds, nanos = divmod(unix_ns, NS_PER_S)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}{fraction(nanos)}+00:00"


def _timestamp(message: Any) -> str:
    return rfc3339(message.seconds * NS_PER_S + message.nanos)


def _duration(message: Any) -> str:
    sign = "-" if message.seconds < 0 or message.nanos < 0 else ""
    return f"{sign}{abs(message.seconds)}{fraction(abs(message.nanos))}s"


def _struct(message: Any) -> dict[str, Any]:
    return {key: _struct_value(value) for key, value in message.fields.items()}


def _struct_value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return value.number_value if math.isfinite(value.number_value) else None
    if kind == "struct_value":
        return _struct(value.struct_value)
    if kind == "list_value":
        return [_struct_value(v) for v in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


_WELL_KNOWN = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.protobuf.Struct": _struct,
}
