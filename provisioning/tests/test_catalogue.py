# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""All that the program says has its German, with the same values; and the check sees faults."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from tools import messages

from revier_provision.translation import LANGUAGES, SOURCE

CATALOGUES = sorted(messages.FOLDER.glob("*.po"))
QUOTED = re.compile(r"--[a-z][a-z-]+|(?<=: )revier-provision [a-z-]+|chmod \d+|[A-Za-z_]+\.toml")


def entries() -> Iterator[tuple[str, str]]:
    """Each English text with each German one."""
    for entry in polib.pofile(str(messages.FOLDER / "de.po")):
        if entry.msgid_plural:
            yield entry.msgid, entry.msgstr_plural[0]
            yield entry.msgid_plural, entry.msgstr_plural[1]
        else:
            yield entry.msgid, entry.msgstr


def test_there_is_a_catalogue_for_each_language() -> None:
    assert {path.stem for path in CATALOGUES} == set(LANGUAGES) - {SOURCE}


def test_every_message_is_a_literal_with_its_values() -> None:
    found, faults = messages.collect()
    assert len(found) > 1_000
    assert faults == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_message_is_translated_and_none_is_idle(path: Path) -> None:
    found, _ = messages.collect()
    assert list(messages.faults_of(polib.pofile(str(path)), found)) == []


def test_a_translation_ends_as_its_message_does() -> None:
    def ends(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], re.search(r"[.?:…\s]*\Z", text)[0]  # type: ignore[index]

    assert [(en, de) for en, de in entries() if ends(en) != ends(de)] == []


def test_what_is_to_be_typed_is_the_same() -> None:
    """Commands, options and files. (What explains an option may leave its name out.)"""
    wrong = [
        (en, de)
        for en, de in entries()
        if set(QUOTED.findall(de)) - {"technik.md"} != set(QUOTED.findall(en)) - {"technician.md"}
    ]
    assert wrong == []


def source(text: str) -> messages.Source:
    path = messages.ROOT / "provisioning" / "revier_provision" / "made_up.py"
    return messages.Source(path, ast.parse(text), frozenset({"OrderError"}))


@pytest.mark.parametrize(
    "text",
    [
        'raise OrderError(f"No {x}", "Do it")',
        'raise OrderError("No x", "Do " + it)',
        'raise OrderError("No x", "Do it".format(x))',
        'raise OrderError("No {x}", "Do it", y=1)',
        'def f():\n    cure = f"Do {x}"\n    raise OrderError("No x", cure)',
        'step.done(_(f"{x} is there"))',
        'step.done(_(words))',
        'step.done(_("{x} is there"))',
        'n_("{count} thing", "{count} {what}", 3)',
    ],
)  # fmt: skip
def test_the_check_sees_what_cannot_be_translated(text: str) -> None:
    assert len(source(text).faults) == 1


def test_the_check_finds_every_way_of_saying_something() -> None:
    text = """
GONE = "It is gone: {why}"
class Step(Spoken):
    LOOK = "look at it"
def later():
    cure = "Do this" if easy else "Do that"
    raise OrderError(GONE, cure, why=why)
def now():
    said = [_("one"), n_("{count} thing", "{count} things", 2), template("row {x}")]
    raise OrderError(joined(", ", said), error.cure)
"""
    found = source(text)
    assert found.faults == []
    assert {each.text for each in found.found} == {
        "It is gone: {why}", "look at it", "Do this", "Do that", "one", "{count} thing", "row {x}",
    }  # fmt: skip


def test_the_check_sees_what_a_catalogue_lacks() -> None:
    catalogue = polib.POFile()
    catalogue += [
        polib.POEntry(msgid="same {x}", msgstr="gleich {x}"),
        polib.POEntry(msgid="other {x}", msgstr="anders {y}"),
        polib.POEntry(msgid="lost {x!r}", msgstr="weg {x}"),
        polib.POEntry(msgid="empty", msgstr=""),
        polib.POEntry(msgid="idle", msgstr="müßig"),
    ]
    said = ["same {x}", "other {x}", "lost {x!r}", "empty", "new"]
    found = [messages.Found(text, "", "a.py") for text in said]
    wrong = list(messages.faults_of(catalogue, found))
    assert len(wrong) == 5, wrong
    assert all(any(text in fault for fault in wrong) for text in ("anders", "weg", "idle", "new"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_the_file_is_as_the_tool_writes_it(path: Path, tmp_path: Path) -> None:
    """So a change shows what was changed."""
    found, _ = messages.collect()
    catalogue = polib.pofile(str(path), wrapwidth=98)
    messages.brought_up_to_date(catalogue, found).save(str(tmp_path / path.name))
    assert (tmp_path / path.name).read_text("utf-8") == path.read_text("utf-8"), (
        "run python tools/messages.py"
    )


def test_translations_stay_while_messages_come_and_go() -> None:
    catalogue = polib.POFile()
    catalogue += [
        polib.POEntry(msgid="stays", msgstr="bleibt"),
        polib.POEntry(msgid="goes", msgstr="geht"),
    ]
    found = [messages.Found("stays", "", "b.py"), messages.Found("new", "", "a.py")]
    made = messages.brought_up_to_date(catalogue, found)
    assert [(entry.msgid, entry.msgstr) for entry in made] == [("new", ""), ("stays", "bleibt")]
