# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A unit of work: what one batch of events changes, gathered in memory, written in one transaction.

Reads go through to the store; nothing of a batch is visible to anybody before it is committed, so a
failed commit leaves no trace and the batch can be tried again.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from revier_gateway import usual_frame
from revier_gateway.commands.fate import Command
from revier_gateway.gaps.frames import FrameState
from revier_gateway.identity import DeviceState
from revier_gateway.known import Expected, Known
from revier_gateway.outcomes import FeedMessage
from revier_gateway.usual_frame import Like, UsualFrame
from revier_payload.schema import MESSAGES

Change = Callable[[sqlite3.Connection], None]
Seen = tuple[int, int]  # time of the event in ms, check sum of the content
Heard = tuple[int, int]  # time of the newest frame in ms, frames

DEVICE, RADIO_GATEWAY = "device", "radio_gateway"


class Reads(Protocol):
    """What a unit of work asks of the store."""

    def seen_before(self, key: bytes) -> Seen | None: ...
    def seen_among(self, keys: Sequence[bytes]) -> dict[bytes, Seen]: ...
    def usual_frame(self, dev_eui: str, like: Like, since_ms: int) -> int | None: ...
    def usual_readings(self, dev_eui: str, first: int, last: int) -> list[UsualFrame]: ...
    def known(self, dev_eui: str) -> Known: ...
    def latest_ms(self, asset: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    at: str
    leg: str
    reason: str
    detail: str
    topic: str
    payload: bytes


class AllHeard(NamedTuple):
    """Whose frames came in a batch."""

    devices: dict[str, Heard]  # by dev_eui
    radio_gateways: dict[str, Heard]  # by name
    paths: dict[str, tuple[str, ...]]  # the radio gateways that heard it last, by dev_eui


class Run(msgspec.Struct, gc=False):
    """A device of which nothing but usual frames came in this batch, so far."""

    known: Known
    expected: Expected
    records: bytes = b""  # usual_frame.py


@dataclass(slots=True, weakref_slot=True)
class Work:
    """The stages of the pipeline read here; its last step writes here."""

    reads: Reads
    seen: dict[bytes, Seen] = field(default_factory=dict)
    known: dict[bytes, Seen | None] = field(default_factory=dict)  # as the store has it
    runs: dict[str, Run] = field(default_factory=dict)  # by dev_eui
    usual: dict[str, bytes] = field(default_factory=dict)  # such records of all other devices
    _broken: set[str] = field(default_factory=set)  # devices that have no run any more
    states: dict[str, DeviceState] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)  # t_ms of new states by asset
    history: list[tuple[str, int, bytes]] = field(default_factory=list)
    outbox: list[FeedMessage] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    _frames_heard: list[tuple[str, tuple[str, ...], int]] = field(default_factory=list)
    _heard: AllHeard | None = None
    behind_ms: int | None = None  # our clock after the network server's, at least
    counters: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    done: list[int] = field(default_factory=list)  # rows that leave the outbox
    frames: dict[str, FrameState] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)  # of tables that other rooms keep
    afterwards: list[Callable[[], None]] = field(default_factory=list)  # when it is on the disk

    @property
    def is_empty(self) -> bool:
        return not (
            self.done
            or self.quarantine
            or self.counters
            or self.outbox
            or self.seen
            or self.frames
            or self.changes
        )

    def ask_seen(self, keys: Sequence[bytes]) -> None:
        """Look many keys up at once: a twentieth of the time of asking one by one."""
        self.known.update(dict.fromkeys(keys))
        self.known.update(self.reads.seen_among(keys))

    def seen_before(self, key: bytes) -> Seen | None:
        before = self.seen.get(key)
        if before is None:
            before = self.known[key] if key in self.known else self.reads.seen_before(key)
        return before

    def frame_before(self, dev_eui: str, like: Like, since_ms: int) -> int | None:
        """When the same frame was heard, if it is among the usual ones and not older."""
        self._break(dev_eui)
        heard_ms = usual_frame.found(usual_frame.unpack(self.usual.get(dev_eui, b"")), like)
        if heard_ms is not None and heard_ms >= since_ms:
            return heard_ms
        return self.reads.usual_frame(dev_eui, like, since_ms)

    def reading_before(self, dev_eui: str, kind: str, seq: int) -> Seen | None:
        """The reading of this whole sequence, among those of usual frames."""
        if seq > self.device_state(dev_eui).newest_seq:
            return None
        mine = usual_frame.unpack(self.usual.get(dev_eui, b""))
        for one in (*mine, *self.reads.usual_readings(dev_eui, seq, seq)):
            if one.seq == seq and MESSAGES[one.f_port].kind == kind:
                return one.heard_ms, one.content
        return None

    # -- what is known of a device

    def run_of(self, dev_eui: str) -> Run | None:
        """None: its next frame is to be looked at closely."""
        run = self.runs.get(dev_eui)
        if run is None and dev_eui not in self._broken:
            known = self.reads.known(dev_eui)
            if known.expected is not None:
                run = self.runs[dev_eui] = Run(known, known.expected)
        return run

    def device_state(self, dev_eui: str) -> DeviceState:
        self._break(dev_eui)
        return self.states.get(dev_eui) or self.reads.known(dev_eui).now()[0]

    def frame_state(self, dev_eui: str) -> FrameState:
        self._break(dev_eui)
        return self.frames.get(dev_eui) or self.reads.known(dev_eui).now()[1]

    def set_device_state(self, dev_eui: str, state: DeviceState) -> None:
        self._break(dev_eui)
        self.states[dev_eui] = state

    def set_frame_state(self, dev_eui: str, state: FrameState) -> None:
        self._break(dev_eui)
        self.frames[dev_eui] = state

    def enter_usual(self, dev_eui: str, record: bytes) -> None:
        """The frame that set_device_state was for, of a device without a run, was a usual one."""
        assert dev_eui in self._broken
        self.usual[dev_eui] = self.usual.get(dev_eui, b"") + record

    @property
    def changed_otherwise(self) -> list[str]:
        """Devices that more happened to than usual frames."""
        changed = dict.fromkeys((*self.states, *self.frames, *self.heard.devices))
        return [dev_eui for dev_eui in changed if dev_eui not in self.runs]

    def _break(self, dev_eui: str) -> None:
        """What comes now must know, and may change, the whole of what is known."""
        if dev_eui in self._broken:
            return
        self._broken.add(dev_eui)
        run = self.runs.pop(dev_eui, None)
        if run is not None and run.records:
            self.usual[dev_eui] = run.records
            self.states[dev_eui], self.frames[dev_eui] = run.known.now(run.records)

    # -- what was heard and measured

    def latest_ms(self, asset: str) -> int | None:
        mine = self.latest.get(asset)
        return self.reads.latest_ms(asset) if mine is None else mine

    def hear(self, dev_eui: str, gateways: tuple[str, ...], at_ms: int) -> None:
        """A frame of the device came by these radio gateways."""
        assert self._heard is None
        self._frames_heard.append((dev_eui, gateways, at_ms))

    @property
    def heard(self) -> AllHeard:
        """Asked when all of the batch has been heard."""
        if self._heard is None:
            self._heard = _gathered(self._frames_heard)
        return self._heard

    def note_delay(self, behind_ms: int) -> None:
        """An event is so old by our clock: by its way here, and by how far the clocks differ."""
        if self.behind_ms is None or behind_ms < self.behind_ms:
            self.behind_ms = behind_ms


def _gathered(frames: list[tuple[str, tuple[str, ...], int]]) -> AllHeard:
    devices: dict[str, Heard] = {}
    paths: dict[str, tuple[str, ...]] = {}
    by_path: dict[tuple[str, ...], Heard] = {}
    for dev_eui, gateways, at_ms in frames:
        paths[dev_eui] = gateways
        before = devices.get(dev_eui)
        devices[dev_eui] = (at_ms, 1) if before is None else added(before, at_ms, 1)
        before = by_path.get(gateways)
        by_path[gateways] = (at_ms, 1) if before is None else added(before, at_ms, 1)
    radio_gateways: dict[str, Heard] = {}
    for gateways, (last_ms, count) in by_path.items():
        for name in gateways:
            before = radio_gateways.get(name, (last_ms, 0))
            radio_gateways[name] = added(before, last_ms, count)
    return AllHeard(devices, radio_gateways, paths)


def added(before: Heard, at_ms: int, frames: int) -> Heard:
    """Heard again at that time, in so many frames more."""
    last_ms, count = before
    return at_ms if at_ms > last_ms else last_ms, count + frames
