# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Readings out of the log (reading_log.py), for a request on fPort 4."""

import binascii
import os

from revier_node.app import RECORD_SIZE, TIME_UNKNOWN
from revier_node.console import say
from revier_node.reading_log import CHUNK_SIZE, FOLDER

MYPY = False
if MYPY:
    from revier_node.store import State


def find(state: "State", first: int, count: int, most: int) -> "list[tuple]":
    """At most so many of the readings first ... first + count - 1 that are still there, by seq.

    Each: (seq, Unix time or None, fPort, payload), as backfill.encode() takes them.
    """
    found: "list[tuple]" = []
    names = _names()
    for i, name in enumerate(names):
        over = i + 1 < len(names) and int(names[i + 1], 16) <= first
        if over or int(name, 16) >= first + count:
            continue
        try:
            with open(FOLDER + "/" + name, "rb") as file:
                chunk = file.read(CHUNK_SIZE)
                while len(chunk) == CHUNK_SIZE and len(found) < most:
                    if binascii.crc32(chunk[:-4]) == int.from_bytes(chunk[-4:], "big"):
                        _take(chunk, found, first, count, most)
                    chunk = file.read(CHUNK_SIZE)
        except OSError:
            say("error", "code", "log", "file", name)
    _take(state.recent, found, first, count, most)
    return found


def _take(records: bytes, found: list, first: int, count: int, most: int) -> None:
    """Those of the range; fPort 0 is no record. What a reset left twice is taken once."""
    for at in range(0, len(records) - RECORD_SIZE + 1, RECORD_SIZE):
        record = records[at : at + RECORD_SIZE]
        seq = int.from_bytes(record[:4], "big")
        new = record[8] and (not found or found[-1][0] < seq)
        if new and first <= seq < first + count and len(found) < most:
            unix_s = int.from_bytes(record[4:8], "big")
            known = None if unix_s == TIME_UNKNOWN else unix_s
            found.append((seq, known, record[8], bytes(record[10 : 10 + record[9]])))


def _names() -> "list[str]":
    try:
        return sorted(os.listdir(FOLDER))
    except OSError:
        return []
