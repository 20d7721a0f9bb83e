# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Cuts at a chosen point: of the board's cable, of ChirpStack's, of the workbench's power."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import grpc

from revier_provision import durable_files
from revier_provision.errors import BoardError

FILE_ACTIONS = ("replace", "create", "append")


class KilledError(BaseException):
    """The workbench lost its power: nothing is written after this."""


class Place(StrEnum):
    BOARD = "board"
    SERVER = "server"
    FILE = "file"


class GoneError(grpc.RpcError):
    """As gRPC says it when ChirpStack cannot be reached."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "failed to connect to all addresses"


class Scissors:
    """Counts every point that is passed, and cuts at number `at`, before or after its effect.

    `kill`: the workbench dies there; else the cable of that place is cut: the board's, ChirpStack's
    (files have none, so there it is always the workbench).
    """

    def __init__(self, at: int | None = None, *, after: bool = False, kill: bool = False) -> None:
        self.at, self.after, self.kill = at, after, kill
        self.passed = 0
        self.cut_at: Place | None = None
        self.dead = False
        self.places: list[Place] = []  # as they were passed

    def pass_by(self, place: Place, action: Callable[[], Any] = lambda: None) -> Any:
        if self.dead:
            raise KilledError
        here = self.passed == self.at
        self.passed += 1
        self.places.append(place)
        if here and not self.after:
            self._cut(place)
        result = action()
        if here:
            self._cut(place)
        return result

    def _cut(self, place: Place) -> None:
        self.cut_at = place
        if self.kill or place is Place.FILE:
            self.dead = True
            raise KilledError
        if place is Place.SERVER:
            raise GoneError
        raise BoardError("The port went away", "Plug the board in again and run again")

    @contextmanager
    def at_files(self) -> Iterator[None]:
        """Every durable write passes by, too. One run at a time in a process."""
        before = {name: getattr(durable_files, name) for name in FILE_ACTIONS}

        def through(write: Callable[..., None]) -> Callable[..., None]:
            def written(*args: Any, **more: Any) -> None:
                self.pass_by(Place.FILE, lambda: write(*args, **more))

            return written

        for name, write in before.items():
            setattr(durable_files, name, through(write))
        try:
            yield
        finally:
            for name, write in before.items():
                setattr(durable_files, name, write)
