# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How commands speak: sentences for people, one JSON object with --json. Never a key."""

from __future__ import annotations

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
from revier_provision.errors import FaultsError, LedgerError, ProvisionError

EXIT_REFUSED = 1
PIPE_COLUMNS = 400  # nothing is wrapped where no one looks at a screen


class Output:
    """One command's output. Results go to standard output, progress and errors to standard error.

    With `as_json` an error is the JSON object {"error": [{"problem": ..., "cure": ...}]} instead.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        width = None if sys.stdout.isatty() else PIPE_COLUMNS
        self._console = Console(highlight=False, soft_wrap=True, width=width)
        self._error_console = Console(stderr=True, highlight=False, soft_wrap=True)

    def progress(self, step: str) -> None:
        if not self._as_json:
            self._error_console.print(f"  {step} ...", markup=False)

    def knock(self, port: str) -> None:
        self.progress(f"knock at {port} (if nothing happens, press the board's reset button)")

    def result(self, data: Any, sentence: str) -> None:
        if self._as_json:
            self._write_json(msgspec.to_builtins(data))
        else:
            self._console.print(sentence, markup=False)

    def table(self, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
        if self._as_json:
            self._write_json(msgspec.to_builtins(list(rows)))
            return
        table = Table(box=None, pad_edge=False)
        for name in columns:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in columns))
        self._console.print(table)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Say an error's problem and cure and end the command with exit code 1."""
        try:
            yield
        except LedgerError as error:
            self._refuse(
                [
                    {
                        "problem": f"{f.station}.jsonl line {f.line} {f.problem} ({f.fault})",
                        "cure": error.cure,
                    }
                    for f in error.findings
                ]
            )
        except FaultsError as errors:
            self._refuse([{"problem": each[0], "cure": each[1]} for each in errors.errors])
        except ProvisionError as error:
            self._refuse([{"problem": error.problem, "cure": error.cure}])
        except InventoryError as error:
            found = error.findings
            self._refuse(
                [{"problem": f"{f.file}: {f.key}: {f.problem}", "cure": f.cure} for f in found]
            )

    def _refuse(self, errors: list[dict[str, str]]) -> None:
        if self._as_json:
            self._write_json({"error": errors})
        for error in [] if self._as_json else errors:
            self._error_console.print(f"{error['problem']}.", style="red", markup=False)
            self._error_console.print(f"  Next: {error['cure']}.", markup=False)
        raise typer.Exit(EXIT_REFUSED)

    def _write_json(self, data: Any) -> None:
        sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
