# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Downlinks, packed by who sends them. What a node would refuse raises ValueError."""

from revier_payload.schema.remote import ORDERED, RANGES_MAX, SETTINGS, SETTINGS_MAX

KEEP, DEFAULT = 1, 2
BY_NAME = {setting.name: setting for setting in SETTINGS}


def configuration(settings: "dict[str, int]", default: bool = False) -> bytes:
    """default: every setting that is not named goes back to what the node was made with."""
    if len(settings) > SETTINGS_MAX:
        raise ValueError("at most %d settings" % SETTINGS_MAX)
    entries = []
    by_number = {}
    for name, value in settings.items():
        setting = BY_NAME.get(name)
        if setting is None:
            raise ValueError("unknown setting " + name)
        if not setting.low <= value <= setting.high:
            raise ValueError("%s must be %d to %d" % (name, setting.low, setting.high))
        by_number[setting.number] = value
        entries.append(bytes((setting.number, value >> 8, value & 0xFF)))
    for first, second in ORDERED:
        if by_number.get(first, 0) > by_number.get(second, 0xFFFF):
            raise ValueError("setting %d must not exceed setting %d" % (first, second))
    return bytes((DEFAULT if default else KEEP,)) + b"".join(sorted(entries))


def backfill_request(ranges: "list[tuple[int, int]]") -> bytes:
    """ranges: (whole sequence of the first reading, how many: 1 to 254)."""
    if not 0 < len(ranges) <= RANGES_MAX:
        raise ValueError("1 to %d ranges" % RANGES_MAX)
    data = b""
    for first, count in ranges:
        if not 0 <= first <= 0xFFFFFFFF or not 1 <= count <= 254:
            raise ValueError("a range is a sequence of 32 bits and 1 to 254 readings")
        data += first.to_bytes(4, "big") + bytes((count - 1,))
    return data
