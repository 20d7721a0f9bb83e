# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""poll() on stdin and UARTs under virtual time; also what asyncio's loop needs."""

import sys

import uselect
from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT

import _link

_STEP_US = 10000


class poll:
    def __init__(self):
        self._real = uselect.poll()
        self._count = 0
        self._uarts = {}

    def register(self, stream, mask=POLLIN | POLLOUT):
        if hasattr(stream, "_ready"):
            self._uarts[id(stream)] = (stream, mask)
        else:
            self._count += 1
            self._real.register(stream, mask)

    def unregister(self, stream):
        if self._uarts.pop(id(stream), None) is None:
            self._count -= 1
            self._real.unregister(stream)

    def modify(self, stream, mask):
        if id(stream) in self._uarts:
            self._uarts[id(stream)] = (stream, mask)
        else:
            self._real.modify(stream, mask)

    def _ready_now(self):
        ready = list(self._real.poll(0)) if self._count else []
        for stream, mask in self._uarts.values():
            bits = mask & stream._ready()
            if bits:
                ready.append((stream, bits))
        return ready

    def poll(self, timeout=-1, flags=0):
        _link.spend(_link.tick_cost)
        end = _link.now + timeout * 1000 if timeout >= 0 else _link.FOREVER
        while True:
            ready = self._ready_now()
            if ready or _link.now >= end:
                return ready
            target = min(end, _link.now + _STEP_US) if self._uarts else end
            if self._count:
                _link.call(_link.STDIN, target)
                if _link.irqs:
                    _link.run_irqs()
            else:
                _link.sleep_until(target)
            if _link.now < target and not self._uarts and timeout < 0:
                continue

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout, flags))


def select(r, w, x, timeout=None):
    p = poll()
    for s in r:
        p.register(s, POLLIN)
    for s in w:
        p.register(s, POLLOUT)
    found = p.poll(-1 if timeout is None else int(timeout * 1000))
    return (
        [s for s, bits in found if bits & POLLIN],
        [s for s, bits in found if bits & POLLOUT],
        [],
    )
