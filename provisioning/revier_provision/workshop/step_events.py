# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The typed list of steps from a board in a box to a proven node, and what is said on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from revier_inventory import InventoryError
from revier_inventory.message import NOTHING, Message, Spoken, _, joined
from revier_provision.errors import ProvisionError


class NodeStep(Spoken):
    """In the order in which they are done."""

    FIND = "find the board"
    RUNTIME = "flash MicroPython"
    FIRMWARE = "upload the application"
    IDENTITY = "write identity and key"
    SELF_TEST = "test every chip"
    REGISTER = "register in ChirpStack"
    RECORD = "record in the inventory"
    PROOF = "prove join and first reading"
    LABEL = "make the label"


State = Literal["begun", "progress", "done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class StepEvent:
    """`readback`: what was read back, or how far it is (`fraction`, 0 to 1), or what went wrong.

    `cure` only when it failed: the next action. `seconds` since the step began.
    """

    step: NodeStep
    state: State
    readback: Message = NOTHING
    seconds: float = 0.0
    fraction: float | None = None
    cure: Message = NOTHING


OnStep = Callable[[StepEvent], None]


class StepFailedError(ProvisionError):
    """A step's error and which step it was."""

    def __init__(self, step: NodeStep, problem: Message, cure: Message) -> None:
        self.step = step
        super().__init__(problem, cure)


class Running:
    """A step that has begun. `done` and `skip` say how it ends; nothing said means done."""

    def __init__(self, step: NodeStep, tell: OnStep, clock: Callable[[], float]) -> None:
        self._step, self._tell, self._clock = step, tell, clock
        self._began_s = clock()
        self._end: tuple[State, Message] = ("done", NOTHING)

    def done(self, readback: Message) -> None:
        self._end = ("done", readback)

    def skip(self, why: Message) -> None:
        self._end = ("skipped", why)

    def say(self, text: Message, fraction: float | None = None) -> None:
        self._tell(self._event("progress", text, fraction))

    def finish(self) -> StepEvent:
        event = self._event(*self._end)
        self._tell(event)
        return event

    def fail(self, problem: Message, cure: Message) -> StepEvent:
        seconds = self._clock() - self._began_s
        event = StepEvent(self._step, "failed", problem, seconds, None, cure)
        self._tell(event)
        return event

    def _event(self, state: State, text: Message, fraction: float | None = None) -> StepEvent:
        seconds = self._clock() - self._began_s
        return StepEvent(self._step, state, text, seconds, fraction)


class Steps:
    """Runs steps one after the other and remembers how each ended."""

    def __init__(self, tell: OnStep, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._running: Running | None = None
        self.ended: list[StepEvent] = []

    def say(self, text: Message) -> None:
        """Progress of whichever step runs now."""
        if self._running is not None:
            self._running.say(text)

    @contextmanager
    def step(self, step: NodeStep) -> Iterator[Running]:
        """Errors inside are told as this step's and leave as StepFailedError."""
        running = self._running = Running(step, self._tell, self._clock)
        self._tell(StepEvent(step, "begun"))
        try:
            yield running
        except ProvisionError as error:
            self.ended.append(running.fail(error.problem, error.cure))
            raise StepFailedError(step, error.problem, error.cure) from error
        except InventoryError as error:
            found = error.findings[0]
            problem = joined(": ", [found.file, found.key, found.problem])
            self.ended.append(running.fail(problem, found.cure))
            raise StepFailedError(step, problem, found.cure) from error
        except BaseException as error:
            self.ended.append(
                running.fail(
                    _("Stopped ({name})", name=type(error).__name__),
                    _("Run again: it goes on where it stopped"),
                )
            )
            raise
        finally:
            self._running = None
        self.ended.append(running.finish())

    def skip(self, step: NodeStep, why: Message) -> None:
        event = StepEvent(step, "skipped", why)
        self._tell(event)
        self.ended.append(event)
