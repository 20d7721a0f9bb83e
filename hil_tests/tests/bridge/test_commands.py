# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A request goes all the way to a node and its fate comes back, by gRPC and by MQTT alone."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from gateway.tests import support
from gateway.tests.support import AGS, AIR, OTHER_AGS, air_payload, diagnosis_payload
from hil_tests.tests.bridge import town
from hil_tests.tests.bridge.town import Town
from hil_tests.tests.network_server.simple_device import SimpleDevice

from revier_payload import backfill
from revier_payload.codec import encode
from revier_payload.configuration import apply, hash_of

REQUEST = f"revier/v1/{AGS}/_request"


@dataclass(slots=True)
class Scene:
    town: Town
    node: SimpleDevice
    listener: support.Listener
    config: Path
    feed_port: int

    def ask(self, name: str, origin: str = REQUEST, **body: Any) -> dict[str, Any]:
        number = len(self.responses())
        payload = json.dumps(body).encode()
        support.publish(self.feed_port, [(f"{origin}/{name}", payload)])
        town.until(lambda: len(self.responses()) > number, "a response")
        return self.responses()[number]

    def responses(self) -> list[dict[str, Any]]:
        found = list(self.listener.messages)
        return [json.loads(p) for topic, p, _ in found if "response" in topic.split("/")[-2]]

    def fates(self, command_id: str) -> list[tuple[str, str]]:
        return [
            (one["state"], one.get("reason", ""))
            for one in self.listener.of_kind("command")
            if one["id"] == command_id
        ]

    def until(self, command_id: str, state: str) -> str:
        def is_there() -> bool:
            return any(one == state for one, _ in self.fates(command_id))

        town.until(is_there, f"{state}: {self.fates(command_id)}")
        return dict(self.fates(command_id))[state]

    def speak(self, data: bytes = b"", f_port: int = 10) -> tuple[int | None, bytes] | None:
        """One uplink; the downlink that answered it: its port and payload."""
        before = len(self.town.downlinks)
        self.town.speak(self.node, data or air_payload(1), f_port)
        time.sleep(0.4)
        for frame in self.town.downlinks[before:]:
            phy = frame.items[0].phy_payload
            f_cnt = int.from_bytes(phy[6:8], "little")
            _, port, plain = self.node.open_downlink(phy, f_cnt)
            if port:
                return port, plain
        return None


@pytest.fixture(params=["api", "mqtt"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with (
        support.broker(tmp_path / "source") as source,
        support.broker(tmp_path / "feed") as feed,
        support.listening(feed.port, "revier/v1/#") as listener,
        town.town(source.port, event_history=100) as made,
    ):
        port = made.service.grpc_port if request.param == "api" else None
        path = town.config(tmp_path, source.port, feed.port, port)
        with town.gateway(path, listener, made.service.api_token):
            scene = Scene(made, made.device(), listener, path, feed.port)
            made.speak(scene.node, diagnosis_payload(100), 1)
            town.until(lambda: _cli(path, "devices")[0]["frames"] == 1)
            yield scene
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()


def _cli(config: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "revier_gateway.cli", *arguments, "--config", str(config)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_settings_from_the_request_to_the_answer(scene: Scene) -> None:
    answer = scene.ask("configure", transaction="t", asset="aq-0007", settings={"interval": 900})
    assert (answer["status"], answer["transaction"]) == ("ok", "t")
    command_id = answer["data"]["id"]
    scene.until(command_id, "queued")
    heard = scene.speak()
    assert heard is not None
    port, data = heard
    assert port == 2
    scene.until(command_id, "sent")
    result, setting, now = apply(b"", data, "air")
    values = {"request_hash": hash_of(data), "config_hash": hash_of(now)}
    scene.speak(encode(3, {**values, "result": result, "setting": setting}), 3)
    scene.until(command_id, "acknowledged")
    (device, *_) = _cli(scene.config, "devices")
    assert (device["settings"], device["desired"]) == ("in_force", {"interval": 900})
    assert device["reported_hash"] == device["desired_hash"] == hash_of(now)
    (row,) = _cli(scene.config, "command", "list")
    assert (row["id"], row["state"]) == (command_id, "acknowledged")
    assert _cli(scene.config, "command", "show", command_id)["origin"] == AGS
    foreign = scene.ask("configure", f"revier/v1/{OTHER_AGS}/_request", device=AIR,
                        settings={"interval": 60})  # fmt: skip
    assert foreign["error"] == f"no such device or asset in {OTHER_AGS}"


def test_fates_of_the_network_server(scene: Scene) -> None:
    admin = "revier/v1/_gateway/test/request"
    large = base64.b64encode(bytes(250)).decode()
    body: dict[str, Any] = {"device": AIR, "f_port": 100, "data": large}
    too_large = scene.ask("downlink", admin, **body)["data"]["id"]
    scene.until(too_large, "queued")
    scene.speak()
    assert scene.until(too_large, "failed").startswith("payload_size (at most")

    body = {"device": AIR, "f_port": 100, "data": "AQID", "confirmed": True}
    confirmed = scene.ask("downlink", admin, **body)["data"]["id"]
    scene.until(confirmed, "queued")
    heard = scene.speak()
    assert heard == (100, b"\1\2\3")
    scene.until(confirmed, "sent")
    scene.speak()  # without ACK
    assert scene.until(confirmed, "waiting") == "not_acknowledged"

    sent = _cli(scene.config, "command", "send", "downlink", f"device={AIR}", "f_port=100",
                "data=AQID", "expires_s=60")  # fmt: skip
    scene.until(sent["data"]["id"], "queued")
    queue = scene.town.service.server.state.queue
    with scene.town.service.backend.lock:
        (item,) = queue.of(AIR)
        queue.remove(item)
        queue.enqueue(replace(item, expires_ns=1))
    scene.speak()
    assert scene.until(sent["data"]["id"], "expired") == "network server"


def test_the_nodes_memory_fills_what_the_radio_lost(scene: Scene) -> None:
    lost = [(seq, int(time.time()) - 5, 10, air_payload(seq, pm25=30 + 3 * seq % 60))
            for seq in (101, 102)]  # fmt: skip
    scene.speak(air_payload(100))
    for _, _, _, payload in lost:
        scene.node.uplink(payload, 10)
    scene.speak(air_payload(103))
    town.until(lambda: scene.listener.of_kind("gap"), "a gap")
    gap = scene.listener.of_kind("gap")[0]
    assert (gap["state"], gap["readings"]) == ("missing", 2)
    town.until(lambda: scene.town.service.server.state.queue.of(AIR), "a request for the node")
    heard = scene.speak(air_payload(104))
    assert heard is not None
    assert (heard[0], backfill.ranges(heard[1])) == (4, [(101, 2)])
    data, count = backfill.encode(lost, 222)
    assert count == 2
    scene.speak(data, 5)
    town.until(lambda: scene.listener.of_kind("gap")[-1]["state"] == "filled", "filled")
    late = {one["seq"]: one["late"] for one in scene.listener.of_kind("obs")}
    assert late == {100: False, 101: True, 102: True, 103: False, 104: False}
