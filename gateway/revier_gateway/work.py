# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A unit of work: what one batch of events changes, gathered in memory, written in one transaction.

Reads go through to the store; nothing of a batch is visible to anybody before it is committed, so a
failed commit leaves no trace and the batch can be tried again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from revier_gateway.commands.fate import Command
from revier_gateway.gaps.frames import FrameState
from revier_gateway.identity import DeviceState
from revier_gateway.outcomes import FeedMessage

Change = Callable[[sqlite3.Connection], None]
Seen = tuple[int, int]  # time of the event in ms, check sum of the content

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


@dataclass(slots=True)
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
    heard: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)  # radio gateways by dev_eui
    behind_s: float | None = None  # our clock after the network server's, at least
    counters: Counter[str] = field(default_factory=Counter)
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

    def hear(self, role: str, name: str, at_ms: int) -> None:
        key = (role, name)
        before = self.heard.get(key)
        if before is None:
            self.heard[key] = (at_ms, 1)
        else:
            last_ms, frames = before
            self.heard[key] = (at_ms if at_ms > last_ms else last_ms, frames + 1)

    def note_delay(self, behind_s: float) -> None:
        """An event is so old by our clock: by its way here, and by how far the clocks differ."""
        self.behind_s = behind_s if self.behind_s is None else min(self.behind_s, behind_s)
