# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""micropython of a board: its heap lock is seen by the shims (no collection comes while it is held),
and whether Ctrl-C interrupts is a matter of the line (the kernel's terminal)."""

import micropython as _real
from micropython import *

import _link


on_terminal = False


def kbd_intr(char):
    if on_terminal:
        _link.call(_link.KBD_INTR, 1 if char == 3 else 0)


def heap_lock():
    _real.heap_lock()
    _link.heap_locks += 1


def heap_unlock():
    _link.heap_locks -= 1
    return _real.heap_unlock()
