# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Online, late, offline or unknown: what the silence of one asset means.

Only silence in which we could have heard counts against an asset. What follows:

* a restart changes nothing: the time in which the gateway did not run is a time without hearing;
* while the source or its radio gateways are gone an asset is not late and not offline: once it
  should have spoken its state is unknown, with the cause;
* an asset that was offline before stays offline.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from revier_gateway.watch.habit import Habit

State = Literal["online", "late", "offline", "unknown"]

LATE_AFTER_INTERVALS = 2.5
OFFLINE_AFTER_INTERVALS = 6.0
# Beside the longest of a hundred usual distances: a node's sleep clock drifts, its frame is lost.
LATE_AFTER_P99 = 1.25
OFFLINE_AFTER_P99 = 2.5
# Until a device has shown its interval: the slowest settings report at least this often.
INTERVAL_UNKNOWN_S = 12 * 3600.0

NEVER_HEARD = "never_heard"
NO_DEVICE = "no_device"


class Standing(msgspec.Struct, frozen=True):
    """cause says why the state is unknown, or that an offline asset was never heard."""

    state: State
    cause: str = ""


ONLINE, LATE, OFFLINE = Standing("online"), Standing("late"), Standing("offline")


class Limits(msgspec.Struct, frozen=True):
    """Silence in which we could have heard, in seconds."""

    late_after_s: float
    offline_after_s: float


def limits(profile_s: float, habit: Habit | None) -> Limits:
    """profile_s: the interval that the asset's kind has by its profile."""
    p99_s = habit.p99_s() if habit is not None else None
    if p99_s is None:
        interval_s = max(profile_s, INTERVAL_UNKNOWN_S)
        return Limits(LATE_AFTER_INTERVALS * interval_s, OFFLINE_AFTER_INTERVALS * interval_s)
    return Limits(
        max(LATE_AFTER_INTERVALS * profile_s, LATE_AFTER_P99 * p99_s),
        max(OFFLINE_AFTER_INTERVALS * profile_s, OFFLINE_AFTER_P99 * p99_s),
    )


def standing(limits: Limits, silent_s: float, deaf_s: float, cause: str) -> Standing:
    """silent_s since the last frame, deaf_s of them without hearing, because of cause."""
    heard_silence_s = silent_s - deaf_s
    if heard_silence_s > limits.offline_after_s:
        return OFFLINE
    if silent_s <= limits.late_after_s:
        return ONLINE
    if heard_silence_s > limits.late_after_s:
        return LATE
    return Standing("unknown", cause)


def never_heard(limits: Limits, silent_s: float, deaf_s: float) -> Standing:
    """silent_s since the device is there and we listen."""
    if silent_s - deaf_s > limits.offline_after_s:
        return Standing("offline", NEVER_HEARD)
    return Standing("unknown", NEVER_HEARD)
