# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Air, radio gateways, wall, broker and the stand-in network server together; nodes on paper."""

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest

from revier_bench.broker import free_port, start_broker
from revier_bench.mqtt_client import PromptClient
from revier_bench.world.air import Air
from revier_bench.world.backhaul import Backhaul
from revier_bench.world.fleet import DEMO_FLEET
from revier_bench.world.mqtt_wall import MqttWall
from revier_bench.world.truth import TruthLog
from revier_inventory import Owner
from revier_provision import ChirpStack, Device

from .paper_node import PaperNode, near

START_US = 1_795_438_400_000_000
MINUTE_US = 60_000_000
APP_KEY = bytes(range(1, 17))


class Listener:
    """Everything that the network server publishes about devices."""

    def __init__(self, port: int) -> None:
        self.events: list[tuple[str, dict]] = []
        self._ready = threading.Event()
        self._client = PromptClient("listener")
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _c, _d, m: self.events.append(
            (m.topic.rsplit("/", 1)[1], json.loads(m.payload))
        )
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("application/+/device/+/event/+", qos=1)
        self._client.loop_start()
        assert self._ready.wait(5)

    def of(self, kind: str) -> list[dict]:
        return [event for name, event in self.events if name == kind]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Bench:
    """One broker, one network server process, one world."""

    def __init__(self, tmp_path, kernel, clock: str) -> None:
        self.kernel = kernel
        self.mqtt_port, self.grpc_port = free_port(), free_port()
        self.broker = start_broker(tmp_path, self.mqtt_port)
        token_file = tmp_path / "token"
        command = [sys.executable, "-m", "revier_bench.network_server", "--clock", clock,
                   "--mqtt", f"127.0.0.1:{self.mqtt_port}", "--grpc", str(self.grpc_port),
                   "--seed", "1", "--qos", "1", "--api-token-file", str(token_file)]  # fmt: skip
        self.server = subprocess.Popen(command)
        self.listener = Listener(self.mqtt_port)
        deadline = time.monotonic() + 20
        while not token_file.exists() or not token_file.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.api = ChirpStack(f"127.0.0.1:{self.grpc_port}", token_file.read_text())
        self._wait_for_ready()
        self.air = Air("1")
        self.truth = TruthLog(START_US)
        self.air.on_air = self.truth.on_air
        ids = [gateway.gateway_id for gateway in DEMO_FLEET.radio_gateways]
        self.wall = MqttWall("127.0.0.1", self.mqtt_port, ids, stepped=clock == "virtual")
        self.wall.open()
        self.backhaul = Backhaul(
            kernel, self.wall, self.air, DEMO_FLEET.radio_gateways, START_US, "1",
            self.truth.on_heard,
        )  # fmt: skip
        self._owner = Owner(ags="05562020", name="Herten")
        self._application = self.api.create_application(self._owner)
        for gateway in DEMO_FLEET.radio_gateways:  # frames of an unknown one are dropped
            self.api.put_radio_gateway(self._application.tenant_id, gateway.to_record())

    def _wait_for_ready(self) -> None:
        ready = threading.Event()
        client = PromptClient("state")
        client.on_message = lambda _c, _d, m: (
            ready.set() if json.loads(m.payload)["state"] == "ready" else None
        )
        client.connect("127.0.0.1", self.mqtt_port)
        client.subscribe("revier-bench/network-server/state", qos=1)
        client.loop_start()
        assert ready.wait(10)
        client.disconnect()
        client.loop_stop()

    def node(self, number: int, registered: bool = True) -> PaperNode:
        dev_eui = f"025245fffe56{number:04x}"
        key = bytes([number]) + APP_KEY[1:]
        if registered:
            profile = self.api.ensure_device_profile(self._application.tenant_id, "air", 300)
            self.api.put_device(Device(
                dev_eui=dev_eui, join_eui="00" * 8, name=f"n{number}", tags={},
                application_id=self._application.application_id, device_profile_id=profile,
            ))  # fmt: skip
            self.api.set_app_key(dev_eui, key)
        self.truth.add_node(dev_eui, key)
        place = near(1.0 + number / 10)
        return PaperNode(self.kernel, self.air, f"node-{number}", dev_eui, key, place)

    def close(self) -> None:
        self.wall.close()
        self.api.close()
        self.listener.close()
        self.server.terminate()
        self.server.wait(10)
        self.broker.stop()


@pytest.fixture
def bench(tmp_path, kernel):
    bench = Bench(tmp_path, kernel, "virtual")
    yield bench
    bench.close()


