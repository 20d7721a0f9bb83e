# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's readings in flash, until they are overwritten: what fPort 4 can ask for.

A reading is stored when it is here; what is stored no power loss takes. Before, it waits in RTC
memory (State.recent), which outlives deep sleep and resets, until there are RECENT_MAX: an append
costs LittleFS the erasure of a block. They go to flash early

    while the battery sinks (Wake.sinks)   each at once
    at each start but a deep sleep's       what RTC memory still has: after a brown-out that it
                                           survived; or press reset before taking the battery out

So a supply that is cut without warning takes up to RECENT_MAX - 1 of the newest from the log; they
were sent before, and are lost only if nobody heard them either.

/log holds at most FILES_MAX files, each of FILE_CHUNKS chunks and named by the sequence of its
first reading (eight hexadecimal digits); a new one takes the place of the oldest. LittleFS spreads
the wear: an air node's 288 readings a day are 24 appends and 25 erases of all blocks together
(counted by tests/node/checks/log_wear.py).

A chunk is RECENT_MAX records as in RTC memory (app.py), zeros where they are fewer, and their
CRC-32. One that is torn is left
out, and after it a new file begins. reading_search.py finds what is asked for.
"""

import binascii
import os

from revier_node.console import say

MYPY = False
if MYPY:
    from revier_node.store import State


FOLDER = "/log"
CHUNK_SIZE = 256
FILE_CHUNKS = 16  # a block of 4,096 bytes
FILES_MAX = 14


def append(state: "State") -> None:
    """All that wait in RTC memory; if the file system refuses, they are lost."""
    data = state.recent
    state.recent = b""
    try:
        with open(_room(data), "ab") as file:
            data += bytes(CHUNK_SIZE - 4 - len(data))
            file.write(data + binascii.crc32(data).to_bytes(4, "big"))
    except OSError:
        say("error", "code", "log")


def _room(data: bytes) -> str:
    """The newest file if there is room behind whole chunks, else a new one. May raise OSError."""
    try:
        names = os.listdir(FOLDER)
    except OSError:
        os.mkdir(FOLDER)
        names = []
    if names:
        path = FOLDER + "/" + max(names)
        size = os.stat(path)[6]
        if size % CHUNK_SIZE == 0 and size < FILE_CHUNKS * CHUNK_SIZE:
            return path
        for name in sorted(names)[: 1 - FILES_MAX]:
            os.remove(FOLDER + "/" + name)
    return FOLDER + "/" + "%08x" % int.from_bytes(data[:4], "big")
