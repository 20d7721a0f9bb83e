# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The result of a check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from revier_inventory.message import NOTHING, Message

State = Literal["ok", "skipped", "warn", "bad"]
_ORDER: tuple[State, ...] = ("ok", "skipped", "warn", "bad")


class Checked(msgspec.Struct, frozen=True):
    """check is the name by which scripts know it. warn: it works, but may fail later."""

    check: str
    state: State
    what: Message
    cure: Message = NOTHING


def ok(check: str, what: Message) -> Checked:
    return Checked(check, "ok", what)


def skipped(check: str, what: Message, cure: Message) -> Checked:
    return Checked(check, "skipped", what, cure)


def warn(check: str, what: Message, cure: Message) -> Checked:
    return Checked(check, "warn", what, cure)


def bad(check: str, what: Message, cure: Message) -> Checked:
    return Checked(check, "bad", what, cure)


def worst(results: Iterable[Checked]) -> State:
    return max((one.state for one in results), key=_ORDER.index, default="ok")
