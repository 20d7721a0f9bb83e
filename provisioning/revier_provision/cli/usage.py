# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What typer refuses before a command begins, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import typer

from revier_inventory.message import recognised, template
from revier_provision.cli.language import spoken
from revier_provision.translation import SOURCE, say

# Of click, whose copy in typer is private.
UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])
_SAID = (  # typer 0.29: _click/exceptions.py, _click/parser.py, core.py; pydantic's for values
    (
        r"Missing (?:option|parameter) (?P<name>[^.]+)\.(?s:.*)",
        template("The option {name} is missing."),
    ),
    (r"Missing argument (?P<name>[^.]+)\.(?s:.*)", template("The argument {name} is missing.")),
    (r"Missing command\.", template("The command is missing.")),
    (
        r"No such option: (?P<name>\S+) \(Possible options: (?P<known>.+)\)",
        template("There is no option {name}. Similar: {known}"),
    ),
    (r"No such option: (?P<name>\S+)", template("There is no option {name}.")),
    (
        r"No such command '(?P<name>[^']+)'\. Did you mean (?P<known>.+)\?",
        template("There is no command {name!r}. Similar: {known}"),
    ),
    (r"No such command '(?P<name>[^']+)'\.", template("There is no command {name!r}.")),
    (
        r"Option '(?P<name>[^']+)' requires an argument\.",
        template("The option {name} needs a value."),
    ),
    (
        r"Got unexpected extra arguments?(?:\(s\))? \((?P<given>.+)\)",
        template("Too many arguments: {given}"),
    ),
    (
        r"Invalid value for (?P<name>.+?): .*(?P<given>'.+') is not one of (?P<known>.+)",
        template("{name}: {given} is not one of {known}"),
    ),
    (
        r"Invalid value for (?P<name>.+?): Input should be a valid integer\b.*",
        template("{name}: write a whole number."),
    ),
    (
        r"Invalid value for (?P<name>.+?): Input should be a valid number\b.*",
        template("{name}: write a number."),
    ),
)


@contextmanager
def usage_said() -> Iterator[None]:
    """A refusal leaves with its sentence in the language that is spoken."""
    try:
        yield
    except UsageError as error:
        if spoken() != SOURCE and hasattr(error, "format_message"):
            text = say(recognised(error.format_message(), _SAID), spoken())
            error.format_message = lambda: text
        raise
