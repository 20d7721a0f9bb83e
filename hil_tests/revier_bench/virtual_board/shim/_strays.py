# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Time that the firmware's program does not get: collections, soft interrupts, other interrupts.

virtual_board/costs.py says what strikes when. Nothing here takes heap.
"""

import gc

_WORD_BYTES = 2  # heap of this interpreter for one byte of the 32-bit chip's

stray_us = 0
soft_least_us = 0
soft_most_us = 0
collect_least_us = 0
collect_most_us = 0
collect_every = 0
_used = 0
_grown = 0
_random = 1


def begin(words, seed):
    """words: stray, soft interrupt least and most, collection least and most, its bytes."""
    global stray_us, soft_least_us, soft_most_us, collect_least_us, collect_most_us
    global collect_every, _used, _grown, _random
    stray_us, soft_least_us, soft_most_us, collect_least_us, collect_most_us, every = words
    collect_every = every * _WORD_BYTES
    _random = seed
    _used = gc.mem_alloc()
    _grown = chance() * collect_every >> 15
    return bool(stray_us or collect_every)


def chance():
    """0 to 32767."""
    global _random
    _random = _random * 1103515245 + 12345 & 0x7FFFFFFF
    return _random >> 16


def soft_irq_us():
    """Mostly short, with a tail: median a sixteenth of the range."""
    if not soft_most_us:
        return 0
    square = chance()
    square = square * square >> 15
    return soft_least_us + ((soft_most_us - soft_least_us) * (square * square >> 15) >> 15)


def call_us(heap_locked):
    """What comes beside one call of the shims."""
    global _used, _grown
    us = chance() * stray_us >> 15
    if heap_locked or not collect_every:
        return us
    used = gc.mem_alloc()
    if used > _used:
        _grown += used - _used
    collected = used < _used
    _used = used
    if _grown >= collect_every:
        collected = True
    if collected:
        _grown = 0
        us += collect_least_us + ((collect_most_us - collect_least_us) * chance() >> 15)
    return us
