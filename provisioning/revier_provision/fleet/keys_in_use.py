# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which of a device's keys is on its board, as far as the ledger can tell. Pure.

A key is reserved before it goes anywhere. A run that was cut before it wrote the key leaves a newer
reserved one beside the one in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from revier_provision.books import KEY_EVENTS, MADE_EVENTS, newest_key
from revier_provision.ledger.records import Record
from revier_provision.plan import Step


def key_in_use(records: Iterable[Record], dev_eui: str) -> str | None:
    """The id of the newest key that reached the board; if that is not known of any, the newest."""
    own = [record for record in records if record.dev_eui == dev_eui]
    reached = [r for r in own if r.event in KEY_EVENTS and _reached(r, own)]
    last = max(reached, key=lambda record: (record.at, record.number), default=None)
    return newest_key(own, dev_eui) if last is None else last.key_id


def _reached(key: Record, own: Sequence[Record]) -> bool:
    """A key that is kept was in use; a reserved one if the run that reserved it came so far."""
    if key.event == "key-kept":
        return True
    later = [r for r in own if r.station == key.station and r.number > key.number]
    ends = [r for r in later if r.event in (*MADE_EVENTS, "failed", "key-reserved")]
    end = min(ends, key=lambda record: record.number, default=None)
    if end is None or end.event == "key-reserved":
        return False
    if end.event in MADE_EVENTS:
        return True
    return any(s.step == Step.WRITE_IDENTITY and s.result == "done" for s in end.steps)
