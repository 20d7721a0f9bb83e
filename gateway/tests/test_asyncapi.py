# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The machines' contract: up to date, sound, and true of what the gateway really publishes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from gateway.tests import support
from gateway.tests.commands_bench import Bench
from gateway.tests.support import START, air_payload, uplink

from revier_gateway.asyncapi import CHANNELS, asyncapi, json_schema
from revier_gateway.config import parse
from revier_gateway.feed import status_message
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import FeedMessage
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.watch.messages import availability_of, canary_of
from revier_gateway.watch.standing import Standing
from revier_gateway.work import Work

from .test_gaps import TEXT

FOLDER = Path(__file__).parents[2] / "docs" / "protocol"
TYPES = {channel.name: channel.type.__name__ for channel in CHANNELS}


def validator(kind: str) -> Any:
    whole = json_schema()
    schema = {"$ref": f"#/$defs/{TYPES.get(kind, kind)}", "$defs": whole["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def check(message: FeedMessage) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(message.payload)
    validator(message.kind).validate(content)
    return content


@pytest.mark.parametrize(
    ("name", "made"), [("feed.asyncapi.json", asyncapi()), ("feed.schema.json", json_schema())]
)
def test_the_files_are_what_the_types_say(name: str, made: dict[str, Any]) -> None:
    """Where it fails: python tools/feed_schema.py."""
    assert json.loads((FOLDER / name).read_text("utf-8")) == json.loads(json.dumps(made))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for schema in asyncapi()["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = asyncapi()
    references = list(_references(document))
    assert len(references) > 60
    for reference in references:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def _references(content: Any) -> list[str]:
    if isinstance(content, list):
        return [one for item in content for one in _references(item)]
    if not isinstance(content, dict):
        return []
    own = [content["$ref"]] if "$ref" in content else []
    return own + [one for item in content.values() for one in _references(item)]


def test_observations_validate_under_both_drafts(pipeline: Pipeline, store: Store) -> None:
    cases = [(air_payload(4711), 10), (air_payload(4712), 10)]
    kinds = set()
    components = asyncapi()["components"]
    for f_cnt, (payload, f_port) in enumerate(cases):
        work = Work(store)
        event = uplink(payload, f_port, f_cnt, at=START + timedelta(minutes=5 * f_cnt))
        raw = Message(support.topic(), support.to_bytes(event))
        outcome = pipeline.handle(raw, work)
        store.commit(work)
        for message in getattr(outcome, "messages", ()):
            content = check(message)
            schema = {"$ref": "#/components/schemas/Observation", "components": components}
            jsonschema.Draft7Validator(schema).validate(content)
            kinds.add(message.kind)
    assert kinds == {"obs", "state"}


def test_fates_answers_and_gaps_validate(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    sent: list[FeedMessage] = []
    take = bench.written

    def written(work: Work) -> None:
        sent.extend(work.outbox)
        take(work)

    bench.room._committed = bench.written = written  # type: ignore[method-assign]
    bench.hear(support.diagnosis_payload(100), 1, 0)
    bench.ask("configure", transaction="a", asset="aq-0007", settings={"interval": 900})
    bench.ask("configure", transaction="b", asset="nobody", settings={"interval": 900})
    bench.send()
    for message in sent:
        if message.kind == "response":
            validator("Response").validate(json.loads(message.payload))
        else:
            check(message)
    assert {message.kind for message in sent} >= {"command", "response"}


def test_the_gateway_s_own_messages_validate() -> None:
    config = parse(TEXT, Path("gateway.toml"))
    for made in (
        status_message(config, "offline", reason="stopped"),
        status_message(config, "online", source="online", since="2026-05-04T06:00:00.000Z"),
    ):
        validator("status").validate(json.loads(made.payload))
    check(canary_of("revier/v1", "test", "run", 3, datetime.now(UTC)))
    (asset, *_) = support.inventory().assets
    for standing in (Standing("unknown", "never_heard"), Standing("online")):
        check(availability_of(asset, standing, START, None, "revier/v1"))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("state", {"t_src": "guess"}),
        ("state", {"m": {"pm25": {"v": 3.0, "q": 5}}}),
        ("state", {"loc": {"type": "Point", "coordinates": [7.1]}}),
        ("state", {"seq": None}),
        ("gap", {"cause": "weather"}),
    ],
)
def test_what_is_wrong_is_refused(kind: str, change: dict[str, Any]) -> None:
    text = (FOLDER / "feed.md").read_text("utf-8")
    start = {"state": "\n{\n", "gap": '\n{"schema": "urn:revier:schema:gap'}[kind]
    begin = text.index(start) + 1
    good = json.loads(text[begin : text.index("```", begin)])
    validator(kind).validate(good)
    with pytest.raises(jsonschema.ValidationError):
        validator(kind).validate({**good, **change})
