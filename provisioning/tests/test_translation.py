# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Messages are English text that can be said in German; which language it is follows one rule."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import msgspec
import pytest

from revier_inventory.message import Message, _, joined, n_, plain, recognised, template, verbatim
from revier_provision.errors import OrderError, cannot_read
from revier_provision.translation import first_known, language_of_environment, say
from revier_provision.workshop.site_file import language_of
from revier_provision.workshop.step_events import NodeStep


def test_a_message_is_its_english_text() -> None:
    message = _("There is no user {name!r}", name="ingo")
    assert message == "There is no user 'ingo'"
    assert f"{message}." == "There is no user 'ingo'."
    assert json.dumps({"said": message}) == '{"said": "There is no user \'ingo\'"}'
    assert msgspec.to_builtins([message], enc_hook=plain) == ["There is no user 'ingo'"]
    assert type(msgspec.to_builtins(message, enc_hook=plain)) is str
    again = pickle.loads(pickle.dumps(message))
    assert say(again, "de") == say(message, "de")
    with pytest.raises(NotImplementedError):
        msgspec.to_builtins(object(), enc_hook=plain)


def test_what_is_quoted_has_german_marks_and_stays_escaped() -> None:
    assert (
        say(_("There is no user {name!r}", name="ingo"), "de") == "Es gibt keinen Benutzer „ingo“"
    )
    said = say(_("There is no user {name!r}", name="a\x1b[2J\n"), "de")
    assert said == "Es gibt keinen Benutzer „a\\x1b[2J\\n“"


def test_numbers_have_a_decimal_comma() -> None:
    margin = _(", margin {margin_db:.1f} dB", margin_db=7.25)
    assert (say(margin, "en"), say(margin, "de")) == (", margin 7.2 dB", ", Reserve 7,2 dB")
    version = _("Slot {slot} has the update to version {version}.", slot="a", version="1.2.3")
    assert say(version, "de") == "Slot a hat das Update auf Version 1.2.3."


def test_messages_within_messages_are_said_too() -> None:
    inner = _("{name!r} is no board's name", name="x")
    outer = joined(": ", ["revier-site.toml", inner, verbatim("{not a field}")])
    assert (
        say(outer, "de") == "revier-site.toml: „x“ ist nicht der Name eines Boards: {not a field}"
    )
    assert outer == "revier-site.toml: 'x' is no board's name: {not a field}"
    assert say(joined("", []), "de") == ""


@pytest.mark.parametrize(("count", "said"), [(0, "0 Befunde"), (1, "1 Befund"), (2, "2 Befunde")])
def test_plurals(count: int, said: str) -> None:
    assert say(n_("{count} finding", "{count} findings", count), "de") == said


def test_what_others_said_is_recognised_or_stays() -> None:
    patterns = ((r"at most (?P<most>\d+) settings", template("at most {most} settings")),)
    assert say(recognised("at most 9 settings", patterns), "de") == "höchstens 9 Einstellungen"
    assert say(recognised("something {else}", patterns), "de") == "something {else}"
    assert say("no message", "de") == "no message"
    assert say(_("of no catalogue {x}", x=1), "de") == "of no catalogue 1"


def test_an_error_is_english_and_keeps_both_sentences() -> None:
    error = OrderError("The inventory has no owner {ags!r}", "Add it to owners.toml", ags="05")
    assert str(error) == "The inventory has no owner '05'. Add it to owners.toml."
    assert say(error.problem, "de") == "Das Verzeichnis hat keine Gemeinde „05“"
    assert say(error.cure, "de") == "In owners.toml eintragen"
    passed_on = OrderError(_("{path}: {problem}", path="a.zip", problem=error.problem), error.cure)
    assert say(passed_on.problem, "de") == "a.zip: Das Verzeichnis hat keine Gemeinde „05“"


def test_the_systems_reasons_are_said_where_they_are_usual(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        (tmp_path / "x").read_bytes()
    error = cannot_read(tmp_path / "x", caught.value, _("Correct the path"))
    assert say(error.problem, "de").endswith(
        "x lässt sich nicht lesen: Datei oder Ordner gibt es nicht"
    )
    rare = cannot_read(tmp_path, OSError(5, "Sector on fire"), _("Correct the path"))
    assert say(rare.problem, "de").endswith("lässt sich nicht lesen: Sector on fire")


def test_steps_are_keys_that_are_said() -> None:
    assert NodeStep.PROOF == "prove join and first reading"
    assert say(NodeStep.PROOF.words, "de") == "Join und ersten Messwert nachweisen"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LANGUAGE": "fr:de_AT:en", "LC_ALL": "C"}, "de"),
        ({"LANGUAGE": "", "LC_MESSAGES": "de_CH"}, "de"),
    ],
)
def test_the_environment_chooses_as_gnu_programs_do(environ: dict[str, str], language: str) -> None:
    assert language_of_environment(environ) == language


def test_tags_of_browsers_and_locales() -> None:
    assert first_known(["fr", "de-AT", "en"]) == "de"
    assert first_known(["EN_us.utf8"]) == "en"
    assert first_known(["den", "enx", ""]) is None


def test_the_site_file_chooses_whatever_else_is_wrong_in_it(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    for text, language in (
        ('language = "de"\n[books]\nwrong = 1', "de"),
        ('language = "xx"', None),
        ("language = 3", None),
        ("no toml", None),
    ):
        path.write_text(text)
        assert language_of(str(path)) == language
    assert language_of(str(tmp_path / "none.toml")) is None


def test_messages_are_text_everywhere() -> None:
    assert isinstance(_("ok"), str)
    assert Message("{a}", {"a": 1}) == "1"
