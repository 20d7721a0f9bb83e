# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Sentences that are written in English and can be said in other languages.

    _("Cannot read {path}: {reason}", path=path, reason=reason)

is its English text wherever text is wanted (logs, files, JSON), and keeps template and values until
somebody reads it in another language. Templates are the keys of the catalogue (gettext's msgid):
write them as literals, with named {fields}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Message(str):
    """The English sentence; `plural` is its template for a `number` other than one."""

    __slots__ = ("number", "plural", "template", "values")
    template: str
    values: Mapping[str, object]
    plural: str
    number: int

    def __new__(
        cls, template: str, values: Mapping[str, object], plural: str = "", number: int = 1
    ) -> Message:
        chosen = plural if plural and number != 1 else template
        message = super().__new__(cls, chosen.format(**values))
        message.template, message.values = template, values
        message.plural, message.number = plural, number
        return message

    def __reduce__(self) -> tuple[object, ...]:
        return Message, (self.template, self.values, self.plural, self.number)


class Spoken(StrEnum):
    """Names that a program writes down and people read: the members are keys of the catalogue."""

    @property
    def words(self) -> Message:
        return Message(self.value, {})


def _(template: str, /, **values: object) -> Message:
    """A literal template with a value for each of its {fields}."""
    return Message(template, values)


def n_(one: str, many: str, count: int, /, **values: object) -> Message:
    """Two literal templates, for one and for another number; {count} is that number."""
    return Message(one, {"count": count, **values}, many, count)


def template(text: str) -> str:
    """A literal that stands in a table, as the template of a message that is made elsewhere."""
    return text


NOTHING = Message("", {})


def verbatim(text: str) -> Message:
    """What others said, as it is."""
    return Message("{text}", {"text": text})


def recognised(text: str, patterns: Iterable[tuple[str, str]]) -> Message:
    """What others said as a message: by the first pattern that it matches as a whole, whose named
    groups are the fields of the template beside it; else as it is."""
    for pattern, said in patterns:
        if found := re.fullmatch(pattern, text):
            return Message(said, found.groupdict())
    return verbatim(text)


def plain(value: object) -> str:
    """msgspec's enc_hook: a message is its English text."""
    if isinstance(value, Message):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot be encoded")


def joined(separator: str, parts: Iterable[object]) -> Message:
    """The parts one after the other; each is said for itself."""
    values = {f"part_{number}": part for number, part in enumerate(parts)}
    between = separator.replace("{", "{{").replace("}", "}}")
    return Message(between.join(f"{{{name}}}" for name in values), values)
