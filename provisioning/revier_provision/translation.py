# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Saying messages in the language of who reads them, from the catalogue in `locale`.

`say` renders; nothing is translated before. Which language it is follows one rule everywhere: what
was asked for now, else what was chosen before, else what browser or environment prefer.
"""

from __future__ import annotations

import gettext
import io
import string
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Final, Literal

from revier_inventory.message import Message

Language = Literal["de", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("de", "en")
SOURCE: Final[Language] = "en"
TAGS_CHARS_MAX = 400
# The order of GNU gettext: LANGUAGE is a list, the others name one locale.
ENVIRONMENT = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def say(text: str, language: Language) -> str:
    """The text in this language; what is no Message stays as it is."""
    if not isinstance(text, Message):
        return text
    if language == SOURCE:
        return str(text)
    known = _catalogue(language)
    if text.plural:
        template = known.ngettext(text.template, text.plural, text.number)
    else:
        template = known.gettext(text.template) if text.template else ""
    return _SPEAKERS[language].vformat(template, (), text.values)


def template_in(template: str, language: Language) -> str:
    """The template itself in this language, to be filled elsewhere."""
    return template if language == SOURCE else _catalogue(language).gettext(template)


def first_known(tags: Iterable[str]) -> Language | None:
    """The first tag (de, de-AT, de_DE.UTF-8) of a language that there is."""
    for tag in tags:
        name = tag.strip().lower().replace("_", "-").partition("-")[0].partition(".")[0]
        for known in LANGUAGES:
            if name == known:
                return known
    return None


def language_of_environment(environ: Mapping[str, str]) -> Language:
    """As GNU programs choose it; English where nothing, or nothing known, is set."""
    for name in ENVIRONMENT:
        if value := environ.get(name):
            return first_known(value[:TAGS_CHARS_MAX].split(":")) or SOURCE
    return SOURCE


class _Speaker(string.Formatter):
    """Fills a template: messages among the values are said in the same language."""

    language: Language

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        value = super().get_value(key, args, kwargs)
        return say(value, self.language) if isinstance(value, Message) else value


class _German(_Speaker):
    """Decimal commas; what is quoted stands in German quotation marks."""

    language = "de"

    def format_field(self, value: Any, format_spec: str) -> str:
        text: str = super().format_field(value, format_spec)
        return text.translate(_POINTS) if isinstance(value, float) else text

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion == "r" and isinstance(value, str):
            return f"„{repr(value)[1:-1]}“"
        return super().convert_field(value, conversion)


_POINTS = str.maketrans(".,", ",.")
_SPEAKERS: dict[Language, _Speaker] = {"de": _German()}


@lru_cache
def _catalogue(language: Language) -> gettext.GNUTranslations:
    """gettext's own, out of the text file that people edit."""
    import polib

    text = (resources.files("revier_provision") / "locale" / f"{language}.po").read_text("utf-8")
    return gettext.GNUTranslations(io.BytesIO(polib.pofile(text).to_binary()))
