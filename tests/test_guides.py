# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The technician's guides, English and German, say the same, and what they name exists."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import polib
import pytest
import typer.main
from tests.commands import commands

from revier_inventory.message import _
from revier_provision.cli import app
from revier_provision.cli.fleet import STATES
from revier_provision.translation import Language, say
from revier_provision.workshop import site_file
from revier_provision.workshop.self_test import PartResult
from revier_provision.workshop.step_events import NodeStep

ROOT = Path(__file__).resolve().parent.parent
GUIDES = {"en": ROOT / "docs" / "technician.md", "de": ROOT / "docs" / "technik.md"}
PROGRAM = "revier-provision"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)
NAMED_IN_TEXT = re.compile(r"(?<=: )" + PROGRAM + r"((?: [a-z][a-z-]*)+)")
COLUMNS = re.compile(r"^\|(?:---\|)+$", re.MULTILINE)


class Use(NamedTuple):
    """A command as a guide names it, and its options there."""

    command: tuple[str, ...]
    options: frozenset[str]


class Section(NamedTuple):
    level: int
    title: str
    text: str

    def blocks(self, language: str) -> list[str]:
        """Fenced blocks of a language, without comments."""
        return [
            COMMENT.sub("", body) for kind, body in FENCE.findall(self.text) if kind == language
        ]

    def spans(self) -> list[str]:
        return SPAN.findall(FENCE.sub("", self.text))

    def lines(self) -> list[str]:
        """Lines for a shell, without comments; lines that go on are one."""
        text = "\n".join(self.blocks("sh")).replace("\\\n", " ")
        return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


COMMANDS = commands(app)
PROGRAM_OPTIONS = frozenset(
    option for each in typer.main.get_command(app).params for option in each.opts
)
OPTIONS = PROGRAM_OPTIONS.union(*(options for options in COMMANDS.values() if options))


def sections(guide: str) -> list[Section]:
    text = GUIDES[guide].read_text("utf-8")
    hidden = FENCE.sub(
        lambda block: re.sub(r"[^\n]", " ", block[0]), text
    )  # a # there is a comment
    heads = list(HEADING.finditer(hidden))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Section(len(head[1]), head[2], text[head.end() : end])
        for head, end in zip(heads, ends, strict=True)
    ]


def use_of(line: str) -> Use:
    """The command and the options of a line behind the program's name."""
    words = shlex.split(line)
    path: tuple[str, ...] = ()
    while words and COMMANDS[path] is None:
        path = (*path, words.pop(0))
        assert path in COMMANDS, f"there is no command {' '.join(path)!r}"
    return Use(path, frozenset(word for word in words if word.startswith("--")))


def uses(section: Section) -> Iterator[Use]:
    """Commands that are named with the program, and those of two words or more without it."""
    for line in [*section.lines(), *section.spans()]:
        first, _, rest = line.partition(" ")
        if first == PROGRAM:
            yield use_of(rest)
        elif (first,) in COMMANDS and (rest or COMMANDS[(first,)] is not None):
            yield use_of(line)


def options_in(section: Section) -> set[str]:
    return {word for span in section.spans() for word in span.split() if word.startswith("--")}


def test_both_guides_have_the_same_sections() -> None:
    english, german = sections("en"), sections("de")
    assert len(english) > 20
    assert [one.level for one in english] == [one.level for one in german]
    assert len({one.title for one in german}) == len(german)


def test_both_guides_have_the_same_commands_options_and_tables() -> None:
    for english, german in zip(sections("en"), sections("de"), strict=True):
        where = f"{english.title} / {german.title}"
        assert english.lines() == german.lines(), where
        assert set(uses(english)) == set(uses(german)), where
        assert options_in(english) == options_in(german), where
        rows = [section.text.count("\n|") for section in (english, german)]
        assert rows[0] == rows[1], where
        assert COLUMNS.findall(english.text) == COLUMNS.findall(german.text), where


