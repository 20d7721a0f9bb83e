# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is remembered of each device: its row, and a memory of it with what came since."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec

from revier_gateway import known
from revier_gateway.gaps import frames as counting
from revier_gateway.gaps.frames import FrameState
from revier_gateway.identity import DeviceState
from revier_gateway.known import Known
from revier_gateway.usual_frame import UsualFrame
from revier_gateway.values import device_id

KNOWN_MAX = 50_000

_pack = msgspec.msgpack.Encoder().encode
_unpack_identity = msgspec.msgpack.Decoder(DeviceState).decode
_unpack_frames = msgspec.msgpack.Decoder(FrameState).decode


class Device(NamedTuple):
    """A device's row, or what is to be changed of it."""

    dev_eui: str
    identity: DeviceState | None  # None: no frame was entered
    frames: FrameState | None
    last_ms: int | None
    heard: int
    upto: int  # of the journal


def read(db: sqlite3.Connection, number: int) -> Device | None:
    """The row alone, by values.device_id."""
    sql = "SELECT dev_eui, identity, frames, last_ms, heard, upto FROM device WHERE id = ?"
    row = db.execute(sql, (number,)).fetchone()
    if row is None:
        return None
    dev_eui, known, counted, last_ms, heard, upto = row
    return Device(
        dev_eui,
        None if known is None else _unpack_identity(known),
        None if counted is None else _unpack_frames(counted),
        last_ms,
        heard,
        upto,
    )


def carried_on(row: Device, since: Sequence[UsualFrame], upto: int) -> Device:
    """The device after these frames, which its row does not hold yet."""
    before = row.identity or DeviceState(), row.frames or FrameState()
    identity, frames = known.carried_on(*before, since)
    times = [one.heard_ms for one in since]
    last_ms = max(times if row.last_ms is None else [row.last_ms, *times], default=None)
    counted = None if row.frames is None else frames
    return Device(row.dev_eui, identity, counted, last_ms, row.heard + len(since), upto)


# Row: id, DevEUI, identity, frames, noticed_ms, last_ms, heard (frames more), upto.
_PUT = """
INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  identity = coalesce(excluded.identity, identity),
  noticed_ms = CASE WHEN excluded.frames IS NULL THEN noticed_ms ELSE excluded.noticed_ms END,
  frames = coalesce(excluded.frames, frames),
  last_ms = CASE WHEN last_ms > excluded.last_ms THEN last_ms
    ELSE coalesce(excluded.last_ms, last_ms) END,
  heard = heard + excluded.heard,
  upto = excluded.upto
"""


def put(db: sqlite3.Connection, changes: Iterable[Device]) -> None:
    """Of each, heard is what is added; None stays as it was."""
    rows = [
        (
            device_id(one.dev_eui),
            one.dev_eui,
            None if one.identity is None else _pack(one.identity),
            None if one.frames is None else _pack(one.frames),
            None if one.frames is None else counting.due_ms(one.frames, 0),
            one.last_ms,
            one.heard,
            one.upto,
        )
        for one in changes
    ]
    db.executemany(_PUT, rows)


class Devices:
    """All that is known of them, on the disk; in memory those that were heard lately."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[str, Known] = {}

    def known(self, dev_eui: str) -> Known:
        found = self._known.get(dev_eui)
        if found is None:
            found = self._known[dev_eui] = self._read(dev_eui)
        return found

    def _read(self, dev_eui: str) -> Known:
        """Who is not in memory has nothing in the journal."""
        row = read(self._db, device_id(dev_eui))
        device = (row and row.identity) or DeviceState()
        frames = (row and row.frames) or FrameState()
        wanted = known.expected(dev_eui, device, frames)
        return Known(dev_eui, device, frames, None, wanted)

    def trim(self, kept: Collection[str]) -> None:
        """kept: devices whose rows are not of now."""
        if len(self._known) > KNOWN_MAX:
            self._known = {name: self._known[name] for name in kept}
