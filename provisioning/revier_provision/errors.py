# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong, by who can cure it. Every error says what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from revier_inventory.message import Message, _

if TYPE_CHECKING:
    from revier_provision.ledger.records import Finding


class ProvisionError(Exception):
    """`problem` is what happened, `cure` the next step, both sentences without a full stop.

    Either is a template with {fields} for `values`, written as a literal, or a message that was
    made elsewhere. Who catches the error says them in the reader's language (translation.say); as
    a string the error is English.
    """

    def __init__(self, problem: str, cure: str, /, **values: object) -> None:
        self.problem = problem if isinstance(problem, Message) else Message(problem, values)
        self.cure = cure if isinstance(cure, Message) else Message(cure, values)
        super().__init__(f"{self.problem}. {self.cure}.")


class OrderError(ProvisionError):
    """What was asked for cannot be; the technician decides."""


class FaultsError(OrderError):
    """Everything that is wrong at once; `errors` holds problem and cure of each."""

    def __init__(self, errors: Sequence[tuple[Message, Message]]) -> None:
        assert errors
        self.errors = tuple(errors)
        super().__init__(*self.errors[0])


class BoardError(ProvisionError):
    """The board does not answer, or not as it should."""


class NetworkServerError(ProvisionError):
    """The network server refused or could not be reached."""


class LedgerError(ProvisionError):
    """The ledger contradicts itself; `findings` says where."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        first = self.findings[0]
        cure = _("Compare with a copy (another station's, the last backup) before you go on")
        super().__init__(first.words, cure)


def cannot_read(path: Path, error: OSError | UnicodeDecodeError, cure: Message) -> OrderError:
    return OrderError("Cannot read {path}: {reason}", cure, path=path, reason=reason(error))


def cannot_write(path: Path, error: OSError, cure: Message) -> OrderError:
    return OrderError("Cannot write {path}: {reason}", cure, path=path, reason=reason(error))


def cannot_write_in(folder: Path, error: OSError, cure: Message) -> OrderError:
    problem = "Cannot write in {folder}: {reason}"
    return OrderError(problem, cure, folder=folder, reason=reason(error))


def reason(error: OSError | UnicodeDecodeError) -> str:
    """The system's word for it, as a message where it is one of the usual ones."""
    if isinstance(error, UnicodeDecodeError):
        return _("not UTF-8 text")
    said = error.strerror or type(error).__name__
    return next((known for known in _REASONS if known == said), said)


_REASONS = (
    _("No such file or directory"),
    _("Permission denied"),
    _("Operation not permitted"),
    _("File exists"),
    _("Not a directory"),
    _("Is a directory"),
    _("No space left on device"),
    _("Read-only file system"),
    _("Input/output error"),
)
