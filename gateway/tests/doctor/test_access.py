# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The shipped access list, tried by independent clients: who reads and writes what."""

from __future__ import annotations

from typing import Any

import paho.mqtt.client as paho
import pytest
from gateway.tests import support
from gateway.tests.doctor.conftest import PASSWORD, Site, Sites, pause

pytestmark = pytest.mark.mosquitto

OWN, OTHER = support.AGS, support.OTHER_AGS


def can_write(site: Site, user: str, topic: str) -> bool:
    """By the broker's answer: 0x87 is not authorized."""
    client = site.client(user)
    codes: list[Any] = []
    client.on_publish = lambda _c, _u, _m, code, _p: codes.append(code)
    support.wait_until(client.is_connected)
    client.publish(topic, b"{}", qos=1)
    support.wait_until(lambda: bool(codes))
    client.disconnect()
    client.loop_stop()
    return not codes[0].is_failure


def can_read(site: Site, user: str, topic: str, writer: str = "revier-gateway") -> bool:
    """By a message that comes or does not."""
    heard: list[str] = []
    subscribed: list[int] = []
    reader = site.client(user)
    reader.on_message = lambda _c, _u, message: heard.append(message.topic)
    reader.on_subscribe = lambda *_: subscribed.append(1)
    support.wait_until(reader.is_connected)
    reader.subscribe("#" if topic[0] != "$" else topic, 1)
    support.wait_until(lambda: bool(subscribed))
    assert can_write(site, writer, topic)
    pause(0.3)
    reader.disconnect()
    reader.loop_stop()
    return topic in heard


def test_a_municipality_has_its_own_tree_alone(site: Sites) -> None:
    made = site()
    for root in ("revier/v1", "revier/v1-mp"):
        assert can_read(made, OWN, f"{root}/{OWN}/parking/a/obs")
        assert not can_read(made, OWN, f"{root}/{OTHER}/parking/a/obs")
        assert can_write(made, OWN, f"{root}/{OWN}/parking/a/obs")
        assert not can_write(made, OWN, f"{root}/{OTHER}/parking/a/obs")
    assert can_read(made, OWN, "revier/v1/_gateway/kreis/status")
    assert not can_write(made, OWN, "revier/v1/_gateway/kreis/status")
    assert not can_read(made, OWN, "revier/v1/_gateway/kreis/canary")
    assert not can_write(made, OWN, "revier/v1/_gateway/kreis/request/configure")
    assert can_write(made, OWN, f"revier/v1/{OWN}/_request/configure")
    assert not can_write(made, OWN, f"revier/v1/{OTHER}/_request/configure")
    event = f"application/{support.APPLICATION}/device/{support.AIR}/event/up"
    assert not can_read(made, OWN, event, writer="chirpstack")
    assert not can_write(made, OWN, event)
    assert not can_write(made, OWN, event.replace("event/up", "command/down"))
    assert not can_write(made, OWN, "revier/doctor/kreis/probe")


def test_one_refused_message_cuts_nobody_off(site: Sites) -> None:
    """Mosquitto 2.0.16 to 2.0.21 does with max_queued_messages 0, of whatever QoS it was."""
    made = site()
    client = made.client(OWN)
    answers: list[bool] = []
    gone: list[Any] = []
    client.on_publish = lambda _c, _u, _m, code, _p: answers.append(code.is_failure)
    client.on_disconnect = lambda *told: gone.append(told)
    support.wait_until(client.is_connected)
    for ags in (OTHER, OWN):
        client.publish(f"revier/v1/{ags}/parking/a/obs", b"{}", qos=0)
        client.publish(f"revier/v1/{ags}/parking/a/obs", b"{}", qos=1)
    support.wait_until(lambda: len(answers) == 4)
    assert (sorted(answers), gone) == ([False, False, False, True], [])
    client.disconnect()
    client.loop_stop()


def test_chirpstack_platform_and_gateway(site: Sites) -> None:
    made = site()
    event = f"application/{support.APPLICATION}/device/{support.AIR}/event/up"
    down = event.replace("event/up", "command/down")
    assert can_read(made, "revier-gateway", event, writer="chirpstack")
    assert not can_write(made, "revier-gateway", event)
    assert can_read(made, "chirpstack", down)
    assert not can_write(made, "chirpstack", f"revier/v1/{OWN}/parking/a/obs")
    assert can_read(made, "platform", f"revier/v1/{OWN}/parking/a/obs")
    assert can_read(made, "platform", f"revier/v1/{OTHER}/parking/a/obs")
    assert not can_write(made, "platform", f"revier/v1/{OWN}/parking/a/obs")


@pytest.mark.parametrize(("user", "password"), [("", ""), (OWN, "wrong"), ("nobody", PASSWORD)])
def test_without_a_right_login_nobody_comes_in(site: Sites, user: str, password: str) -> None:
    made = site()
    refused: list[Any] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    if user:
        client.username_pw_set(user, password)
    client.on_connect = lambda _c, _u, _f, code, _p: refused.append(code)
    client.connect("127.0.0.1", made.port)
    client.loop_start()
    support.wait_until(lambda: bool(refused))
    client.loop_stop()
    assert refused[0].is_failure
