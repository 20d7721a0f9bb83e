# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The result of a check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec


class Checked(msgspec.Struct, frozen=True):
    """check is the name by which tests and scripts know it."""

    check: str
    state: Literal["ok", "wrong", "skipped"]
    what: str  # is so, is wrong, or was not looked at
    cure: str = ""  # of what is wrong; of what was skipped: how to have it looked at


def ok(check: str, what: str) -> Checked:
    return Checked(check, "ok", what)


def wrong(check: str, what: str, cure: str) -> Checked:
    return Checked(check, "wrong", what, cure)


def skipped(check: str, what: str, cure: str) -> Checked:
    return Checked(check, "skipped", what, cure)


def wrong_ones(results: Iterable[Checked]) -> list[Checked]:
    return [one for one in results if one.state == "wrong"]
