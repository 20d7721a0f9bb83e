# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""time of the ESP32 for checks: a clock that only the checked code moves, ticks wrap at 2^30."""

from utime import gmtime  # noqa: F401

PERIOD = 1 << 30
now_us = PERIOD - 1_000_000  # every check crosses the wrap
calls = {}  # absolute us -> function: what happens while the code sleeps


def _advance(us):
    global now_us
    end = now_us + us
    while calls and min(calls) <= end:
        t = min(calls)
        now_us = max(now_us, t)
        calls.pop(t)()
    now_us = end


def ticks_us():
    _advance(5)
    return now_us % PERIOD


def ticks_ms():
    _advance(5)
    return now_us // 1000 % PERIOD


def ticks_diff(a, b):
    return (a - b + PERIOD // 2) % PERIOD - PERIOD // 2


def ticks_add(a, delta):
    return (a + delta) % PERIOD


def sleep_us(us):
    _advance(us)


def sleep_ms(ms):
    _advance(ms * 1000)


def time_ns():
    return now_us * 1000
