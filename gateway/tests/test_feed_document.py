# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""docs/protocol/feed.md is true to the letter: its example is what the code makes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

from gateway.tests import support
from gateway.tests.support import START, air_payload, uplink

from revier_gateway.feed_messages import CommandFate, Gap, Observation, Provenance
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.watch.messages import Availability
from revier_gateway.work import Work

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol" / "feed.md"


def test_the_example_is_what_the_gateway_publishes(pipeline: Pipeline, store: Store) -> None:
    text = DOCUMENT.read_text("utf-8")
    example = re.search(r"```json\n(\{\n.*?)```", text, re.DOTALL)
    assert example is not None
    work = Work(store)
    events = [
        uplink(support.diagnosis_payload(4711), f_port=1, f_cnt=0),
        uplink(air_payload(4711), f_cnt=1, at=START + timedelta(minutes=5)),
    ]
    raws = [Message(support.topic(), support.to_bytes(event)) for event in events]
    outcome = pipeline.handle_batch(raws, work)[1]
    assert json.loads(outcome.messages[0].payload) == json.loads(example[1])


def test_every_field_is_described() -> None:
    text = DOCUMENT.read_text("utf-8")
    for struct in (Observation, Provenance, Availability, Gap, CommandFate):
        for name in struct.__struct_fields__:
            assert f"`{name}" in text or f'"{name}"' in text, name
