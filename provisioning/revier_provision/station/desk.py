# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the station's pages work with. The network server's token is behind it and in no page."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from revier_inventory import Inventory
from revier_inventory.message import Message
from revier_provision import inventory_files
from revier_provision.ledger.files import LedgerFolder
from revier_provision.station.sessions import Sessions, Tries
from revier_provision.station.signoff import Registry
from revier_provision.station.trials import LiveNetwork, Trials
from revier_provision.station.users import Users

PHOTOS = "photos"


class StepEvent(Protocol):
    """How far a board is: as workshop.step_events.StepEvent."""

    @property
    def step(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def readback(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def fraction(self) -> float | None: ...
    @property
    def cure(self) -> str: ...


class Maker(Protocol):
    """What the workshop's page does. `make` blocks; it may raise ProvisionError."""

    def ports(self) -> Mapping[str, str]:
        """The boards that are plugged in: port -> what it is, in words."""

    def make(
        self, port: str, asset: str | None, *, replace: bool, by: str, tell: Callable[[Any], None]
    ) -> Message:
        """Make the board on this port a node, telling StepEvents; the node in words."""


@dataclass
class Desk:
    """`folder` is the inventory's, `state` holds trials and users, `maker` None: no workshop."""

    folder: Path
    ledger_folder: Path
    station: str
    state: Path
    registry: Registry
    live: LiveNetwork
    maker: Maker | None = None
    authority_pem: bytes | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock_s: Callable[[], float] = time.monotonic
    users: Users = field(init=False)
    sessions: Sessions = field(init=False)
    tries: Tries = field(init=False)
    trials: Trials = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)

    def __post_init__(self) -> None:
        self.users = Users(self.state / "users.json")
        self.sessions = Sessions(secrets.token_bytes)
        self.tries = Tries()
        self.trials = Trials(self.state / "trials", self.live, self.now)

    @property
    def photos(self) -> Path:
        return self.folder / PHOTOS

    def inventory(self) -> Inventory:
        return inventory_files.read(self.folder)

    @contextmanager
    def books(self, by: str) -> Iterator[LedgerFolder]:
        """The ledger in this user's name; one sign-off at a time."""
        with self._lock:
            yield LedgerFolder(self.ledger_folder, self.station, by, self.now)
