# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Where ChirpStack publishes: its `event_topic`, as its operator wrote it, as an MQTT filter.

ChirpStack's configuration has a Handlebars template ([integration.mqtt] event_topic). A filter with
`+` is taken as well. Identifiers are read from the events, never from the topic.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from revier_gateway import events

PLACEHOLDER = re.compile(r"\{\{\s*(\w*)\s*\}\}")
PLACEHOLDERS = ("application_id", "dev_eui", "event")
TOPICS_KEPT_MAX = 50_000
SHARED = re.compile(r"^\$share/[^/+#]+/")  # a subscription that a group shares (MQTT 5, 4.8.2)


class EventTopic(NamedTuple):
    filter: str
    name_of: Callable[[str], str]  # topic to the event's name; empty where the topic does not fit


def parse(text: str) -> EventTopic:
    """Raises ValueError, whose text names the cure."""
    names = PLACEHOLDER.findall(text)
    unknown = [name for name in names if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
        raise ValueError(f"{{{{{unknown[0]}}}}} is unknown; ChirpStack has {known}")
    if names and names.count("event") != 1:
        raise ValueError("the template needs {{event}} once: it tells what kind an event is of")
    levels = text.split("/")
    topic_filter = "/".join("+" if PLACEHOLDER.search(level) else level for level in levels)
    _check_filter(topic_filter)
    if not names:
        return EventTopic(topic_filter, events.name_in_topic)
    pattern = re.compile("/".join(map(_level_pattern, SHARED.sub("", text).split("/"))))
    names_by_topic: dict[str, str] = {}

    def name_of(topic: str) -> str:
        name = names_by_topic.get(topic)
        if name is None:
            found = pattern.fullmatch(topic)
            name = found["event"] if found else ""
            if len(names_by_topic) < TOPICS_KEPT_MAX:
                names_by_topic[topic] = name
        return name

    return EventTopic(topic_filter, name_of)


def _check_filter(topic_filter: str) -> None:
    levels = topic_filter.split("/")
    for number, level in enumerate(levels, 1):
        if "{" in level or "}" in level:
            raise ValueError(f"{level} is neither {{{{name}}}} nor a word")
        if level not in ("+", "#") and ("+" in level or "#" in level):
            raise ValueError(f"{level}: + and # stand for a whole level of a topic")
        if level == "#" and number < len(levels):
            raise ValueError("# stands at the end of a topic")
    if not topic_filter or "\0" in topic_filter:
        raise ValueError("this can be no topic")


def _level_pattern(level: str) -> str:
    if level == "+":
        return "[^/]*"
    if level == "#":
        return ".*"
    pieces = PLACEHOLDER.split(level)  # text, name, text, name, ...
    found = ""
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            found += re.escape(piece)
        else:
            found += "(?P<event>[^/]+)" if piece == "event" else "[^/]+"
    return found
