# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is remembered of each device: its row, what came since, and a memory of both."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from revier_gateway import identity
from revier_gateway.gaps import frames as counting
from revier_gateway.gaps.frames import FrameState
from revier_gateway.identity import DeviceState
from revier_gateway.usual_frame import UsualFrame
from revier_gateway.values import device_id

STATES_CACHED_MAX = 50_000
_State = TypeVar("_State", DeviceState, FrameState)

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


def carried_on(device: Device, since: Iterable[UsualFrame], upto: int) -> Device:
    """The device after these frames, which its row does not hold yet."""
    known, counted = device.identity or DeviceState(), device.frames
    last_ms, heard = device.last_ms, device.heard
    for one in since:
        frame = one.frame
        known = identity.carry_on(known, frame, one.seq)
        if counted is not None:
            usual = counting.usual(counted, frame.dev_addr, one.f_cnt, one.counted_ms)
            counted = usual or counted
        last_ms = one.heard_ms if last_ms is None else max(last_ms, one.heard_ms)
        heard += 1
    return Device(device.dev_eui, known, counted, last_ms, heard, upto)


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


class DeviceStates:
    """The devices as the disk has them, row and journal taken together."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._identities: dict[str, DeviceState] = {}
        self._frames: dict[str, FrameState] = {}

    def identity(self, dev_eui: str) -> DeviceState:
        state = self._identities.get(dev_eui)
        return self._read(dev_eui)[0] if state is None else state

    def frames(self, dev_eui: str) -> FrameState:
        state = self._frames.get(dev_eui)
        return self._read(dev_eui)[1] if state is None else state

    def remember(
        self,
        identities: Mapping[str, DeviceState],
        frames: Mapping[str, FrameState],
        kept: Collection[str],
    ) -> None:
        """They are on the disk. kept: devices whose rows are not of now."""
        if max(len(self._identities), len(self._frames)) > STATES_CACHED_MAX:
            self._identities = _only(kept, self._identities)
            self._frames = _only(kept, self._frames)
        self._identities.update(identities)
        self._frames.update(frames)

    def _read(self, dev_eui: str) -> tuple[DeviceState, FrameState]:
        """Who is not in memory has nothing in the journal."""
        device = read(self._db, device_id(dev_eui))
        known = (device and device.identity) or DeviceState()
        counted = (device and device.frames) or FrameState()
        self._identities.setdefault(dev_eui, known)
        self._frames.setdefault(dev_eui, counted)
        return known, counted


def _only(names: Collection[str], states: Mapping[str, _State]) -> dict[str, _State]:
    return {name: states[name] for name in names if name in states}