def wait_until(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        time.sleep(0.01)


def test_nodes_join_and_their_readings_become_events(bench, kernel) -> None:
    nodes = [bench.node(number) for number in (1, 2)]
    for n, node in enumerate(nodes):
        kernel.at((n + 1) * MINUTE_US, node.join)
        for k in range(5):
            at_us = (n + 3 + 5 * k) * MINUTE_US
            kernel.at(at_us, lambda node=node, k=k: node.send(10, bytes([k] * 11)))
    kernel.run_until(40 * MINUTE_US)
    assert all(node.joined for node in nodes)
    assert bench.truth.nodes_joined == 2
    assert len(bench.truth.uplinks) == 10
    assert (bench.truth.frames_sent, bench.truth.frames_heard) == (12, 12)
    assert bench.truth.unreadable == 0
    wait_until(lambda: len(bench.listener.of("up")) == 10)
    assert len(bench.listener.of("join")) == 2
    told = {(e["deviceInfo"]["devEui"], e["fCnt"]): e for e in bench.listener.of("up")}
    for uplink in bench.truth.uplinks:
        event = told[uplink.dev_eui, uplink.f_cnt]
        assert event["fPort"] == uplink.f_port == 10
        assert {rx["gatewayId"] for rx in event["rxInfo"]} == set(uplink.gateways)
        said_us = round(datetime.fromisoformat(event["time"]).timestamp() * 1e6)
        assert said_us == uplink.end_unix_us


def test_downlinks_arrive_to_the_microsecond_and_are_acknowledged(bench, kernel) -> None:
    node = bench.node(1)
    kernel.at(MINUTE_US, node.join)
    kernel.run_until(2 * MINUTE_US)
    assert len(node.downlinks) == 1  # only what came exactly in RX1 counts there
    assert bench.backhaul.tx_status == {"OK": 1, "IGNORED": 1}


def test_an_unknown_device_and_a_wrong_mic_are_silence(bench, kernel) -> None:
    stranger, node = bench.node(9, registered=False), bench.node(1)
    kernel.at(MINUTE_US, stranger.join)
    kernel.at(2 * MINUTE_US, node.join)
    kernel.run_until(3 * MINUTE_US)
    frame = bytearray(node.send(10, bytes(11)))
    kernel.run_until(4 * MINUTE_US)
    frame[-1] ^= 0x55
    node._emit(bytes(frame))
    kernel.run_until(5 * MINUTE_US)
    assert not stranger.joined
    assert bench.truth.unreadable == 1
    wait_until(lambda: len(bench.listener.of("up")) == 1)
    assert len(bench.listener.of("join")) == 1


def test_the_clock_stands_still_while_mqtt_works(bench, kernel) -> None:
    node = bench.node(1)
    kernel.at(MINUTE_US, node.join)
    kernel.run_until(2 * MINUTE_US)
    before_s, n = bench.backhaul.waited_s, 50
    for k in range(n):
        kernel.at((3 + k) * MINUTE_US, lambda: node.send(10, bytes(11)))
    kernel.run_until((5 + n) * MINUTE_US)
    assert bench.truth.readings_heard == n
    per_step_s = (bench.backhaul.waited_s - before_s) / n
    assert per_step_s < 0.05, f"{per_step_s * 1000:.1f} ms for a hand-over"


def test_equal_seeds_give_equal_frames(tmp_path, kernel) -> None:
    def run(name: str) -> list[tuple]:
        world = type(kernel)()
        bench = Bench(tmp_path / name, world, "virtual")
        try:
            node = bench.node(1)
            world.at(MINUTE_US, node.join)
            for k in range(4):
                world.at((2 + k) * MINUTE_US, lambda: node.send(10, bytes(11)))
            world.run_until(10 * MINUTE_US)
            return [(e.start_us, e.payload) for e in node.downlinks] + [
                (u.end_unix_us, u.dev_addr, tuple(u.gateways)) for u in bench.truth.uplinks
            ]
        finally:
            bench.close()

    first = run("a")
    assert len(first) >= 5
    assert first == run("b")


def test_at_wall_speed_it_works_as_with_a_real_network_server(tmp_path, kernel) -> None:
    """No step protocol: downlinks are polled, RX1 is met in real time."""
    bench = Bench(tmp_path, kernel, "wall")
    try:
        node = bench.node(1)
        began_s = time.monotonic()
        kernel.at(100_000, node.join)
        while not node.joined and time.monotonic() - began_s < 10:
            kernel.run_until(round((time.monotonic() - began_s) * 1e6))
            time.sleep(0.002)
        assert node.joined
        assert bench.backhaul.tx_status.get("OK") == 1
    finally:
        bench.close()


def test_times_of_the_run_are_those_of_the_world() -> None:
    assert datetime.fromtimestamp(START_US / 1e6, UTC).year == 2026
