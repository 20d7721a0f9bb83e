# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How commands speak: sentences for people, one JSON object with --json. Never a key."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from revier_inventory import InventoryError
from revier_inventory.message import Message, _, joined, plain
from revier_provision.cli.language import spoken
from revier_provision.errors import FaultsError, LedgerError, ProvisionError, reason
from revier_provision.translation import say

EXIT_REFUSED = 1
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)  # said without a file's name
PIPE_COLUMNS = 400  # nothing is wrapped where no one looks at a screen


class Output:
    """One command's output. Results go to standard output, progress and errors to standard error.

    People read it in the language that they chose; JSON is the same in every language. With
    `as_json` an error is the JSON object {"error": [{"problem": ..., "cure": ...}]} instead.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._language = spoken()
        width = None if sys.stdout.isatty() else PIPE_COLUMNS
        self._console = Console(highlight=False, soft_wrap=True, width=width)
        self._error_console = Console(stderr=True, highlight=False, soft_wrap=True)

    def progress(self, step: Message) -> None:
        if not self._as_json:
            self._error_console.print(f"  {say(step, self._language)} ...", markup=False)

    def knock(self, port: str) -> None:
        self.progress(
            _("knock at {port} (if nothing happens, press the board's reset button)", port=port)
        )

    def result(self, data: Any, sentence: Message) -> None:
        if self._as_json:
            self._write_json(data)
        else:
            self._console.print(say(sentence, self._language), markup=False)

    def table(self, rows: Sequence[dict[str, Any]], columns: Sequence[Message]) -> None:
        """Columns are the keys of the rows, and their headings."""
        if self._as_json:
            self._write_json(list(rows))
            return
        table = Table(box=None, pad_edge=False)
        for name in columns:
            table.add_column(say(name, self._language), overflow="fold")
        for row in rows:
            table.add_row(*(Text(self._cell(row[name])) for name in columns))
        self._console.print(table)

    def _cell(self, value: Any) -> str:
        if isinstance(value, str):
            return say(value, self._language)
        return "" if value is None else str(value)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Say an error's problem and cure and end the command with exit code 1."""
        try:
            yield
        except LedgerError as error:
            self._refuse([(found.words, error.cure) for found in error.findings])
        except FaultsError as errors:
            self._refuse(errors.errors)
        except ProvisionError as error:
            self._refuse([(error.problem, error.cure)])
        except InventoryError as error:
            self._refuse(
                [(joined(": ", [f.file, f.key, f.problem]), f.cure) for f in error.findings]
            )
        except OSError as error:
            if error.filename is None and error.errno not in DISK:
                raise
            self._refuse([_of_the_machine(error)])

    def _refuse(self, errors: Sequence[tuple[Message, Message]]) -> None:
        if self._as_json:
            self._write_json({"error": [{"problem": each, "cure": cure} for each, cure in errors]})
            raise typer.Exit(EXIT_REFUSED)
        for problem, cure in errors:
            said = say(problem, self._language)
            self._error_console.print(f"{said}.", style="red", markup=False)
            then = say(_("Next: {cure}.", cure=cure), self._language)
            self._error_console.print(f"  {then}", markup=False)
        raise typer.Exit(EXIT_REFUSED)

    @staticmethod
    def _write_json(data: Any) -> None:
        text = json.dumps(msgspec.to_builtins(data, enc_hook=plain), ensure_ascii=False)
        sys.stdout.write(text + "\n")


def _of_the_machine(error: OSError) -> tuple[Message, Message]:
    """A file or folder that is not as a command needs it: problem and cure."""
    cure = _("Correct the path, the rights there, or make room on the disk; then run again")
    if error.filename is None:
        return _("A file could not be written: {reason}", reason=reason(error)), cure
    return _("Cannot use {path}: {reason}", path=str(error.filename), reason=reason(error)), cure
