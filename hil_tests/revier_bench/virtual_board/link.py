# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Layout of the messages between a node's process and the kernel.

A request is eight little-endian 64-bit words and a payload, a reply six words and a payload;
`want` in the request says how long the reply's payload will be, so that each side reads once.
The other end is shim/_link.py; tests compare the numbers of both.
"""

import struct

REQUEST = struct.Struct("<8q")
"""op | payload bytes << 8 | want << 24, now us, output pins, fall of a chip select us (0 none),
argument, time of the last print us (0 none), last watchdog feed us, pins held in deep sleep"""
REPLY = struct.Struct("<6q")
"""now us, end of the lease us, input pins, BUSY until us, interrupts, value"""

WELCOME = struct.Struct("<24q6s2x24s")
"""ticks base us, RTC base us, reset cause, wake reason, flags (1: no main.py), BUSY pins, chip
selects, pins that chips drive, output pins, flash bytes until a power cut (-1 never), length of
the RTC memory, chance, held pins, pins that float high, costs us: clock or pin, chip select, sleep,
stray, soft interrupt least and most, collection least and most; bytes until a collection, RTC pins;
factory MAC; seed. Then the RTC memory."""

ADVANCE = 2
SLEEP = 3
SPI = 4
I2C = 5
UART_READ = 6
UART_WRITE = 7
ADC = 8
OUT = 9
IRQ = 10
RTC_MEMORY = 11
RTC_SET = 12
WDT = 13
RESET = 14
DEEPSLEEP = 15
LIGHTSLEEP = 16
STDIN = 17
MARK = 18
SYNC = 19
REPL = 20
UART_ANY = 21
POWER_CUT = 22
STARTED = 23
ABANDON = 24

OPERATIONS = {
    number: name.lower() for name, number in list(globals().items()) if isinstance(number, int)
}
"""names of the operations, for people"""
RTC_MEMORY_BYTES = 2048

ONE_WAY = frozenset((RTC_MEMORY, WDT, STARTED, ABANDON))
"""these get no reply; ABANDON gets one after that to the call before it"""
ABANDONED = 1 << 60

FOREVER_US = 1 << 61

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

EXT1_WAKE = 3
TIMER_WAKE = 4

ENODEV = 19
ETIMEDOUT = 116
