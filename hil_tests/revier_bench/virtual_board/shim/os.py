# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""os with randomness from the board's seed instead of the host's."""

from uos import *

_seed = b""
_count = 0


def _begin(seed):
    global _seed
    _seed = bytes(seed)


def urandom(n):
    global _count
    import hashlib

    out = b""
    while len(out) < n:
        _count += 1
        out += hashlib.sha256(_seed + _count.to_bytes(8, "little")).digest()
    return out[:n]


def uname():
    return ("esp32", "esp32", "1.29.0", "v1.29.0 virtual", "Virtual board with ESP32-S3")


def sync():
    pass
