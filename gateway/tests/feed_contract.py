# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a subscriber got, held against the feed's own documents: AsyncAPI and JSON Schema.

A message's topic finds its channel in docs/protocol/feed.asyncapi.json; the channel's message is
validated with docs/protocol/feed.schema.json, as a data platform would do it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol"
ROOT = "revier/v1/"
FORMAT = jsonschema.Draft202012Validator.FORMAT_CHECKER
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
INSTANTS = ("t", "rx", "t_from", "t_to", "since", "last_seen", "caught_up_at", "sent")

Received = tuple[str, bytes, bool]  # topic, payload, retain


class Channel(NamedTuple):
    name: str
    topic: re.Pattern[str]
    retain: bool
    sent: bool  # by the gateway
    validator: Any


@cache
def channels() -> tuple[Channel, ...]:
    document = json.loads((PROTOCOL / "feed.asyncapi.json").read_text("utf-8"))
    schema = json.loads((PROTOCOL / "feed.schema.json").read_text("utf-8"))
    found = []
    for name, channel in document["channels"].items():
        operation = document["operations"][name]
        (message,) = channel["messages"]
        whole = {"$ref": f"#/$defs/{message}", "$defs": schema["$defs"]}
        found.append(
            Channel(
                name,
                _pattern(channel),
                operation["bindings"]["mqtt"]["retain"],
                operation["action"] == "send" or name.endswith("Response"),
                jsonschema.Draft202012Validator(whole, format_checker=FORMAT),
            )
        )
    return tuple(found)


def _pattern(channel: dict[str, Any]) -> re.Pattern[str]:
    """Each parameter's pattern stands at the end of its description."""
    text = re.escape(channel["address"])
    for name, parameter in channel["parameters"].items():
        pattern = parameter["description"].rpartition("Matches ")[2].strip("^$")
        text = text.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{pattern})")
    return re.compile(text)


def channel_of(topic: str) -> Channel:
    found = [channel for channel in channels() if channel.topic.fullmatch(topic)]
    assert len(found) == 1, f"{topic} is of {len(found)} channels of feed.asyncapi.json"
    return found[0]


def check(topic: str, payload: bytes, retain: bool = False) -> str:
    """One message; returns its channel's name. Fails with what is not as documented."""
    channel = channel_of(topic)
    if not channel.sent:
        return channel.name
    content = json.loads(payload)
    channel.validator.validate(content)
    assert not retain or channel.retain, f"{topic} is retained, and must not be"
    for key in INSTANTS:
        assert key not in content or INSTANT.match(content[key]), (topic, key, content[key])
    place = channel.topic.fullmatch(topic)
    assert place is not None
    if "asset" in place.groupdict():
        urn = "urn:revier:{ags}:{domain}:{asset}".format(**place.groupdict())
        assert content["asset"] == urn, (topic, content["asset"])
    return channel.name


def check_all(messages: Iterable[Received]) -> dict[str, int]:
    """Those below the feed's root; returns how many there were of each channel."""
    counts: dict[str, int] = {}
    for topic, payload, retain in messages:
        if topic.startswith(ROOT) and "/_doctor/" not in topic and payload:
            name = check(topic, payload, retain)
            counts[name] = counts.get(name, 0) + 1
    return counts
