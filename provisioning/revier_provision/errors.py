# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong, by who can cure it. Every error says what to do next."""

from __future__ import annotations


class ProvisionError(Exception):
    """`problem` is what happened, `cure` the next step, both sentences without a full stop."""

    def __init__(self, problem: str, cure: str) -> None:
        self.problem = problem
        self.cure = cure
        super().__init__(f"{problem}. {cure}.")


class OrderError(ProvisionError):
    """What was asked for cannot be; the technician decides."""


class BoardError(ProvisionError):
    """The board does not answer, or not as it should."""


class NetworkServerError(ProvisionError):
    """The network server refused or could not be reached."""
