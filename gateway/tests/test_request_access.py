# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The access list of docs/operator.md, at a Mosquitto: who may ask for what."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from gateway.tests import mosquitto, support
from paho.mqtt.enums import CallbackAPIVersion

DOCUMENT = Path(__file__).parents[2] / "docs" / "operator.md"
OWN, FOREIGN = "revier/v1/05562020/_request/configure", "revier/v1/05562032/_request/configure"
ADMIN = "revier/v1/_gateway/kreis/request/downlink"
USERS = ("herten-data", "administrator", "revier-gateway", "somebody")
PASSWORD = "no secret"

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason=support.MOSQUITTO_MISSING),
]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    lines = re.findall(r"^    ((?:user|topic) .*)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert len(lines) > 3
    access = tmp_path / "access"
    access.write_text("\n".join(lines) + "\n")
    passwords = tmp_path / "passwords"
    passwords.touch(0o600)
    for user in USERS:
        command = ["mosquitto_passwd", "-b", str(passwords), user, PASSWORD]
        subprocess.run(command, check=True, capture_output=True)
    conf = f"allow_anonymous false\npassword_file {passwords}\nacl_file {access}\n"
    with mosquitto.running(tmp_path / "broker", conf) as broker:
        yield broker.port


def reason_codes(port: int, user: str, *topics: str) -> list[int]:
    """What the broker says to a publish on each."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set(user, PASSWORD)
    codes: dict[int, int] = {}
    client.on_publish = lambda _c, _u, mid, reason, _p: codes.update({mid: reason.value})
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(topic, b"{}", qos=1).mid for topic in topics]
    support.wait_until(lambda: len(codes) == len(topics))
    client.disconnect()
    client.loop_stop()
    return [codes[mid] for mid in sent]


NOT_AUTHORIZED = 0x87


@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        ("herten-data", (True, False, False)),
        ("administrator", (False, False, True)),
        ("revier-gateway", (True, True, True)),
        ("somebody", (False, False, False)),
    ],
)
def test_who_may_ask(port: int, user: str, allowed: tuple[bool, ...]) -> None:
    codes = reason_codes(port, user, OWN, FOREIGN, ADMIN)
    assert tuple(code != NOT_AUTHORIZED for code in codes) == allowed


def test_a_town_cannot_write_what_the_gateway_says(port: int) -> None:
    topics = ("revier/v1/05562020/airquality/a/obs", "revier/v1/05562020/_response/configure")
    assert reason_codes(port, "herten-data", *topics) == [NOT_AUTHORIZED] * 2
