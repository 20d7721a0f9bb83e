# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The feed's contract for machines, made from the types that produce its messages.

AsyncAPI 3.0.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0), and the same types as
JSON Schema 2020-12. tools/feed_schema.py writes both to docs/protocol/.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from revier_gateway.commands.desk import ADMIN_ONLY, REQUESTS, Response
from revier_gateway.feed_messages import (
    SCHEMA_VERSION,
    CommandFate,
    Gap,
    GatewayStatus,
    Observation,
    Point,
    Provenance,
)
from revier_gateway.values import Value
from revier_gateway.watch.messages import Availability, Canary

ROOT = "revier/v1"
REFS = "#/components/schemas/{name}"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

PARAMETERS = {
    "ags": ("Amtlicher Gemeindeschlüssel of the municipality, 8 digits.", r"^[0-9]{8}$"),
    "domain": ("What is measured.", r"^(airquality|parking|waste)$"),
    "asset": ("The place, the bay, the container.", r"^[a-z0-9][a-z0-9-]{0,47}$"),
    "gateway": ("The gateway's id.", r"^[a-z0-9][a-z0-9-]{0,47}$"),
}


class Channel(NamedTuple):
    """name: of the channel and its message; way: what the gateway does there."""

    name: str
    address: str  # below the root
    type: type[msgspec.Struct]
    summary: str
    retain: bool = False
    way: str = "send"


_ASSET = "{ags}/{domain}/{asset}/"
CHANNELS = (
    Channel("obs", _ASSET + "obs", Observation, "One observation; also late ones."),
    Channel("state", _ASSET + "state", Observation, "The asset's newest observation.", retain=True),
    Channel("alarm", _ASSET + "alarm", Observation, "What cannot wait: fire, tilt, tamper."),
    Channel("gap", _ASSET + "gap", Gap, "Frames that nobody heard, and when they are filled."),
    Channel("command", _ASSET + "command", CommandFate, "What became of a command."),
    Channel(
        "availability", _ASSET + "availability", Availability,
        "Is the asset's silence a fault?", retain=True,
    ),
    Channel(
        "status", "_gateway/{gateway}/status", GatewayStatus, "The gateway's presence.", retain=True
    ),
    Channel("canary", "_gateway/{gateway}/canary", Canary, "The gateway's own, for nobody else."),
)  # fmt: skip


def _requests() -> tuple[Channel, ...]:
    """A request and its answer of the municipality and of the administrator."""
    found = []
    for name, type_ in REQUESTS.items():
        asks = f"Ask for {name}; the topic is the permission."
        places = [("Admin", "_gateway/{gateway}/request/", "_gateway/{gateway}/response/")]
        if name not in ADMIN_ONLY:
            places.append(("", "{ags}/_request/", "{ags}/_response/"))
        for who, request, response in places:
            title = f"{name}{who}"
            found.append(Channel(f"{title}Request", request + name, type_, asks, way="receive"))
            found.append(
                Channel(f"{title}Response", response + name, Response, "Echoes the transaction.")
            )
    return tuple(found)


def schemas() -> dict[str, Any]:
    """Every type by name, as AsyncAPI's components/schemas."""
    types = [channel.type for channel in (*CHANNELS, *_requests())]
    unique = list(dict.fromkeys([*types, Point, Provenance, Value]))
    _, components = msgspec.json.schema_components(unique, ref_template=REFS)
    return {name: _tidied(components[name]) for name in sorted(components)}


def json_schema() -> dict[str, Any]:
    """One JSON Schema: a document of any kind that the gateway sends; $defs/{type} is one type's.

    Fields may come within v1, so no type forbids what it does not know.
    """
    sent = dict.fromkeys(channel.type.__name__ for channel in CHANNELS)
    return {
        "$schema": DIALECT,
        "$id": f"urn:revier:schema:feed:{SCHEMA_VERSION}",
        "title": "Messages of the Revier feed",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in sent],
        "$defs": _moved(schemas(), "#/components/schemas/", "#/$defs/"),
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document, from the gateway's point of view: it sends, and receives requests."""
    channels = (*CHANNELS, *_requests())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Revier feed",
            "version": SCHEMA_VERSION,
            "description": "docs/protocol/feed.md says in words what this says to machines.",
            "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in channels},
        "operations": {channel.name: _operation(channel) for channel in channels},
        "components": {
            "messages": {
                type_.__name__: {
                    "name": type_.__name__,
                    "contentType": "application/json",
                    "payload": {"$ref": REFS.format(name=type_.__name__)},
                }
                for type_ in dict.fromkeys(channel.type for channel in channels)
            },
            "schemas": {name: _draft_07(schema) for name, schema in schemas().items()},
        },
    }


def _draft_07(schema: Any) -> Any:
    """AsyncAPI's own schemas are draft 07's: there a tuple is items and additionalItems."""
    if isinstance(schema, dict):
        content = {key: _draft_07(value) for key, value in schema.items()}
        if "prefixItems" in content:
            content["additionalItems"] = content.pop("items")
            content["items"] = content.pop("prefixItems")
        return content
    return [_draft_07(one) for one in schema] if isinstance(schema, list) else schema


def _channel(channel: Channel) -> dict[str, Any]:
    names = [name for name in PARAMETERS if f"{{{name}}}" in channel.address]
    message = channel.type.__name__
    return {
        "address": f"{ROOT}/{channel.address}",
        "description": channel.summary,
        "parameters": {
            name: {"description": f"{PARAMETERS[name][0]} Matches {PARAMETERS[name][1]}"}
            for name in names
        },
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _operation(channel: Channel) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": channel.way,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.summary,
        "bindings": {
            "mqtt": {"qos": 1, "retain": channel.retain, "bindingVersion": "0.2.0"},
        },
    }
    if channel.name.endswith("Request"):
        answer = channel.name.removesuffix("Request") + "Response"
        operation["reply"] = {"channel": {"$ref": f"#/channels/{answer}"}}
    return operation


def _tidied(schema: Any) -> Any:
    """Line breaks of docstrings are no content."""
    if isinstance(schema, dict):
        return {
            key: " ".join(value.split())
            if key == "description" and isinstance(value, str)
            else _tidied(value)
            for key, value in schema.items()
        }
    return [_tidied(one) for one in schema] if isinstance(schema, list) else schema


def _moved(schema: Any, before: str, after: str) -> Any:
    if isinstance(schema, dict):
        return {
            key: value.replace(before, after)
            if key == "$ref" and isinstance(value, str)
            else _moved(value, before, after)
            for key, value in schema.items()
        }
    return [_moved(one, before, after) for one in schema] if isinstance(schema, list) else schema
