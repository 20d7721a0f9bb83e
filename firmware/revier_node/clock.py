# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The node's clock, and what it knows of the world's.

MicroPython's epoch is 2000 on the ESP32, GPS's 1980, Unix's 1970; only the last goes out of here.

The chip's own clock starts anew at power-on, runs on through deep sleep and is never set, so that
it only grows: every deadline counts on it. The world's time is an offset to it, learnt from
DeviceTimeAns. The oscillator that times deep sleep errs by up to 5 %; two answers of the network
tell by how much. The MAC's time is that of the slowest sleep clock that is plausible, so that an
hour of the duty cycle is never shorter than an hour.
"""

import time

MYPY = False
if MYPY:
    from revier_node.store import State


GPS_UNIX_S = 315_964_800  # 1980-01-06, in Unix time
GPS_LEAP_S = 18  # since 2017-01-01; a new leap second needs a new firmware
SYNC_EVERY_MS = 86_400_000
SYNC_ERROR_MS = 100  # of the network's answer itself
# An AppTimeAns tells whole seconds, rounded on both sides, and a frame is up to 2 s in the air
COARSE_ERROR_MS = 4_000
COARSE = 64  # a flag of the state
TIME_ERROR_MAX_MS = 60_000  # a reading's time may err by so much before the network is asked
TIME_ERROR_UNKNOWN_MS = 0xFFFFFFFF
SLEEP_ERROR_PPM = 50_000  # RC oscillator of the ESP32 in deep sleep, either way
_PPM = 1_000_000

UNIX_2026_S = 1_767_225_600  # nobody's clock is right before this firmware was written


def now_ms() -> int:
    """Milliseconds of the chip's clock since its epoch. Takes heap: not in a window."""
    return time.time_ns() // 1_000_000


class Clock:
    """The offset lives in the state that the store keeps (RTC memory)."""

    def __init__(self, state: "State") -> None:
        """All since the last mark may have been deep sleep: it counts so much less."""
        self.state = state
        slept_ms = now_ms() - state.awake_ms
        if slept_ms < 0:  # the chip's clock began anew and RTC memory did not: go on from there
            state.unix_offset_ms = 0
            state.lag_ms += slept_ms
        else:
            state.lag_ms += (slept_ms * SLEEP_ERROR_PPM + _PPM - 1) // _PPM
        self.mark()

    def mark(self) -> None:
        """Until now the node was awake."""
        state = self.state
        state.awake_ms = now = now_ms()
        state.time_error_ms = TIME_ERROR_UNKNOWN_MS
        if state.unix_offset_ms:
            ppm = state.residual_ppm or SLEEP_ERROR_PPM
            error_ms = SYNC_ERROR_MS + (now - state.clock_set_ms) * ppm // _PPM
            if state.flags & COARSE:
                error_ms += COARSE_ERROR_MS
            state.time_error_ms = min(error_ms, TIME_ERROR_UNKNOWN_MS)

    def mac_ms(self) -> int:
        """The MAC's time: grows like the chip's clock while awake, by 95 % of it in deep sleep."""
        return now_ms() - self.state.lag_ms

    def wake_ms(self, mac_ms: int) -> int:
        """When a deep sleep from now on must end, on the chip's clock, to reach this MAC time."""
        left_ms = max(0, mac_ms - self.mac_ms())
        return now_ms() + -(-left_ms * _PPM // (_PPM - SLEEP_ERROR_PPM))

    def unix_s(self) -> "int | None":
        """Seconds since 1970, or None before the first DeviceTimeAns."""
        state = self.state
        if not state.unix_offset_ms:
            return None
        now = now_ms()
        drift_ms = (now - state.clock_set_ms) * state.clock_ppm // _PPM
        return (now + state.unix_offset_ms + drift_ms) // 1000

    def ppm(self) -> int:
        """What deep sleep takes longer than the chip's clock says, as learnt."""
        return self.state.clock_ppm

    def error_ms(self) -> int:
        return self.state.time_error_ms

    def sync_due(self) -> bool:
        if self.state.time_error_ms > TIME_ERROR_MAX_MS:  # also when the time is not known
            return True
        return now_ms() - self.state.clock_set_ms >= SYNC_EVERY_MS
