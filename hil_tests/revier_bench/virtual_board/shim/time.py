# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""MicroPython's time as on the ESP32: virtual, epoch 2000, ticks that wrap at 2^30."""

import utime

import _link
from _link import ticks_add, ticks_diff, ticks_ms, ticks_us

_EPOCH_2000 = 946684800


def ticks_cpu():
    return ticks_us()


def sleep_us(us):
    if us > 0:
        _link.sleep_until(_link.now + us)


def sleep_ms(ms):
    if ms > 0:
        _link.sleep_until(_link.now + ms * 1000)


def sleep(seconds):
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    _link.sleep_until(_link.now + int(seconds * 1000000))


def time():
    return _link.rtc_us() // 1000000


def time_ns():
    return _link.rtc_us() * 1000


def gmtime(seconds=None):
    if seconds is None:
        seconds = time()
    return utime.gmtime(int(seconds) + _EPOCH_2000)[:8]


localtime = gmtime


def mktime(parts):
    return int(utime.mktime(tuple(parts[:8]) + (0,))) - _EPOCH_2000
