# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's end of the link: virtual time on leases, and one message per call to the kernel.

MicroPython. File descriptor 3 is a stream socket to the kernel. Words are 64-bit little endian
(layout: virtual_board/link.py). Between calls the node runs on a *lease*: nothing that it could
notice happens before `lease`, so ticks, sleeps and pin reads need no call until then. Nothing
here takes heap after import: the firmware locks its heap from SetTx to the end of RX2.
"""

import array
import struct
import uctypes

import _strays

_REQUEST = 64
_REPLY = 48
_ROOM = 4600
FOREVER = 1 << 61
tick_cost = 5  # us that a call of ticks_us() takes, so that busy-waiting comes to an end
select_cost = 1
sleep_cost = 0
strays = False  # other things take time as well (_strays.py)
heap_locks = 0
PERIOD = 1 << 30
_MASK = PERIOD - 1
_HALF = PERIOD >> 1

# operations, as in virtual_board/link.py
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
ABANDONED = 1 << 60  # no other reply has this value

_file = open(3, "r+b")
_req = array.array("l", [0] * ((_REQUEST + _ROOM) // 8))
_rep = array.array("l", [0] * ((_REPLY + _ROOM) // 8))
answer = uctypes.bytearray_at(uctypes.addressof(_rep) + _REPLY, _ROOM)
_formats = [None] * 300  # of struct: "<n>s" copies n bytes without taking heap

now = 0  # us of the world
lease = 0
levels = 0  # input pins
busy_until = 0
outs = 0  # output pins
hold = 0
rtc_pins = 0
cs_fell = 0
irqs = 0  # interrupts not yet handled
handlers = {}  # pin id -> callable without arguments
_irq_due = 0  # when the handlers may run; 0: nothing waits
_in_handler = False
fed = 0
marked = 0
skew = 0  # of the node's clock against the world's, by light sleep
ticks_base = 0
rtc_base = 0
busy_mask = 0
cs_mask = 0
driven_mask = 0
floating = 0
dirty = False  # a chip select changed and no message told so yet
_due = 0  # bytes of the reply to a call that has not come to its end


def _format(n):
    if n < 300:
        f = _formats[n]
        if f is None:
            f = _formats[n] = "%ds" % n
        return f
    return "%ds" % n


for _n in range(1, 70):
    _format(_n)


def put(data, n, at=0):
    """Place n bytes of payload into the next request."""
    if n:
        struct.pack_into(_format(n), _req, _REQUEST + at, data)


def take(into, n, at=0):
    """Copy the first n bytes of the reply's payload."""
    if n:
        struct.pack_into(_format(n), into, at, answer)


def _send(op, arg, n, want):
    global cs_fell, marked, dirty
    _req[0] = op | n << 8 | want << 24
    _req[1] = now
    _req[2] = outs
    _req[3] = cs_fell
    _req[4] = arg
    _req[5] = marked
    _req[6] = fed
    _req[7] = hold
    cs_fell = 0
    marked = 0
    dirty = False
    if _file.write(_req, _REQUEST + n) != _REQUEST + n:
        die()


def call(op, arg=0, n=0, want=0):
    """One request, one reply; returns the reply's value. Interrupts wait in `irqs`."""
    global now, lease, levels, busy_until, irqs, _due
    if _due:
        _abandon()
    _due = _REPLY + want
    _send(op, arg, n, want)
    n = _file.readinto(_rep, _REPLY + want)
    _due = 0
    if n != _REPLY + want:
        die()
    now = _rep[0]
    lease = _rep[1]
    levels = _rep[2]
    busy_until = _rep[3]
    irqs |= _rep[4]
    return _rep[5]


def _abandon():
    """Ctrl-C broke a call off, before or after its reply: the kernel answers this one last."""
    global irqs
    _send(ABANDON, 0, 0, 0)
    _file.readinto(_rep, _REPLY)
    while _rep[5] != ABANDONED:
        irqs |= _rep[4]
        if _due > _REPLY:
            _file.readinto(answer, _due - _REPLY)
        _file.readinto(_rep, _REPLY)


def tell(op, arg=0, n=0):
    """A message that needs no answer; the node's time does not stand still for it."""
    _send(op, arg, n, 0)


def die():
    """The kernel is gone: stop at once, as the power would."""
    uctypes.bytearray_at(0, 1)[0] = 0


