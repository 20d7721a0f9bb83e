# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What follows a message's fields where that is no row of fields: settings, ranges, records."""

from revier_payload.decoded import Decoded
from revier_payload.schema.fields import OUT_OF_RANGE, VALID, Message
from revier_payload.schema.remote import RANGES_MAX, SETTINGS, SETTINGS_MAX

RANGE_SIZE = 5
UNKNOWN_TIME = 0xFFFF
BY_NUMBER = {setting.number: setting for setting in SETTINGS}


def decode_settings(data: "bytes | bytearray", result: Decoded) -> None:
    """One row for each setting: number, value; out of range where a node would refuse it."""
    if (len(data) - 1) % 3:
        result.errors.append("settings of 3 B each and a rest: %d B" % len(data))
    if len(data) > 1 + 3 * SETTINGS_MAX:
        result.errors.append("more settings than a node takes")
    if result.errors:
        return
    for at in range(1, len(data), 3):
        number, value = data[at], data[at + 1] << 8 | data[at + 2]
        setting = BY_NUMBER.get(number)
        row = Decoded(result.f_port, setting.name if setting else "")
        good = setting is not None and setting.low <= value <= setting.high
        row.values = {"number": number, "value": value if good else None}
        row.states = {"number": VALID, "value": VALID if good else OUT_OF_RANGE}
        if setting is None:
            result.warnings.append("unknown setting " + str(number))
        result.rows.append(row)


def decode_ranges(message: Message, data: "bytes | bytearray", result: Decoded) -> None:
    if len(data) % RANGE_SIZE:
        result.errors.append("ranges of 5 B each and a rest: %d B" % len(data))
    if len(data) > RANGE_SIZE * RANGES_MAX:
        result.errors.append("more ranges than a node takes")
    if result.errors:
        return
    for at in range(0, len(data), RANGE_SIZE):
        row = Decoded(result.f_port, message.name)
        row.values["first"] = int.from_bytes(data[at : at + 4], "big")
        row.states["first"] = VALID
        row.values["count"], row.states["count"] = message.fields[1].decode(data[at + 4])
        result.rows.append(row)


def records(
    data: "bytes | bytearray", result: Decoded
) -> "list[tuple[int, int | None, bytes | bytearray]]":
    """[(seq, Unix time or None, payload)]; a rest that is no whole record becomes a warning."""
    seq, time_s, size = result.values["seq"] or 0, result.values["time"], result.values["size"]
    found: "list[tuple[int, int | None, bytes | bytearray]]" = []
    if size is None or len(data) < 10 + size:
        result.errors.append("ends before its first record does")
        return found
    found.append((seq, time_s, data[10 : 10 + size]))
    at = 10 + size
    while at + 3 + size <= len(data):
        seq = (seq + data[at]) & 0xFFFFFFFF
        after = data[at + 1] << 8 | data[at + 2]
        time_s = None if time_s is None or after == UNKNOWN_TIME else time_s + after
        found.append((seq, time_s, data[at + 3 : at + 3 + size]))
        at += 3 + size
    if at < len(data):
        result.warnings.append("%d B after the end were not read" % (len(data) - at))
    return found
