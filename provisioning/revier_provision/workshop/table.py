# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What making a node asks of the workbench: ports, chips, boards in their service window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from revier_inventory.message import Message, _
from revier_provision.books import FirmwareBoard
from revier_provision.workshop.self_test import PartResult

Say = Callable[[Message, float | None], None]  # what happens, and how far it is (0 to 1) if known


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """`name` as esptool prints it without its revision, e.g. ESP32-S3; `mac` 6 bytes."""

    name: str
    mac: bytes

    def sentence(self, port: str) -> Message:
        return _("{name}, {mac} on {port}", name=self.name, mac=self.mac.hex(":"), port=port)


class Console(Protocol):
    """What a running node says on its cable."""

    def lines(self) -> Sequence[str]:
        """All lines since the restart."""

    def close(self) -> None: ...


class NodeBoard(FirmwareBoard, Protocol):
    """A board in its service window. Every call may raise BoardError."""

    def self_test(self) -> tuple[PartResult, ...]: ...

    def start_node(self) -> Console:
        """The node begins to work; nothing else may be asked of this board then."""


class Table(Protocol):
    """A workbench. Every call may raise BoardError or OrderError."""

    def ports(self) -> Sequence[str]:
        """Serial ports that may lead to a board."""

    def find(self, port: str, board: str) -> Chip | None:
        """The chip behind the port, refused if the board of this name has another; None: cannot
        be told before MicroPython runs."""

    def flash(self, port: str, chip: Chip, say: Say) -> Message | None:
        """Put MicroPython on it and verify; what was read back. None: it was there already."""

    def upload(self, port: str, window_s: float, say: Say) -> Message | None:
        """Put the application on it and verify; what was read back. None: it was there already."""

    def open(self, port: str, window_s: float) -> AbstractContextManager[NodeBoard]: ...

    @property
    def has_runtime(self) -> bool: ...

    @property
    def has_bundle(self) -> bool: ...
