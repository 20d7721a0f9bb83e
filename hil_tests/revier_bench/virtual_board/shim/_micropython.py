# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""micropython with a heap lock that the shims can see: no collection comes while it is held."""

import micropython as _real
from micropython import *

import _link


def heap_lock():
    _real.heap_lock()
    _link.heap_locks += 1


def heap_unlock():
    _link.heap_locks -= 1
    return _real.heap_unlock()
