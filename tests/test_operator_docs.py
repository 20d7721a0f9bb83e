# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the operator's pages name exists: commands with their options, keys, reasons, addresses."""

import re
import shlex
from pathlib import Path
from typing import get_args

import jinja2
import msgspec
import pytest
from tests.commands import commands

from revier_gateway import config, feed_messages, outcomes
from revier_gateway.cli import app
from revier_gateway.watch.standing import State

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [DOCS / "operator.md", DOCS / "protocol" / "feed.md", *(DOCS / "runbooks").glob("*.md")]
PROGRAM = "revier-gateway"
# A command in a block, or between back-ticks in a line.
COMMAND = re.compile(rf"(?:^|[`]){PROGRAM} ([^`\n]+)", re.MULTILINE)
PLACEHOLDERS = {"...", "|"}


COMMANDS = commands(app)


def named_in(page: Path) -> list[str]:
    text = page.read_text("utf-8").replace("\\\n", " ")
    text = re.sub(r"^(?: {4}|\$ |/opt/revier/bin/)", "", text, flags=re.MULTILINE)
    return [line.split("  #")[0] for line in COMMAND.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    for line in named_in(page):
        words = shlex.split(line.replace("[", " ").replace("]", " "))
        path: tuple[str, ...] = ()
        while words and COMMANDS[path] is None and (*path, words[0]) in COMMANDS:
            path = (*path, words.pop(0))
        known = COMMANDS[path]
        assert path, f"there is no command {line!r}"
        assert known is not None or not words, line
        given = {word for word in words if re.match(r"--?[a-z]", word)}
        assert not given - (known or frozenset()), f"{line!r}: {given - (known or frozenset())}"


def test_the_operator_s_page_names_every_command() -> None:
    page = (DOCS / "operator.md").read_text("utf-8")
    runbooks = "".join(path.read_text("utf-8") for path in (DOCS / "runbooks").glob("*.md"))
    silent = []
    for path, options in COMMANDS.items():
        name = " ".join(path)
        if options is not None and f"{PROGRAM} {name}" not in page + runbooks:
            silent.append(name)
    assert not [name for name in silent if name != "version"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_that_a_page_names_exists(page: Path) -> None:
    fields = {one.name: one.type for one in msgspec.structs.fields(config.Config)}
    for table, key in re.findall(r"`\[([a-z]+)\] ([a-z_]+)`", page.read_text("utf-8")):
        if table not in fields:
            continue  # ChirpStack's
        types = (fields[table], *get_args(fields[table]))
        (struct,) = [one for one in types if hasattr(one, "__struct_fields__")]
        assert key in struct.__struct_fields__, f"[{table}] {key}"


def test_the_reasons_that_the_runbooks_name_are_those_of_the_code() -> None:
    known = set(outcomes.QUARANTINE_REASONS)
    for name in ("quarantine-growing", "feed-refused"):
        text = (DOCS / "runbooks" / f"{name}.md").read_text("utf-8")
        told = set(re.findall(r"`([a-z_]+)`", text.partition("## Cure")[2]))
        assert len(told) >= 4
        assert told - {"max_packet_size", "message_size_limit", "ags"} <= known


def test_home_assistant_reads_availability_as_the_page_says() -> None:
    """Both templates of feed.md, with every state that there is."""
    text = (DOCS / "protocol" / "feed.md").read_text("utf-8")
    forgiving, strict = re.findall(
        r"`(\{\{ 'offline' if .+?\}\})`|`(value_json\.state == 'online')`", text
    )
    for state in get_args(State):
        said = jinja2.Template(forgiving[0]).render(value_json={"state": state})
        assert said == ("offline" if state == "offline" else "online")
        doubt = jinja2.Template(f"{{{{ {strict[1]} }}}}").render(value_json={"state": state})
        assert doubt == str(state == "online")


def test_the_feed_s_page_has_every_word_that_a_message_can_say() -> None:
    text = (DOCS / "protocol" / "feed.md").read_text("utf-8")
    words = {*get_args(State)}
    for struct in (feed_messages.Gap, feed_messages.CommandFate, feed_messages.GatewayStatus):
        for field in msgspec.structs.fields(struct):
            words.update(word for word in get_args(field.type) if isinstance(word, str))
    words.update(get_args(feed_messages.Cause))
    assert len(words) > 15
    missing = [word for word in words - {""} if f"`{word}`" not in text and f'"{word}"' not in text]
    assert not missing
