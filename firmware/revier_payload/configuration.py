# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's configuration over the air: all of a downlink is taken over, or nothing.

A configuration is bytes: entries of three, the setting's number and its value, by number; empty is
'everything as the node is made'. docs/protocol/payload.md, fPorts 2 and 3.
"""

from revier_payload.settings import ORDERED, SETTINGS, SETTINGS_MAX

KEEP, DEFAULT = 1, 2
# As the schema's RESULTS, from 1
APPLIED, LENGTH, MODE, UNKNOWN, KIND, RANGE, TWICE, ORDER = range(1, 9)


def hash_of(data: bytes) -> int:
    """CRC-16/CCITT-FALSE, folded into what a field of 16 bits holds beside its two states."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc % 65534


def apply(current: bytes, downlink: bytes, kind: str) -> "tuple[int, int, bytes]":
    """(result, number of the refused setting or 0, configuration from now on)."""
    body = downlink[1:]
    if not downlink or len(body) % 3 or len(body) > 3 * SETTINGS_MAX:
        return LENGTH, 0, current
    if downlink[0] not in (KEEP, DEFAULT):
        return MODE, 0, current
    wanted = entries(current) if downlink[0] == KEEP else {}
    seen = []
    for at in range(0, len(body), 3):
        number, value = body[at], body[at + 1] << 8 | body[at + 2]
        refused = _refusal(number, value, kind) or (TWICE if number in seen else 0)
        if refused:
            return refused, number, current
        seen.append(number)
        wanted[number] = value
    for first, second in ORDERED:
        if _value(wanted, first) > _value(wanted, second):
            return ORDER, first, current
    return APPLIED, 0, pack(wanted)


def _value(wanted: "dict[int, int]", number: int) -> int:
    made = next(setting[6] for setting in SETTINGS if setting[0] == number)
    return wanted.get(number, made or 0)


def _refusal(number: int, value: int, kind: str) -> int:
    for known, _, of_kind, _, low, high, _, _ in SETTINGS:
        if known == number:
            if of_kind and of_kind != kind:
                return KIND
            return 0 if low <= value <= high else RANGE
    return UNKNOWN


def entries(configuration: bytes) -> "dict[int, int]":
    """number -> value; of a configuration, or of a downlink behind its first byte."""
    return {
        configuration[at]: configuration[at + 1] << 8 | configuration[at + 2]
        for at in range(0, len(configuration) - 2, 3)
    }


def pack(wanted: "dict[int, int]") -> bytes:
    data = bytearray()
    for number in sorted(wanted):
        data.extend(bytes((number, wanted[number] >> 8, wanted[number] & 0xFF)))
    return bytes(data)


def answer(downlink: bytes, result: int, setting: int, configuration: bytes) -> "dict[str, int]":
    """The values of the answer on fPort 3."""
    return {
        "request_hash": hash_of(downlink),
        "config_hash": hash_of(configuration),
        "result": result,
        "setting": setting,
    }
