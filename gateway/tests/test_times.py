# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""When was it measured, who says so, and when did it arrive: node, network, gateway, our clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.support import START, air_payload, stamp, uplink

from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.work import Work
from revier_payload import backfill

RECEIVED = "2026-05-04T07:00:00.200Z"  # nsTime of support.uplink


def observed(pipeline: Pipeline, store: Store, event: dict[str, Any]) -> dict[str, Any]:
    outcome = pipeline.handle(Message(support.topic(), support.to_bytes(event)), Work(store))
    assert outcome.kind == "published", outcome
    decoded: dict[str, Any] = msgspec.json.decode(outcome.messages[0].payload)
    return decoded


@pytest.mark.parametrize("off_s", [-400, -299, 299, 400])
def test_a_radio_gateway_s_clock_is_believed_within_five_minutes(
    pipeline: Pipeline, store: Store, off_s: int
) -> None:
    event = uplink(air_payload(1))
    wrong = stamp(START + timedelta(seconds=off_s))
    event["time"] = event["rxInfo"][0]["gwTime"] = wrong
    message = observed(pipeline, store, event)
    believed = abs(off_s) < 300
    assert message["rx"] == RECEIVED
    assert message["t_src"] == ("gateway" if believed else "network")
    assert (message["t"] == RECEIVED) is not believed
    assert message["prov"].get("t_clamped", False) is not believed


def test_the_network_s_time_where_no_radio_gateway_has_one(
    pipeline: Pipeline, store: Store
) -> None:
    event = uplink(air_payload(1))
    del event["rxInfo"][0]["gwTime"]
    message = observed(pipeline, store, event)
    assert (message["t_src"], message["t"]) == ("network", "2026-05-04T07:00:00.000Z")


def test_our_clock_where_the_network_server_says_nothing(pipeline: Pipeline, store: Store) -> None:
    event = uplink(air_payload(1), at=START - timedelta(hours=2))
    del event["rxInfo"][0]["nsTime"]
    message = observed(pipeline, store, event)
    assert message["rx"] == "2026-05-04T07:00:00.000Z"
    assert message["t"] == "2026-05-04T05:00:00.000Z"  # a backlog, not a wrong clock


def test_the_node_s_time_goes_before_all(pipeline: Pipeline, store: Store) -> None:
    measured = START - timedelta(days=3)
    records = [(7, int(measured.timestamp()), 10, air_payload(7))]
    data, _ = backfill.encode(records, 51)
    message = observed(pipeline, store, uplink(data, f_port=5))
    assert message["t_src"] == "node"
    assert (message["t"], message["rx"]) == ("2026-05-01T07:00:00.000Z", RECEIVED)
