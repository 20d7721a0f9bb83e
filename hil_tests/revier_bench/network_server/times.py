# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Time in this package is an integer of nanoseconds since 1970 (UTC); here it meets the others."""

from google.protobuf.timestamp_pb2 import Timestamp

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000
GPS_EPOCH_UNIX_S = 315_964_800
# UTC seconds at whose start a leap second had been inserted since the GPS epoch (IERS Bulletin C).
LEAP_SECONDS_UNIX_S = (
    362793600, 394329600, 425865600, 489024000, 567993600, 631152000, 662688000, 709948800,
    741484800, 773020800, 820454400, 867715200, 915148800, 1136073600, 1230768000, 1341100800,
    1435708800, 1483228800,
)  # fmt: skip


def timestamp(unix_ns: int) -> Timestamp:
    return Timestamp(seconds=unix_ns // NS_PER_S, nanos=unix_ns % NS_PER_S)


def unix_ns(stamp: Timestamp) -> int:
    return stamp.seconds * NS_PER_S + stamp.nanos


def gps_ns(utc_ns: int) -> int:
    """Nanoseconds since the GPS epoch, which knows no leap seconds."""
    leaps = sum(1 for s in LEAP_SECONDS_UNIX_S if utc_ns >= s * NS_PER_S)
    return utc_ns - (GPS_EPOCH_UNIX_S - leaps) * NS_PER_S


def utc_ns_of_gps(since_gps_epoch_ns: int) -> int:
    guess = since_gps_epoch_ns + GPS_EPOCH_UNIX_S * NS_PER_S
    leaps = sum(
        1 for i, s in enumerate(LEAP_SECONDS_UNIX_S) if guess - (i + 1) * NS_PER_S >= s * NS_PER_S
    )
    return guess - leaps * NS_PER_S
