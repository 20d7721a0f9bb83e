# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""machine of MicroPython's ESP32 port on the virtual board."""

import struct

from umachine import Signal, mem8, mem16, mem32, soft_reset

import _link
import esp32
from _machine_bus import ADC, I2C, SPI, UART, SoftI2C, SoftSPI

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
SLEEP = 2
DEEPSLEEP = 4

IDLE_US = 20  # a yield to the other tasks, and the loop around it

_uid = b""
_cause = 1
_wake = 0
_rtc_memory = b""


def idle():
    _link.spend(max(IDLE_US, _link.tick_cost))


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2
    PULL_DOWN = 1
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if isinstance(id, Pin):
            id = id._id
        if not isinstance(id, int) or not 0 <= id < 49:
            raise ValueError("invalid pin")
        self._id = id
        self._out = False
        self._pull = -1
        self.init(mode, pull, value=value, drive=drive, hold=hold)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        bit = 1 << self._id
        if mode != -1:
            if self._out and mode == 1:  # nothing drives it any more
                _link.pin_write(self._id, 1 if _link.floating & bit else 0)
            self._out = mode in (3, 7)
        if pull != -1:
            self._pull = pull
        if hold is not None:
            if hold:
                _link.hold |= bit
            else:
                _link.hold &= ~bit
        if value is not None:
            _link.pin_write(self._id, value)
        elif hold is not None:
            _link.call(_link.OUT, self._id)

    def value(self, level=None):
        if level is not None:
            _link.pin_write(self._id, level)
            return None
        if self._out:
            _link.spend(_link.select_cost)
            return 1 if _link.outs & (1 << self._id) else 0
        if _link.driven_mask & (1 << self._id):
            return _link.pin_read(self._id)
        _link.spend(_link.tick_cost)
        return 1 if self._pull == 2 else 0

    __call__ = value

    def on(self):
        _link.pin_write(self._id, 1)

    def off(self):
        _link.pin_write(self._id, 0)

    def toggle(self):
        _link.pin_write(self._id, not _link.outs & (1 << self._id))

    def irq(self, handler=None, trigger=3, *, wake=None, hard=False):
        if trigger & 4:  # WAKE_LOW, WAKE_HIGH
            esp32._pin_wake(self._id, trigger == 5)
            return None
        if handler is None:
            _link.handlers.pop(self._id, None)
            trigger = 0
        else:
            _link.handlers[self._id] = lambda: handler(self)
        _link.call(_link.IRQ, self._id | trigger << 8)
        return None

    def __repr__(self):
        return "Pin(%d)" % self._id


class RTC:
    def memory(self, data=None):
        global _rtc_memory
        if data is None:
            return _rtc_memory
        data = bytes(data)
        if len(data) > 2048:
            raise ValueError("buffer too long")
        _rtc_memory = data
        _link.put(data, len(data))
        _link.tell(_link.RTC_MEMORY, 0, len(data))

    def datetime(self, parts=None):
        import time

        if parts is None:
            us = _link.rtc_us()
            y, mo, d, h, mi, s, wd, yd = time.gmtime(us // 1000000)
            return (y, mo, d, wd, h, mi, s, us % 1000000)
        y, mo, d, wd, h, mi, s, sub = parts
        us = time.mktime((y, mo, d, h, mi, s, 0, 0)) * 1000000 + sub
        _link.rtc_base = us - _link.now - _link.skew
        _link.call(_link.RTC_SET, _link.rtc_base)

    init = datetime


class WDT:
    def __init__(self, id=0, timeout=5000):
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        _link.fed = _link.now
        _link.tell(_link.WDT, timeout * 1000)
        _link.lease = min(_link.lease, _link.now + timeout * 1000)

    def feed(self):
        _link.fed = _link.now
        _link.spend(_link.select_cost)


class Timer:
    """Not on this board: the firmware needs none, and a half-true one would mislead."""

    def __init__(self, *args, **kw):
        raise NotImplementedError("machine.Timer on the virtual board")


def unique_id():
    return _uid


def reset_cause():
    return _cause


def wake_reason():
    return _wake


def reset():
    _link.call(_link.RESET)


def freq(hz=None):
    return 240000000


def bootloader(*args):
    reset()


def deepsleep(ms=None):
    high, low = esp32._wake_masks()
    struct.pack_into("<qq", _link._req, _link._REQUEST, high, low)
    us = -1 if ms is None or ms <= 0 else ms * 1000
    _link.call(_link.DEEPSLEEP, us, 16, 0)


def lightsleep(ms=None):
    global _wake
    us = -1 if ms is None or ms <= 0 else ms * 1000
    woken = _link.light_sleep(us, esp32._any_high, esp32._all_low)
    _wake = EXT1_WAKE if woken else TIMER_WAKE


sleep = lightsleep


def _begin(words, uid, memory):
    global _uid, _cause, _wake, _rtc_memory
    _cause = words[2]
    _wake = words[3]
    _uid = uid
    _rtc_memory = memory
