# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The wall over a real broker, with a network server of a few lines behind it."""

import json
import threading

import pytest
from chirpstack_api import gw

from revier_bench.broker import free_port, start_broker
from revier_bench.mqtt_client import PromptClient
from revier_bench.world.mqtt_wall import MqttWall, StepInput, WallError, WallTimeoutError

IDS = ["0252455600ff0001", "0252455600ff0002"]


@pytest.fixture(scope="module")
def broker_port(tmp_path_factory):
    port = free_port()
    broker = start_broker(tmp_path_factory.mktemp("broker"), port)
    yield port
    broker.stop()


class TinyNetworkServer:
    """Answers every step with one downlink per uplink, the command before or after 'finished'."""

    def __init__(self, port: int, command_first: bool = True) -> None:
        self.steps: list[dict] = []
        self.messages: list[tuple[str, bytes, bool]] = []
        self._command_first = command_first
        self._ready = threading.Event()
        self.client = PromptClient("tiny")
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._ready.wait(5)

    def _on_connect(self, client, *_rest) -> None:
        client.subscribe([("eu868/gateway/+/event/+", 1), ("eu868/gateway/+/state/conn", 1),
                          ("revier-bench/step", 1)])  # fmt: skip

    def _on_message(self, client, _data, message) -> None:
        if message.topic != "revier-bench/step":
            self.messages.append((message.topic, message.payload, message.retain))
            return
        step = json.loads(message.payload)
        self.steps.append(step)
        downlinks = [[gateway_id, 1000 + uplink_id] for gateway_id, uplink_id in step["uplinks"]]
        if self._command_first:
            self._command(downlinks)
        finished = {"step": step["step"], "downlinks": downlinks}
        client.publish("revier-bench/step/finished", json.dumps(finished), qos=1)
        if not self._command_first:
            self._command(downlinks)

    def _command(self, downlinks) -> None:
        for gateway_id, downlink_id in downlinks:
            frame = gw.DownlinkFrame(downlink_id=downlink_id, gateway_id=gateway_id)
            topic = f"eu868/gateway/{gateway_id}/command/down"
            self.client.publish(topic, frame.SerializeToString(), qos=1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(params=[True, False], ids=["command first", "finished first"])
def server(broker_port, request):
    server = TinyNetworkServer(broker_port, request.param)
    yield server
    server.close()


@pytest.fixture
def wall(broker_port):
    wall = MqttWall("127.0.0.1", broker_port, IDS, step_timeout_s=5)
    wall.open()
    yield wall
    wall.close()


def uplink(gateway_id: str, uplink_id: int) -> tuple[str, gw.UplinkFrame]:
    frame = gw.UplinkFrame(phy_payload=b"\x40" + bytes(12))
    frame.rx_info.gateway_id, frame.rx_info.uplink_id = gateway_id, uplink_id
    return gateway_id, frame


def wait_until(condition) -> None:
    tick = threading.Event()
    for _ in range(500):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError("it did not happen within 5 s")


def test_a_step_hands_over_and_brings_back(server, wall) -> None:
    heard = [uplink(IDS[0], 1), uplink(IDS[1], 1)]
    downlinks = wall.step(StepInput(uplinks=heard), 1_795_438_400_000_000)
    assert [(g, frame.downlink_id) for g, frame in downlinks] == [(IDS[0], 1001), (IDS[1], 1001)]
    step = server.steps[-1]
    assert step["now_us"] == 1_795_438_400_000_000
    assert step["uplinks"] == [[IDS[0], 1], [IDS[1], 1]]
    assert step["acks"] == []
    ups = [topic for topic, _, _ in server.messages if topic.endswith("event/up")]
    assert sorted(ups) == sorted(f"eu868/gateway/{g}/event/up" for g in IDS)


def test_acks_travel_with_the_next_step(server, wall) -> None:
    ack = gw.DownlinkTxAck(gateway_id=IDS[0], downlink_id=77)
    ack.items.add(status=gw.OK)
    assert wall.step(StepInput(acks=[(IDS[0], ack)]), 1) == []
    assert server.steps[-1]["acks"] == [[IDS[0], 77]]
    assert any(topic.endswith(f"{IDS[0]}/event/ack") for topic, _, _ in server.messages)


def test_steps_are_numbered_and_quick(server, wall) -> None:
    for n in range(20):
        wall.step(StepInput(uplinks=[uplink(IDS[0], n + 1)]), n)
    assert [step["step"] for step in server.steps[-20:]] == list(range(1, 21))


def test_radio_gateways_say_that_they_are_there_and_that_they_go(broker_port) -> None:
    wall = MqttWall("127.0.0.1", broker_port, IDS, stepped=False)
    wall.open()
    server = TinyNetworkServer(broker_port)  # later: it must find the state retained

    def states(gateway_id: str) -> list[int]:
        topic = f"eu868/gateway/{gateway_id}/state/conn"
        return [gw.ConnState.FromString(p).state for t, p, _ in server.messages if t == topic]

    wait_until(lambda: all(states(g) == [gw.ConnState.ONLINE] for g in IDS))
    wall.close()
    wait_until(lambda: all(states(g)[-1:] == [gw.ConnState.OFFLINE] for g in IDS))
    server.close()


def test_a_torn_connection_leaves_the_last_will(broker_port) -> None:
    wall = MqttWall("127.0.0.1", broker_port, IDS, stepped=False)
    wall.open()
    server = TinyNetworkServer(broker_port)
    wall._links[IDS[0]].client.socket().close()
    topic = f"eu868/gateway/{IDS[0]}/state/conn"
    wait_until(
        lambda: (
            [gw.ConnState.FromString(p).state for t, p, _ in server.messages if t == topic][-1:]
            == [gw.ConnState.OFFLINE]
        )
    )
    server.close()


def test_at_wall_speed_downlinks_are_taken_when_they_come(broker_port) -> None:
    wall = MqttWall("127.0.0.1", broker_port, IDS, stepped=False)
    wall.open()
    server = TinyNetworkServer(broker_port)
    assert wall.take_downlinks() == []
    server._command([[IDS[1], 5], [IDS[1], 5], [IDS[0], 6]])  # QoS 1 may bring one twice
    taken: list[tuple[str, int]] = []

    def complete() -> bool:
        taken.extend((g, frame.downlink_id) for g, frame in wall.take_downlinks())
        return len(taken) >= 2

    wait_until(complete)
    assert sorted(taken) == [(IDS[0], 6), (IDS[1], 5)]
    server.client.publish(f"eu868/gateway/{IDS[0]}/command/down", b"\xff\xff\xff", qos=1)
    wait_until(lambda: wall.take_downlinks() == [] and wall.undecodable == 1)
    wall.close()
    server.close()


def test_a_silent_network_server_is_named(broker_port) -> None:
    wall = MqttWall("127.0.0.1", broker_port, IDS, step_timeout_s=0.3)
    wall.open()
    with pytest.raises(WallTimeoutError, match="step 1"):
        wall.step(StepInput(uplinks=[uplink(IDS[0], 1)]), 0)
    wall.close()


def test_no_broker_is_named() -> None:
    wall = MqttWall("127.0.0.1", free_port(), IDS)
    with pytest.raises(WallError, match="no MQTT broker"):
        wall.open()
