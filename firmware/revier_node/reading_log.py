# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's readings in flash, until they are overwritten: what fPort 4 can ask for.

A reading stays in RTC memory (State.recent) until RECENT_MAX of them go to flash in one append. So
a power loss takes up to RECENT_MAX of the newest, and flash is erased that much less often: for
each append LittleFS erases one block of data, now and then one of names.

/log holds at most FILES_MAX files, each of FILE_RECORDS records and named by the sequence of its
first (eight hexadecimal digits); a new one takes the place of the oldest. LittleFS spreads the
wear: an air node's 288 readings a day are 24 appends and 25 erases of all blocks together (counted
by tests/node/checks/log_wear.py).

Records are as in RTC memory (app.py), each with two bytes of CRC-32 behind it; one that is torn is
left out, and after it a new file begins.
"""

import binascii
import os

from revier_node.app import RECORD_SIZE, TIME_UNKNOWN
from revier_node.console import say

MYPY = False
if MYPY:
    from revier_node.store import State


FOLDER = "/log"
SIZE = RECORD_SIZE + 2
FILE_RECORDS = 168  # 3,864 bytes: within a block of 4,096
FILES_MAX = 16


def append(state: "State") -> None:
    """All that wait in RTC memory; if the file system refuses, they are lost."""
    recent = state.recent
    data = b"".join(
        [_checked(recent[at : at + RECORD_SIZE]) for at in range(0, len(recent), RECORD_SIZE)]
    )
    state.recent = b""
    try:
        with open(FOLDER + "/" + _room(data), "ab") as file:
            file.write(data)
    except OSError:
        say("error", "code", "log", "readings", len(data) // SIZE)


def find(state: "State", first: int, count: int, most: int) -> "list[tuple]":
    """At most so many of the readings first ... first + count - 1 that are still there, by seq.

    Each: (seq, Unix time or None, fPort, payload), as backfill.encode() takes them.
    """
    found: "list[tuple]" = []
    names = _names()
    for i, name in enumerate(names):
        ends = i + 1 < len(names) and int(names[i + 1], 16) <= first
        if ends or int(name, 16) >= first + count:
            continue
        try:
            with open(FOLDER + "/" + name, "rb") as file:
                _take(file, found, first, count, most)
        except OSError:
            say("error", "code", "log", "file", name)
    for at in range(0, len(state.recent), RECORD_SIZE):
        _add(state.recent[at : at + RECORD_SIZE], found, first, count, most)
    return found


def _take(file: "object", found: list, first: int, count: int, most: int) -> None:
    while len(found) < most:
        record = file.read(SIZE)  # type: ignore[attr-defined]
        if len(record) < SIZE:
            return
        if _checked(record[:RECORD_SIZE]) == record:
            _add(record, found, first, count, most)


def _add(record: bytes, found: list, first: int, count: int, most: int) -> None:
    """A record that a reset between two writes left twice is taken once."""
    seq = int.from_bytes(record[:4], "big")
    new = not found or found[-1][0] < seq
    if new and first <= seq < first + count and len(found) < most:
        unix_s = int.from_bytes(record[4:8], "big")
        known = None if unix_s == TIME_UNKNOWN else unix_s
        found.append((seq, known, record[8], bytes(record[10 : 10 + record[9]])))


def _checked(record: bytes) -> bytes:
    check: bytes = (binascii.crc32(record) & 0xFFFF).to_bytes(2, "big")
    return record + check


def _names() -> "list[str]":
    try:
        return sorted(os.listdir(FOLDER))
    except OSError:
        return []


def _room(data: bytes) -> str:
    """The newest file if all of it fits behind whole records, else a new one. May raise OSError."""
    names = _names()
    if names:
        size = os.stat(FOLDER + "/" + names[-1])[6]
        if size % SIZE == 0 and size + len(data) <= FILE_RECORDS * SIZE:
            return names[-1]
    else:
        try:
            os.mkdir(FOLDER)
        except OSError:
            pass  # it is there, and empty
    while len(names) >= FILES_MAX:
        os.remove(FOLDER + "/" + names.pop(0))
    return "%08x" % int.from_bytes(data[:4], "big")
