# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which language the command speaks: --language, else the site file's, else the environment's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from typer import rich_utils

from revier_inventory.message import Message, _, template
from revier_provision.translation import (
    LANGUAGES,
    SOURCE,
    Language,
    first_known,
    language_of_environment,
    say,
    template_in,
)
from revier_provision.workshop import site_file

OPTION = "--language"

_HELP = template("Show this message and exit.")
_FIXED = {  # of typer's help pages and refusals
    "ARGUMENTS_PANEL_TITLE": template("Arguments"),
    "OPTIONS_PANEL_TITLE": template("Options"),
    "COMMANDS_PANEL_TITLE": template("Commands"),
    "ERRORS_PANEL_TITLE": template("Error"),
    "ABORTED_TEXT": template("Aborted."),
    "DEFAULT_STRING": template("[default: {}]"),
    "ENVVAR_STRING": template("[env var: {}]"),
    "REQUIRED_LONG_STRING": template("[required]"),
    "RICH_HELP": template("Try [blue]'{command_path} {help_option}'[/] for help."),
}


class _Spoken:
    language: Language = SOURCE


def spoken() -> Language:
    """What this process speaks on the terminal."""
    return _Spoken.language


def speak(args: list[str], environ: Mapping[str, str]) -> list[str]:
    """Choose by the command line as it was typed; what is left of it. --language may stand
    anywhere in it."""
    asked, rest = _taken(args)
    if asked is not None and asked not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise typer.BadParameter(f"{asked!r} is not one of {known}", param_hint=OPTION)
    site = _taken(args, "--site")[0] or environ.get(site_file.SITE_VARIABLE)
    chosen = first_known([asked or ""]) or site_file.language_of(site)
    _Spoken.language = chosen or language_of_environment(environ)
    return rest


def _taken(args: list[str], option: str = OPTION) -> tuple[str | None, list[str]]:
    """An option's value, and the line without it."""
    for number, each in enumerate(args):
        if each == option and number + 1 < len(args):
            return args[number + 1], args[:number] + args[number + 2 :]
        if each.startswith(f"{option}="):
            return each.partition("=")[2], args[:number] + args[number + 1 :]
    return None, args


def ask(question: Message, *, default: str | None = None) -> str:
    """One line from who sits there."""
    answer: str = typer.prompt(say(question, spoken()), default=default, err=True)
    return answer


def ask_secret(question: Message, *, twice: bool = False) -> str:
    """It is not shown while it is typed."""
    again = say(_("Repeat for confirmation"), spoken()) if twice else False
    answer: str = typer.prompt(
        say(question, spoken()), hide_input=True, confirmation_prompt=again, err=True
    )
    return answer


def translate_help(command: Any, ctx: Any) -> None:
    """The help of a command, its options and all commands below it; typer's own words, too."""
    for name, text in _FIXED.items():
        setattr(rich_utils, name, template_in(text, spoken()))
    todo = [command]
    while todo:
        one = todo.pop()
        one.get_help_option(ctx).help = template_in(_HELP, spoken())
        for each in (one, *one.params):
            if getattr(each, "help", None):
                each.help = template_in(each.help, spoken())
        todo += getattr(one, "commands", {}).values()
