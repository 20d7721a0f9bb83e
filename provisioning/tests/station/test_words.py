# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every word that a page, script or refusal uses is there. (Its German: test_catalogue.)"""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from revier_provision import station
from revier_provision.station import coverage, trials
from revier_provision.station.texts import PAGE, REFUSED, Words, language_of

HERE = Path(station.__file__).parent
SOURCES = {
    path.name: path.read_text("utf-8")
    for path in HERE.rglob("*")
    if path.suffix in (".py", ".html", ".js")
}


def test_every_word_that_is_used_is_in_the_catalogue() -> None:
    used = set()
    for name, source in SOURCES.items():
        if name.endswith(".html"):
            used |= set(re.findall(r"words\[[\"'](\w+)[\"']\]", source))
        elif name.endswith(".js"):
            used |= set(re.findall(r"\bwords\.(\w+)", source)) | set(
                re.findall(r'\bsay\("(\w+)"', source)
            )
        else:
            used |= set(re.findall(r"words\[\"(\w+)\"\]", source)) | set(
                re.findall(r'words\.say\("(\w+)"', source)
            )
    assert len(used) > 60
    assert used - set(PAGE) == set()


def test_every_refusal_is_in_the_catalogue_and_none_is_idle() -> None:
    used = set()
    for source in SOURCES.values():
        used |= set(re.findall(r'RefusedError\(\s*"(\w+)"', source))
        used |= set(re.findall(r'refusal\(\s*"(\w+)"', source))
        used |= set(
            re.findall(r'RefusedError\("(\w+)" if \w+ else "(\w+)"', source)
            and ["no_label", "no_code"]
        )
    assert used == set(REFUSED)


def test_every_outcome_has_words() -> None:
    for advice in get_args(coverage.Advice):
        assert f"advice_{advice}" in PAGE
    for colour in (*get_args(coverage.Colour), "none"):
        assert f"colour_{colour}" in PAGE
    for baseline in get_args(trials.Baseline):
        assert f"baseline_{baseline}" in PAGE
    for step in ("label", "place", "asset", "photo", "trial", "sign"):
        assert f"step_{step}" in PAGE


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "language"),
    [
        ("en", "de", "de", "en"),
        (None, "en", "de-DE", "en"),
        (None, None, "en-GB,de;q=0.5", "en"),
        (None, None, "fr", "de"),
        ("xx", "en", "", "de"),
    ],
)
def test_which_language(query: str | None, cookie: str | None, accept: str, language: str) -> None:
    assert language_of(query, cookie, accept) == language


def test_a_refusal_is_said_in_the_language() -> None:
    assert Words("de").refusal("accuracy", metres=80)["problem"].startswith("Die Position")
    assert Words("en").refusal("accuracy", metres=80)["problem"].endswith("80 m only")
