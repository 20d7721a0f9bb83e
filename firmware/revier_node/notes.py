# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What few wakes need to remember, in RTC memory behind the two slots of store_rtc.py.

    1416..   CRC-32, length, JSON: {"wait": ..., "held": ..., "time": ...}, each its owner's
A write that is cut loses the notes, never a slot: their owners do without them.
"""

import binascii
import json
import struct

import machine

from revier_node.store_rtc import HEADER_SIZE, SLOT_SIZE

_AT = HEADER_SIZE + 2 * SLOT_SIZE
_HEAD = "<IH"
_HEAD_SIZE = 6
NOTES_MAX = 2048 - _AT - _HEAD_SIZE


def load() -> dict:
    memory = machine.RTC().memory()
    if len(memory) < _AT + _HEAD_SIZE:
        return {}
    crc, length = struct.unpack_from(_HEAD, memory, _AT)
    text = memory[_AT + _HEAD_SIZE : _AT + _HEAD_SIZE + length]
    if not length or len(text) != length or binascii.crc32(text) != crc:
        return {}
    notes: dict = json.loads(text)
    return notes


def save(owner: str, what: object) -> None:
    """In place of the owner's note; None: no more. It must be as JSON can say it."""
    notes = load()
    notes.pop(owner, None)
    if what is not None:
        notes[owner] = what
    text = json.dumps(notes, separators=(",", ":")).encode()
    assert len(text) <= NOTES_MAX
    rtc = machine.RTC()
    memory = bytearray(rtc.memory())
    memory += bytes(max(0, _AT + _HEAD_SIZE + len(text) - len(memory)))
    struct.pack_into(_HEAD, memory, _AT, binascii.crc32(text), len(text))
    memory[_AT + _HEAD_SIZE : _AT + _HEAD_SIZE + len(text)] = text
    rtc.memory(memory)