def test_both_guides_have_the_same_files() -> None:
    def files(guide: str) -> list[dict[str, Any]]:
        text = "".join(section.text for section in sections(guide))
        text = re.sub(r'^sha256 = ".*"', 'sha256 = ""', text, flags=re.MULTILINE)
        return [tomllib.loads(body) for kind, body in FENCE.findall(text) if kind == "toml"]

    assert len(files("en")) == 3
    assert files("en") == files("de")


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_names_exists(guide: str) -> None:
    for section in sections(guide):
        for use in uses(section):
            known = COMMANDS[use.command]
            assert known is not None or not use.options, use
            unknown = use.options - (known or frozenset())
            assert not unknown, f"{section.title}: {' '.join(use.command)} has no {unknown}"
        unknown = options_in(section) - OPTIONS
        assert not unknown, f"{section.title}: no command has {unknown}"


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_names_every_command(guide: str) -> None:
    named = {use.command for section in sections(guide) for use in uses(section)}
    silent = {path for path, options in COMMANDS.items() if options} - named
    assert not silent, f"{GUIDES[guide].name} says nothing of {sorted(silent)}"


@pytest.mark.parametrize("guide", GUIDES)
def test_the_site_file_of_a_guide_is_one(guide: str, tmp_path: Path) -> None:
    (block,) = [
        body for kind, body in FENCE.findall(GUIDES[guide].read_text("utf-8")) if "[books]" in body
    ]
    text = re.sub(r'^sha256 = ".*"', f'sha256 = "{"0" * 64}"', block, flags=re.MULTILINE)
    text = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)  # what is left out, too
    path = tmp_path / site_file.SITE_FILE
    path.write_text(text, "utf-8")
    site = site_file.read(path)
    assert site.station == "bench-1"
    assert site.eui_block == tmp_path / "eui-block.toml"
    assert site.vendor_id == "0000"


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_names_states_and_steps_as_the_program_does(guide: str) -> None:
    text = GUIDES[guide].read_text("utf-8")
    language = cast(Language, guide)
    states = [say(state, language) for state in STATES.values()]
    told = re.findall(r"^\| `([^`|]+)` \|", text[text.index(f"| `{states[1]}` |") - 200 :], re.M)
    assert set(states) <= set(told)
    steps = re.search(
        r"^\| (?:it stops at|Schritt, in dem es hält) .*?\n\n", text, re.M | re.DOTALL
    )
    assert steps is not None
    known = {say(step.words, language) for step in NodeStep}
    named = {
        name for row in steps[0].splitlines()[2:] if row for name in row.split("|")[1].split(", ")
    }
    assert len(named) > 5
    assert {name.strip() for name in named} <= known


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_shows_of_a_run_is_what_is_said(guide: str) -> None:
    """The self-test's failure, word for word."""
    (shown,) = [
        body for kind, body in FENCE.findall(GUIDES[guide].read_text("utf-8")) if kind == "text"
    ]
    part = PartResult(part="bme280", fault="no answer")
    cure = _("{cure}; then run again", cure=part.cure)
    for said in (part.problem, NodeStep.SELF_TEST.words, _("Next: {cure}.", cure=cure)):
        assert say(said, cast(Language, guide)) in shown


def test_commands_that_the_program_itself_names_exist() -> None:
    """A cure says `...: revier-provision COMMAND`."""
    told, wrong = 0, []
    for path in (ROOT / "provisioning" / "revier_provision").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            for named in NAMED_IN_TEXT.findall(" ".join(node.value.split())):
                told += 1
                words = tuple(named.split())
                group = COMMANDS.get(words[:1], frozenset()) is None
                if words[:1] not in COMMANDS or (
                    group and words[1:2] and words[:2] not in COMMANDS
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {PROGRAM}{named}")
    for entry in polib.pofile(str(ROOT / "provisioning/revier_provision/locale/de.po")):
        for text in (entry.msgstr, *entry.msgstr_plural.values()):
            for named in NAMED_IN_TEXT.findall(text):
                told += 1
                if tuple(named.split())[:1] not in COMMANDS:
                    wrong.append(f"de.po: {PROGRAM}{named}")
    assert told > 60
    assert not wrong, "\n".join(wrong)
