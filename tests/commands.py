# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a program's commands are, for the tests of the pages that name them."""

from typing import Any

import typer.main


def commands(app: typer.Typer) -> dict[tuple[str, ...], frozenset[str] | None]:
    """Every command with its options; None for a group of commands."""
    found: dict[tuple[str, ...], frozenset[str] | None] = {}

    def walk(command: Any, path: tuple[str, ...]) -> None:
        below = getattr(command, "commands", None)
        options = {"--help"}
        for parameter in command.params:
            options.update(parameter.opts, parameter.secondary_opts)
        found[path] = None if below else frozenset(options)
        for name, each in (below or {}).items():
            walk(each, (*path, name))

    walk(typer.main.get_command(app), ())
    return found
