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
from typing import Protocol, TypeVar

from revier_gateway.commands.fate import Command
from revier_gateway.gaps.frames import FrameState
from revier_gateway.identity import DeviceState
from revier_gateway.outcomes import FeedMessage

Change = Callable[[sqlite3.Connection], None]
Seen = tuple[int, int]  # time of the event in ms, check sum of the content
Heard = tuple[int, int]  # time of the newest frame in ms, frames
_Name = TypeVar("_Name", str, tuple[str, ...])

DEVICE, RADIO_GATEWAY = "device", "radio_gateway"


class Reads(Protocol):
    """What a unit of work asks of the store."""

    def seen_before(self, key: bytes) -> Seen | None: ...
    def seen_among(self, keys: Sequence[bytes]) -> dict[bytes, Seen]: ...
    def device_state(self, dev_eui: str) -> DeviceState: ...
    def latest_ms(self, asset: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    at: str
    leg: str
    reason: str
    detail: str
    topic: str
    payload: bytes


@dataclass(slots=True, weakref_slot=True)
class Work:
    """The stages of the pipeline read here; its last step writes here."""

    reads: Reads
    seen: dict[bytes, Seen] = field(default_factory=dict)
    known: dict[bytes, Seen | None] = field(default_factory=dict)  # as the store has it
    states: dict[str, DeviceState] = field(default_factory=dict)
    latest: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    history: list[tuple[str, int, bytes]] = field(default_factory=list)
    outbox: list[FeedMessage] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    devices: dict[str, Heard] = field(default_factory=dict)  # by dev_eui
    ears: dict[tuple[str, ...], Heard] = field(default_factory=dict)  # by radio gateways
    _heard: dict[tuple[str, str], Heard] | None = None
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)  # radio gateways by dev_eui
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

    def device_state(self, dev_eui: str) -> DeviceState:
        return self.states.get(dev_eui) or self.reads.device_state(dev_eui)

    def latest_ms(self, asset: str) -> int | None:
        mine = self.latest.get(asset)
        return self.reads.latest_ms(asset) if mine is None else mine[0]

    def hear(self, dev_eui: str, gateways: tuple[str, ...], at_ms: int) -> None:
        """A frame of the device came by these radio gateways."""
        assert self._heard is None
        _add(self.devices, dev_eui, at_ms, 1)
        _add(self.ears, gateways, at_ms, 1)
        self.paths[dev_eui] = gateways

    @property
    def heard(self) -> dict[tuple[str, str], Heard]:
        """By role and name; asked when all of the batch has been heard."""
        if self._heard is None:
            self._heard = self._gather()
        return self._heard

    def _gather(self) -> dict[tuple[str, str], Heard]:
        found: dict[str, Heard] = {}
        for gateways, (last_ms, frames) in self.ears.items():
            for gateway_id in gateways:
                _add(found, gateway_id, last_ms, frames)
        heard = {(DEVICE, dev_eui): one for dev_eui, one in self.devices.items()}
        heard.update({(RADIO_GATEWAY, name): one for name, one in found.items()})
        return heard

    def note_delay(self, behind_ms: int) -> None:
        """An event is so old by our clock: by its way here, and by how far the clocks differ."""
        if self.behind_ms is None or behind_ms < self.behind_ms:
            self.behind_ms = behind_ms


def _add(heard: dict[_Name, Heard], name: _Name, at_ms: int, frames: int) -> None:
    before = heard.get(name)
    if before is not None:
        last_ms, count = before
        at_ms, frames = at_ms if at_ms > last_ms else last_ms, count + frames
    heard[name] = (at_ms, frames)
