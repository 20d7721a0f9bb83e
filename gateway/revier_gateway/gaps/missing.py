# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which readings of a stretch of sequences did not come? Asked by their identities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from revier_gateway.copies import key_of
from revier_gateway.enrich import ALARM
from revier_gateway.identity import WHOLE, Identity, reading_id
from revier_gateway.work import Reads

SEQUENCES_MAX = 5000  # of one gap; more are not looked through


def sequences(reads: Reads, dev_eui: str, kind: str, first: int, last: int) -> list[int] | None:
    """Those from first to last that were not published, in order; None: too many to say.

    kind is that of the asset; each of its readings may have been an alarm instead.
    """
    if last - first >= SEQUENCES_MAX:
        return None
    wanted = range(first, last + 1)
    keys = {seq: [_key(dev_eui, one, seq) for one in (kind, ALARM)] for seq in wanted}
    known = reads.seen_among([key for some in keys.values() for key in some])
    usual = {one.seq for one in reads.usual_readings(dev_eui, first, last)}
    return [
        seq
        for seq, some in keys.items()
        if seq not in usual and not any(key in known for key in some)
    ]


def ranges(numbers: Iterable[int], count_max: int) -> list[tuple[int, int]]:
    """(first, how many) of each run of consecutive numbers, none longer than count_max."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == sum(found[-1]) and found[-1][1] < count_max:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((number, 1))
    return found


def total(some: Sequence[tuple[int, int]]) -> int:
    return sum(count for _, count in some)


def _key(dev_eui: str, kind: str, seq: int) -> bytes:
    return key_of(reading_id(dev_eui, kind, Identity(seq, WHOLE)))