def run_irqs():
    """A soft interrupt waits its time; the lease ends with that, so that it is not slept over."""
    global irqs, lease, _irq_due, _in_handler
    if _in_handler:
        return
    if not _irq_due:
        _irq_due = now + _strays.soft_irq_us()
    if now < _irq_due:
        lease = min(lease, _irq_due)
        return
    _irq_due = 0
    _in_handler = True
    try:
        while irqs:
            bits = irqs
            irqs = 0
            pin = 0
            while bits:
                if bits & 1:
                    h = handlers.get(pin)
                    if h is not None:
                        h()
                bits >>= 1
                pin += 1
    finally:
        _in_handler = False


def stray():
    global now
    now += _strays.call_us(heap_locks)


def spend(us):
    """Time that an operation of the node itself takes."""
    global now
    now += us
    if strays:
        stray()
    if now >= lease:
        call(ADVANCE)
        if irqs:
            run_irqs()


def sleep_until(target):
    """Handlers of interrupts run when they come; the sleep goes on afterwards."""
    global now
    target += sleep_cost
    if strays:
        stray()
    while now < target:
        if target < lease:
            now = target
            return
        call(SLEEP, min(target, _irq_due) if _irq_due else target)
        if irqs:
            run_irqs()


def mark_before():
    """Ahead of printing: text of an earlier moment is taken with its own stamp first."""
    if marked and marked != now:
        call(MARK)


def mark_after():
    """What was printed is stamped with the time now, at the latest with the next message."""
    global marked
    marked = now


# -- pins --


def pin_read(pin):
    global now
    now += tick_cost
    if strays:
        stray()
    if now >= lease:
        call(ADVANCE)
        if irqs:
            run_irqs()
    bit = 1 << pin
    if busy_mask & bit:
        if not levels & bit or now >= busy_until:
            return 0
        if dirty:  # the chip select may have woken the chip: ask
            call(SYNC)
            if irqs:
                run_irqs()
            return 1 if levels & bit and now < busy_until else 0
        return 1
    return 1 if levels & bit else 0


def pin_write(pin, level):
    global outs, cs_fell, dirty, now
    bit = 1 << pin
    now += select_cost
    if strays:
        stray()
    was = outs & bit
    if level:
        outs |= bit
    else:
        outs &= ~bit
    if cs_mask & bit:  # carried along with the next message
        if not level and was:
            cs_fell = now
        dirty = True
        return
    call(OUT, pin)
    if irqs:
        run_irqs()


# -- clocks --


def ticks_us():
    global now
    now += tick_cost
    if strays:
        stray()
    if now >= lease:
        call(ADVANCE)
        if irqs:
            run_irqs()
    return now + skew + ticks_base & _MASK


def ticks_ms():
    global now
    now += tick_cost
    if strays:
        stray()
    if now >= lease:
        call(ADVANCE)
        if irqs:
            run_irqs()
    return (now + skew + ticks_base) // 1000 & _MASK


def ticks_add(ticks, delta):
    if delta >= _HALF or delta <= -_HALF:
        raise OverflowError("ticks interval overflow")
    return ticks + delta & _MASK


def ticks_diff(a, b):
    return (a - b + _HALF & _MASK) - _HALF


def rtc_us():
    """The RTC's microseconds since 2000-01-01."""
    spend(tick_cost)
    return now + skew + rtc_base


def light_sleep(us, mask_any_high, mask_all_low):
    """-> the pins that woke the node (0 = the timer). The chip's sleep clock errs."""
    global skew
    if strays:
        stray()
    struct.pack_into("<qq", _req, _REQUEST, mask_any_high, mask_all_low)
    gap = call(LIGHTSLEEP, us, 16, 8)
    skew += _rep[_REPLY // 8]
    if irqs:
        run_irqs()
    return gap


def wait_for_boot():
    """Here the fork server keeps this interpreter; each copy of it goes on as a board."""
    _file.write(b"\0")


def hello():
    """Read the first message of a boot; returns its words (link.py: WELCOME)."""
    global now, lease, levels, busy_until
    global ticks_base, rtc_base, busy_mask, cs_mask, driven_mask, outs, fed, hold, floating
    global tick_cost, select_cost, sleep_cost, strays, rtc_pins
    open(4, "rb").readinto(_rep, _REPLY + 24 * 8 + 32 + 2048)
    now = _rep[0]
    lease = _rep[1]
    levels = _rep[2]
    busy_until = _rep[3]
    at = _REPLY // 8
    words = [_rep[at + i] for i in range(24)]
    ticks_base = words[0]
    rtc_base = words[1]
    busy_mask = words[5]
    cs_mask = words[6]
    driven_mask = words[7]
    outs = words[8]
    hold = words[12]
    floating = words[13]
    tick_cost = words[14]
    select_cost = words[15]
    sleep_cost = words[16]
    strays = _strays.begin(words[17:23], words[11])
    rtc_pins = words[23]
    fed = now
    return words
