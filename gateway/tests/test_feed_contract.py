# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a working gateway publishes, of every kind, is what the feed's documents promise."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import paho.mqtt.client as paho
import pytest
from gateway.tests import feed_contract, mosquitto, support
from gateway.tests.support import AGS
from gateway.tests.test_service import events, gateway, online
from iotcore import Broker
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

HOLE = 5
MORE = "[gaps]\nsettle_s = 0.5\n[watch]\ncanary_every_s = 1\n"


def test_every_kind_of_message_of_a_working_gateway(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    config.write_text(config.read_text() + MORE)
    made = events(20)
    asked = {"transaction": "a", "asset": "aq-0007"}
    requests = {
        f"{AGS}/_request/configure": {**asked, "settings": {"interval": 900}},
        f"{AGS}/_request/device": asked,
        "_gateway/test/request/device": asked,
        "_gateway/test/request/command": {"transaction": "b", "id": "none"},
    }
    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config):
        support.wait_until(lambda: online(listener))
        support.publish(broker.port, made[:HOLE] + made[HOLE + 1 :])
        support.wait_until(lambda: len(listener.of_kind("obs")) == 19)
        bodies = [(f"revier/v1/{t}", json.dumps(body).encode()) for t, body in requests.items()]
        support.publish(broker.port, bodies)
        for kind in ("gap", "command", "availability", "canary"):
            support.wait_until(lambda kind=kind: listener.of_kind(kind), 60, kind)
        support.wait_until(
            lambda: sum("response/" in topic for topic, *_ in list(listener.messages)) == 4, 30
        )
    counts = feed_contract.check_all(listener.messages)
    assert counts["obs"] == 19
    assert {
        *("obs", "state", "gap", "command", "availability", "status", "canary"),
        *("configureResponse", "deviceResponse", "deviceAdminResponse", "commandAdminResponse"),
    } <= set(counts)


@pytest.mark.mosquitto
def test_qos_and_retain_flags_are_those_of_the_documents(tmp_path: Path) -> None:
    """As published, not as delivered: QoS 2 is asked for, and the flag is kept (MQTT 5)."""
    got: list[tuple[str, int, bool]] = []
    with mosquitto.running(tmp_path / "broker", "") as broker:
        config = support.gateway_toml(tmp_path, broker.port, broker.port)
        config.write_text(config.read_text() + MORE)
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_message = lambda _c, _u, m: got.append((m.topic, m.qos, m.retain))
        client.connect("127.0.0.1", broker.port)
        client.subscribe("revier/v1/#", options=SubscribeOptions(qos=2, retainAsPublished=True))
        client.loop_start()
        with support.listening(broker.port, "revier/v1/#") as listener, gateway(config) as process:
            support.wait_until(lambda: online(listener))
            made = events(20)
            support.publish(broker.port, made[:HOLE] + made[HOLE + 1 :])
            for kind in ("state", "gap", "availability", "canary"):
                support.wait_until(lambda kind=kind: listener.of_kind(kind), 60, kind)
            process.kill()  # the last will, too
            support.wait_until(lambda: listener.of_kind("status")[-1]["status"] == "offline")
        client.disconnect()
        client.loop_stop()
    assert {qos for _, qos, _ in got} == {1}
    assert [(t, r) for t, _, r in got if r != feed_contract.channel_of(t).retain] == []
    names = {feed_contract.channel_of(topic).name for topic, _, _ in got}
    assert names == {"obs", "state", "gap", "availability", "status", "canary"}


GOOD = (
    b'{"schema":"urn:revier:schema:availability:1.0.0","state":"online",'
    b'"asset":"urn:revier:05562032:airquality:aq-0007","since":"2026-05-04T07:00:00.000Z"}'
)
TOPIC = "revier/v1/05562032/airquality/aq-0007/availability"


def test_the_contract_takes_what_is_right() -> None:
    assert feed_contract.check_all([(TOPIC, GOOD, True), ("another/topic", b"x", True)]) == {
        "availability": 1
    }


@pytest.mark.parametrize(
    ("topic", "payload", "retain"),
    [
        (TOPIC.replace("availability", "presence"), GOOD, True),
        (TOPIC.replace("05562032", "5562032"), GOOD, True),
        (TOPIC.replace("airquality", "air"), GOOD, True),
        (TOPIC.replace("aq-0007", "aq-0008"), GOOD, True),
        (TOPIC, GOOD.replace(b'"online"', b'"here"'), True),
        (TOPIC, GOOD.replace(b".000Z", b"+00:00"), True),
        (TOPIC.replace("availability", "obs"), GOOD, False),
        (f"{TOPIC[: TOPIC.index('05562032')]}_gateway/test/canary", b'{"n":1}', False),
    ],
)
def test_the_contract_finds_what_is_wrong(topic: str, payload: bytes, retain: bool) -> None:
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        feed_contract.check_all([(topic, payload, retain)])


def test_what_must_not_be_retained() -> None:
    canary = b'{"gateway":"test","run":"a","n":1,"sent":"2026-05-04T07:00:00.000Z"}'
    topic = "revier/v1/_gateway/test/canary"
    assert feed_contract.check(topic, canary) == "canary"
    with pytest.raises(AssertionError, match="is retained"):
        feed_contract.check(topic, canary, retain=True)
