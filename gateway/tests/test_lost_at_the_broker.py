# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The source's broker loses what ChirpStack published: it comes out of ChirpStack's event log, and
what is not there any more is named in a gap. No frame is missed in silence."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chirpstack_api import integration
from gateway.tests import mosquitto, support
from gateway.tests.mosquitto import PERSISTENT, Mosquitto
from gateway.tests.test_service import events, gateway, ids, online
from google.protobuf import json_format

from revier_bench.network_server.api import server as stand_in
from revier_bench.network_server.api.backend import Backend
from revier_bench.network_server.auth import ADMIN_KEY_ID, admin_token
from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import NetworkServer
from revier_bench.network_server.events import Event
from revier_bench.network_server.logs import LogHub
from revier_bench.network_server.registry import ApiKey, Application, Registry, Tenant

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.xdist_group("mosquitto"),
    pytest.mark.usefixtures("each_mosquitto"),
]

TOKEN_ENV = "LOST_TEST_TOKEN"
FIRST, MISSED, LAST = slice(0, 11), slice(11, 21), slice(21, 31)
Lose = Callable[[Mosquitto, Callable[[], None]], None]


class ChirpStack:
    """Its event log, behind its API; events go into it whether or not the broker takes them."""

    def __init__(self, history: int) -> None:
        registry = Registry()
        registry.api_keys[ADMIN_KEY_ID] = ApiKey(ADMIN_KEY_ID, "test", is_admin=True)
        registry.tenants[support.TENANT] = Tenant(support.TENANT, "Kreis")
        for application in {support.APPLICATION}:
            registry.applications[application] = Application(application, support.TENANT, "all")
        self._backend = Backend(
            NetworkServer(registry, SeededChance("lost")), "secret", time.time_ns
        )
        self._backend.logs = LogHub(history)
        self._grpc, self.port = stand_in.start(self._backend, "127.0.0.1", 0)

    def log(self, messages: list[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            kind = topic.rpartition("/")[2]
            if kind == "up":
                message = json_format.ParseDict(json.loads(payload), integration.UplinkEvent())
                dev_eui = message.device_info.dev_eui
                event = Event(kind, support.APPLICATION, dev_eui, message)
                self._backend.logs.add_event(event, time.time_ns())

    def close(self) -> None:
        stand_in.stop(self._grpc, self._backend)


@pytest.fixture(params=[300, 5], ids=["kept", "too short"])
def chirpstack(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ChirpStack]:
    monkeypatch.setenv(TOKEN_ENV, admin_token("secret"))
    made = ChirpStack(request.param)
    made.kept = request.param > 100  # type: ignore[attr-defined]
    yield made
    made.close()


def killed(broker: Mosquitto, publish: Callable[[], None]) -> None:
    """Before it has saved what it keeps for us."""
    publish()
    broker.end(signal.SIGKILL)
    broker.start()


def restarted_network_server(broker: Mosquitto, publish: Callable[[], None]) -> None:
    """The broker is down, and ChirpStack ends before it is back: what it held in memory is gone."""
    broker.end(signal.SIGTERM)
    broker.start()


@pytest.mark.parametrize(
    ("conf", "lose"),
    [
        (PERSISTENT, killed),
        ("max_queued_messages 0\n", killed),
        (PERSISTENT, restarted_network_server),
    ],
    ids=["killed", "without persistence", "network server restarted"],
)
def test_every_frame_is_heard_or_named(
    conf: str, lose: Lose, chirpstack: ChirpStack, tmp_path: Path
) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir()
    made = events(30)
    with (
        mosquitto.running(tmp_path / "source", conf) as source,
        mosquitto.running(tmp_path / "feed", "max_queued_messages 0\n") as feed,
        support.listening(feed.port, "revier/v1/#") as listener,
    ):
        config = configured(folder, source.port, feed.port, chirpstack.port)
        with gateway(config):
            support.wait_until(lambda: online(listener), 40)
            chirpstack.log(made[FIRST])
            support.publish(source.port, made[FIRST])
            support.wait_until(lambda: len(ids(listener)) == 10, 40)
        chirpstack.log(made[MISSED])
        lose(source, lambda: support.publish(source.port, made[MISSED]))
        with gateway(config):
            support.wait_until(lambda: subscribed(folder) == 2, 40)
            chirpstack.log(made[LAST])
            support.publish(source.port, made[LAST])
            support.wait_until(lambda: heard(listener) | named(listener) >= set(range(1, 31)), 60)
    if chirpstack.kept:  # type: ignore[attr-defined]
        assert heard(listener) == set(range(1, 31))
    assert not heard(listener) & named(listener)


def configured(folder: Path, source: int, feed: int, api: int) -> Path:
    config = support.gateway_toml(folder, source, feed)
    more = (
        f'[chirpstack]\nhost = "127.0.0.1"\nport = {api}\ntoken_env = "{TOKEN_ENV}"\n'
        "quiet_s = 0.5\n[gaps]\nsettle_s = 0.5\n"
    )
    config.write_text(f"{config.read_text()}{more}")
    return config


def subscribed(folder: Path) -> int:
    return (folder / "gateway.log").read_text().count('"event": "subscribed"')


def heard(listener: support.Listener) -> set[int]:
    """By frame counter."""
    return {message["prov"]["f_cnt"] for message in listener.of_kind("obs")}


def named(listener: support.Listener) -> set[int]:
    newest: dict[str, dict[str, Any]] = {}
    for gap in listener.of_kind("gap"):
        if gap["rev"] >= newest.get(gap["id"], gap)["rev"]:
            newest[gap["id"]] = gap
    missing = [gap["f_cnt"] for gap in newest.values() if gap["state"] == "missing"]
    return {number for first, last in missing for number in range(first, last + 1)}
