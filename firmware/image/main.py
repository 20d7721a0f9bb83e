# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# Runs the application. Whatever goes wrong ends in deep sleep, each time for longer: a node never
# waits awake. Only the service window of boot.py leads to the REPL.
import machine

WAKE_LIMIT_MS = 600_000  # a hang; the longest wake is a join, SF12 and every wait for the duty
SLEEP_FIRST_MS = 60_000
SLEEP_MAX_MS = 21_600_000
# RTC memory, the first four bytes: magic, failures in a row, their complement, code of the last
# error (docs/protocol/console.md). The rest is the application's.
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
)


def _failures(memory):
    whole = len(memory) >= 4 and memory[0] == MAGIC and memory[1] ^ memory[2] == 0xFF
    return memory[1] if whole else 0


def _sleep_off(name):
    """Count the failure where deep sleep keeps it, then sleep 1 min, 2 min, 4 min ... 6 h."""
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


def _node():
    name = "returned"
    try:
        import micropython

        micropython.kbd_intr(-1)  # outside the service window Ctrl-C is only a byte
        machine.WDT(timeout=WAKE_LIMIT_MS)
        from revier_node import app

        app.run()
    except BaseException as error:  # noqa: BLE001 (nothing may fall through to the REPL)
        name = type(error).__name__
        what = " ".join([str(part) for part in error.args]).replace(" ", "_")
        print("revier error code=%s what=%s" % (name, what))
    finally:
        _sleep_off(name)


if not globals().get("service"):
    _node()
