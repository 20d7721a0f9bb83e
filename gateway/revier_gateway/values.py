# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Measured values, their quality, and times as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

# QARTOD flags, as ioos_qc 3.0.0 has them.
Quality = Literal[1, 2, 3, 4, 9]
PASS: Final = 1
NOT_EVALUATED: Final = 2
SUSPECT: Final = 3
FAIL: Final = 4
MISSING: Final = 9

Scalar = float | int | bool | str | None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_KEPT_MAX = 4096
_seconds: dict[int, str] = {}  # as text: many frames come in one
_MILLISECONDS = tuple([f".{ms:03d}Z" for ms in range(1000)])


class Value(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One measured quantity. v is null where there is no value: q says whether it is missing (9)
    or was out of the sensor's or the field's range (4). u is UCUM, absent for words and truths."""

    v: Scalar
    q: Quality
    u: str = ""
    raw: Scalar = None
    raw_u: str = ""


def device_id(dev_eui: str) -> int:
    """A DevEUI as the number of a row in SQLite: 64 bits with a sign, in the same order."""
    return int(dev_eui, 16) - (1 << 63)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with Z and three digits, so that text sorts as time does."""
    return instant_of_ms(unix_ms(at))


def unix_ms(at: datetime) -> int:
    """What is finer than a millisecond is cut off."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def datetime_of_ms(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)


def instant_of_ms(at_ms: int) -> str:
    second = at_ms // 1000
    text = _seconds.get(second)
    if text is None:
        text = datetime.fromtimestamp(second, UTC).isoformat()[:19]
        if len(_seconds) >= SECONDS_KEPT_MAX:
            _seconds.clear()
        _seconds[second] = text
    return text + _MILLISECONDS[at_ms % 1000]
