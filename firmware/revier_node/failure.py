# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The end of a wake that failed: counted where deep sleep keeps it, then slept off.

RTC memory, the first four bytes: magic, failures in a row, their complement, code of the last error
(docs/protocol/console.md). The rest is the application's. A usual wake imports nothing of this.
"""

import machine

SLEEP_FIRST_MS = 60_000
SLEEP_MAX_MS = 21_600_000
MAGIC = 0x52
CODES = (
    "",
    "other",
    "UnprovisionedError",
    "RadioError",
    "BoardError",
    "ImportError",
    "MemoryError",
    "OSError",
    "ProtocolError",
    "returned",
    "update",  # taken back: seldom.py
)


def sleep_off(name: str) -> None:
    """Deep sleep for 1 min, 2 min, 4 min ... 6 h. `name` of the exception, or "returned"."""
    interval_ms = SLEEP_MAX_MS
    try:
        rtc = machine.RTC()
        memory = bytearray(rtc.memory())
        if len(memory) < 4:
            memory += bytes(4 - len(memory))
        failures = min(_failures(memory) + 1, 255)
        memory[0] = MAGIC
        memory[1] = failures
        memory[2] = failures ^ 0xFF
        memory[3] = CODES.index(name) if name in CODES else 1
        rtc.memory(memory)
        interval_ms = min(SLEEP_MAX_MS, SLEEP_FIRST_MS << min(failures - 1, 12))
        print("revier sleep ms=%d failures=%d" % (interval_ms, failures))
    finally:
        machine.deepsleep(interval_ms)


def _failures(memory: bytearray) -> int:
    whole = memory[0] == MAGIC and memory[1] ^ memory[2] == 0xFF
    return memory[1] if whole else 0
