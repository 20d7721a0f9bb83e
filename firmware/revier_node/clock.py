# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's clock, and what it knows of the world's.

MicroPython's epoch is 2000 on the ESP32, GPS's 1980, Unix's 1970; only the last goes out of here.

The chip's own clock starts anew at power-on, runs on through deep sleep and is never set, so that
it only grows: the MAC's duty ledger and every deadline count on it. The world's time is an offset
to it, learnt from DeviceTimeAns.
"""

import time

MYPY = False
if MYPY:
    from revier_node.store import State


GPS_UNIX_S = 315_964_800  # 1980-01-06, in Unix time
GPS_LEAP_S = 18  # since 2017-01-01; a new leap second needs a new firmware
SYNC_EVERY_MS = 86_400_000

UNIX_2026_S = 1_767_225_600  # nobody's clock is right before this firmware was written


def now_ms() -> int:
    """Milliseconds of the chip's clock since its epoch. Takes heap: not in a window."""
    return time.time_ns() // 1_000_000


class Clock:
    """The offset lives in the state that the store keeps (RTC memory)."""

    def __init__(self, state: "State") -> None:
        self._state = state

    def set_gps(self, gps_s: int, gps_256ths: int, at_ms: int) -> bool:
        """The network says that it was this GPS time at `at_ms` of the chip's clock."""
        unix_ms = (gps_s - GPS_LEAP_S + GPS_UNIX_S) * 1000 + gps_256ths * 1000 // 256
        if unix_ms < UNIX_2026_S * 1000:
            return False
        self._state.unix_offset_ms = unix_ms - at_ms
        self._state.clock_set_ms = at_ms
        return True

    def unix_s(self) -> "int | None":
        """Seconds since 1970, or None before the first DeviceTimeAns."""
        offset_ms = self._state.unix_offset_ms
        return (now_ms() + offset_ms) // 1000 if offset_ms else None

    def sync_due(self) -> bool:
        if not self._state.unix_offset_ms:
            return True
        return now_ms() - self._state.clock_set_ms >= SYNC_EVERY_MS
