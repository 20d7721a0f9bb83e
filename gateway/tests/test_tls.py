# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Client certificates on both legs with a real Mosquitto; a renewed one needs no restart."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from gateway.tests import mosquitto, support
from gateway.tests.certificates import Authority
from gateway.tests.mosquitto import PERSISTENT, Mosquitto
from gateway.tests.test_service import events, gateway
from paho.mqtt.enums import CallbackAPIVersion

pytestmark = [pytest.mark.mosquitto, pytest.mark.xdist_group("mosquitto")]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "certificates"
    folder.mkdir()
    made = Authority(folder)
    for name in ("broker", "gateway", "consumer"):
        made.issue(name)
    return made


def tls_listener(authority: Authority, name: str = "broker") -> str:
    folder = authority.folder
    return (
        f"cafile {authority.file}\ncertfile {folder}/{name}.pem\nkeyfile {folder}/{name}.key\n"
        "require_certificate true\nuse_identity_as_username true"
    )


ACL = """
user gateway
topic readwrite application/#
topic readwrite revier/#
user consumer
topic readwrite #
"""


@contextmanager
def secure_broker(tmp_path: Path, authority: Authority) -> Iterator[Mosquitto]:
    """Who may do what is said by the common name of the client's certificate."""
    acl = tmp_path / "acl"
    acl.write_text(ACL)
    conf = f"{PERSISTENT}acl_file {acl}\nallow_anonymous false\n"
    with mosquitto.running(tmp_path / "broker", conf, tls_listener(authority)) as broker:
        yield broker


def config_of(folder: Path, port: int, authority: Authority, name: str = "gateway") -> Path:
    folder.mkdir(exist_ok=True)
    tls = "\n".join(
        f'[{leg}.tls]\nca_file = "{authority.file}"\ncert_file = "{authority.folder}/{name}.pem"\n'
        f'key_file = "{authority.folder}/{name}.key"'
        for leg in ("source", "feed")
    )
    config = support.gateway_toml(folder, port, port)
    config.write_text(config.read_text() + tls + "\n")
    return config


class Consumer:
    """paho with a certificate of its own: publishes as ChirpStack, listens as a platform."""

    def __init__(self, port: int, authority: Authority) -> None:
        self.seqs: set[int] = set()
        self.online = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        folder = authority.folder
        self._client.tls_set(
            str(authority.file), str(folder / "consumer.pem"), str(folder / "consumer.key")
        )
        self._client.reconnect_delay_set(0.1, 0.5)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe("revier/v1/#", 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        content = json.loads(message.payload)
        if message.topic.endswith("/obs"):
            self.seqs.add(content["seq"])
        elif content.get("source") == "online":
            self.online += 1

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            self._client.publish(topic, payload, qos=1).wait_for_publish(20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "gateway.log").read_text().splitlines()]


def test_both_legs_and_a_renewed_certificate(tmp_path: Path, authority: Authority) -> None:
    """The broker comes back with a new certificate, and so do we, without a restart of ours."""
    made = events(40)
    with secure_broker(tmp_path, authority) as broker:
        folder = tmp_path / "gateway"
        config = config_of(folder, broker.port, authority)
        consumer = Consumer(broker.port, authority)
        with gateway(config):
            support.wait_until(lambda: consumer.online > 0)
            consumer.publish(made[:21])
            support.wait_until(lambda: len(consumer.seqs) == 20)
            for name in ("broker", "gateway"):
                authority.issue(name)
            broker.end()
            broker.start()
            support.wait_until(lambda: _back(folder) >= {"source", "feed"}, 40)
            consumer.publish(made[21:])
            support.wait_until(lambda: len(consumer.seqs) == 40)
        consumer.close()
    assert consumer.seqs == set(range(100, 140))


def _back(folder: Path) -> set[str]:
    """Links, of which the canary's reader is one more."""
    return {entry["link"] for entry in log_of(folder) if entry["event"] == "link is back"}


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("foreign client", "cert_file"),
        ("foreign broker", "ca_file"),
        ("expired", "cert_file"),
        ("no file", "Correct the path"),
    ],
)
def test_what_is_wrong_is_said_and_waited_for(
    tmp_path: Path, authority: Authority, trouble: str, told: str
) -> None:
    """Nothing goes through without proof; corrected, it goes on without a restart."""
    with secure_broker(tmp_path, authority) as broker:
        folder = tmp_path / "gateway"
        config = config_of(folder, broker.port, authority)
        right = {file: file.read_bytes() for file in authority.folder.glob("*")}
        Consumer(broker.port, authority).close()  # it listens before it has read its files
        _begin_wrong(trouble, authority)
        with gateway(config):
            if trouble == "no file":
                support.wait_until(lambda: "subscribed" in (folder / "gateway.log").read_text())
                (authority.folder / "gateway.key").unlink()
                broker.end()
                broker.start()
            support.wait_until(lambda: told in _warnings(folder), 30)
            for file, content in right.items():
                file.write_bytes(content)
            consumer = Consumer(broker.port, authority)
            support.wait_until(lambda: consumer.online > 0, 60)
            consumer.close()
        assert "Traceback" not in (folder / "gateway.log").read_text()


def _warnings(folder: Path) -> str:
    """Why the source was lost, as far as the log warns of it."""
    losses = [entry for entry in log_of(folder) if entry["event"] == "link is lost"]
    return " ".join(entry["reason"] for entry in losses if entry["link"] == "source")


def _begin_wrong(trouble: str, authority: Authority) -> None:
    if trouble == "expired":
        authority.issue("gateway", days=-1)
    elif trouble == "foreign client":
        Authority(authority.folder, "other").issue("gateway")
    elif trouble == "foreign broker":
        other = Authority(authority.folder, "other")
        authority.file.write_bytes(other.file.read_bytes())


def test_tail_goes_the_feed_s_way(tmp_path: Path, authority: Authority) -> None:
    """With its certificate authority and its client certificate."""
    content = {"t": "2026-05-04T07:00:00.000Z", "seq": 7, "m": {"temp": {"v": 12.4, "u": "Cel"}}}
    message = ("revier/v1/05562032/airquality/aq-0007/obs", json.dumps(content).encode())
    with secure_broker(tmp_path, authority) as broker:
        config = config_of(tmp_path / "gateway", broker.port, authority)
        consumer = Consumer(broker.port, authority)
        command = [sys.executable, "-m", "revier_gateway.cli", "tail", "--count", "1"]
        process = subprocess.Popen(
            [*command, "--config", str(config)], stdout=subprocess.PIPE, text=True
        )
        support.wait_until(
            lambda: consumer.publish([message]) or process.poll() is not None, 30, "tail ends"
        )
        consumer.close()
        assert process.stdout is not None
        assert "aq-0007 #7  temp 12.4 Cel" in process.stdout.read()
    assert process.returncode == 0
