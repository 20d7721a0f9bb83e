# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the network tells; imported when it does, for most wakes bring no news."""

from revier_mac import actions as mac
from revier_mac.airtime import airtime_us
from revier_node.clock import COARSE, GPS_LEAP_S, GPS_UNIX_S, UNIX_2026_S
from revier_node.console import say

MYPY = False
if MYPY:
    from typing import Any

    from revier_node.clock import Clock
    from revier_node.store import State

PORT = 202  # revier_mac/ts003.py, which most news does without
PORTS_ASK = (2, 4)  # configuration, backfill request: remote.py
LEARN_AFTER_MS = 600_000  # the answers' own errors are 200 ppm of it
LEARN_AFTER_COARSE_MS = 40_000_000  # the same for answers in whole seconds
DRIFT_MAX_PPM = 50_000
# What the sleep clock may still err by, beside what was learnt: after the first time a night and
# a day's warmth are not yet in it; later twice what it changed by
RESIDUAL_FIRST_PPM = 5_000
RESIDUAL_MIN_PPM = 200

NAP_PPM_MAX = 1_300  # light sleep's 1,000 ppm, and the errors of both ends
_POLLED_US = 400  # the end of a frame is seen so much after it


def tell(action: "Any", clock: "Clock") -> None:
    kind = type(action)
    if kind is mac.DeviceTime:
        if set_gps(clock, action.gps_s, action.gps_256ths, action.tx_end_ms):
            say_time(clock)
    elif kind is mac.Joined:
        say("joined", "dev_addr", "%08x" % action.dev_addr)
    elif kind is mac.LinkCheck:
        say("link", "margin", action.margin_db, "gateways", action.gateway_count)
    elif kind is mac.Downlink:
        say("downlink", "f_cnt", action.f_cnt, "port", action.f_port, "len", len(action.data),
            "window", action.window, "rssi", action.rssi_dbm, "snr", action.snr_db)  # fmt: skip
        if action.f_port == PORT:
            from revier_node import app_time

            app_time.hear(action.data, clock)
        elif action.f_port in PORTS_ASK:
            from revier_node import remote

            remote.hear(action.f_port, action.data, clock.state)


def say_time(clock: "Clock") -> None:
    say("time", "unix_s", clock.unix_s(), "ppm", clock.ppm(),
        "error_ms", clock.error_ms())  # fmt: skip


def set_gps(clock: "Clock", gps_s: int, gps_256ths: int, at_mac_ms: int, coarse: int = 0) -> bool:
    """The network says that it was this GPS time at `at_mac_ms` of this wake. False: nonsense.

    coarse: COARSE if it says so in whole seconds.
    """
    state = clock.state
    at_ms = at_mac_ms + state.lag_ms
    unix_ms = (gps_s - GPS_LEAP_S + GPS_UNIX_S) * 1000 + gps_256ths * 1000 // 256
    if unix_ms < UNIX_2026_S * 1000:
        return False
    if state.unix_offset_ms:
        learn_drift(state, unix_ms - at_ms - state.unix_offset_ms, at_ms, coarse)
    state.flags = state.flags & ~COARSE | coarse
    state.unix_offset_ms = unix_ms - at_ms
    state.clock_set_ms = at_ms
    clock.mark()
    return True


def learn_drift(state: "State", drift_ms: int, at_ms: int, coarse: int = 0) -> None:
    """The world's time ran ahead of the chip's by so much since the clock was set."""
    elapsed_ms = at_ms - state.clock_set_ms
    coarse |= state.flags & COARSE
    if elapsed_ms < (LEARN_AFTER_COARSE_MS if coarse else LEARN_AFTER_MS):
        return
    ppm = max(-DRIFT_MAX_PPM, min(DRIFT_MAX_PPM, drift_ms * 1_000_000 // elapsed_ms))
    residual_ppm = RESIDUAL_FIRST_PPM
    if state.residual_ppm:
        residual_ppm = max(RESIDUAL_MIN_PPM, min(DRIFT_MAX_PPM, 2 * abs(ppm - state.clock_ppm)))
    state.clock_ppm = ppm
    state.residual_ppm = residual_ppm


def learn_nap(state: "State", window: "Any", took_us: int, length: int) -> None:
    """A downlink of `length` bytes ended so long after the uplink, on a clock kept by light sleep.

    The network sends at the microsecond, so what is missing is what light sleep took longer.
    """
    # no CRC in downlinks: two bytes less
    air_us = airtime_us(length - 2, window.spreading_factor, window.bandwidth_hz)
    missing_us = window.delay_us + air_us + _POLLED_US - took_us
    ppm = missing_us * 1_000 // (window.delay_us // 1_000)
    if abs(ppm) <= NAP_PPM_MAX:
        state.nap_ppm = ((state.nap_ppm + ppm) // 2 if state.nap_ppm else ppm) or 1
