# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The service between a real broker and gRPC, with both clocks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from chirpstack_api import api, gw
from paho.mqtt.client import MQTTMessage

from revier_bench.broker import free_port, start_broker
from revier_bench.mqtt_client import PromptClient
from revier_bench.network_server.core import GatewayUp
from revier_bench.network_server.options import Options
from revier_bench.network_server.service import FAULT_TOPIC, FINISHED_TOPIC, STEP_TOPIC, Service

from .rig import START_NS, registry
from .simple_device import GATEWAY, OTHER_GATEWAY, SimpleDevice, heard, transmitted

WAIT_S = 10.0


class Bench:
    """A running service, and an MQTT client that plays gateways, world and application."""

    def __init__(self, port: int, **options: Any) -> None:
        self.service = Service(Options(mqtt_port=port, seed="bench", **options))
        rows = self.service.server.registry
        rows.api_keys |= registry().api_keys
        for name in ("tenants", "applications", "profiles", "gateways"):
            setattr(rows, name, getattr(registry(), name))
        self.published: list[tuple[str, int]] = []
        self._spy_on_publish()
        self.messages: list[MQTTMessage] = []
        self._arrived = threading.Condition()
        self.client = PromptClient("test-application")
        self.client.on_message = self._on_message
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.subscribed = 0
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._thread = threading.Thread(target=self.service.run, name="network-server")
        self._thread.start()
        self.until(lambda: self.service.link.is_ready and self.subscribed)
        self.steps = 0

    def _on_connect(self, *_: Any) -> None:
        self.client.subscribe([("application/#", 1), ("eu868/#", 1), (FINISHED_TOPIC, 1)])

    def _on_subscribe(self, *_: Any) -> None:
        self.subscribed += 1

    def _spy_on_publish(self) -> None:
        """rumqttd hands a message on with the QoS of the subscription, not with its own."""
        publish = self.service.link.publish

        def spy(topic: str, payload: bytes, qos: int, *, retain: bool = False) -> Any:
            self.published.append((topic, qos))
            return publish(topic, payload, qos, retain=retain)

        self.service.link.publish = spy  # type: ignore[method-assign]

    def published_qos(self, ending: str) -> set[int]:
        return {qos for topic, qos in self.published if topic.endswith(ending)}

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()

    def until(self, done: Callable[[], Any]) -> Any:
        deadline_s = time.monotonic() + WAIT_S
        while not (result := done()):
            assert time.monotonic() < deadline_s, "it did not happen"
            with self._arrived:
                self._arrived.wait(0.02)
        return result

    def add_device(self) -> SimpleDevice:
        from .rig import Rig

        rig = Rig()
        device = rig.add_device()
        rows = self.service.server.registry
        rows.devices |= rig.server.registry.devices
        rows.keys |= rig.server.registry.keys
        return device

    def publish(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, 1).wait_for_publish(WAIT_S)

    def up(self, frame: gw.UplinkFrame) -> None:
        topic = f"eu868/gateway/{frame.rx_info.gateway_id}/event/up"
        self.publish(topic, frame.SerializeToString())

    def ack(self, ack: gw.DownlinkTxAck) -> None:
        self.publish(f"eu868/gateway/{ack.gateway_id}/event/ack", ack.SerializeToString())

    def send_step(self, now_ns: int, uplinks: list[Any], acks: list[Any]) -> None:
        self.steps += 1
        step = {"step": self.steps, "now_us": now_ns // 1000, "uplinks": uplinks, "acks": acks}
        self.publish(STEP_TOPIC, json.dumps(step).encode())

    def finished(self) -> Any:
        """The answer to the last step."""

        def find() -> Any:
            for message in self.messages:
                if message.topic == FINISHED_TOPIC:
                    answer = json.loads(message.payload)
                    if answer["step"] == self.steps:
                        return answer
            return None

        return self.until(find)

    def on(self, ending: str) -> list[MQTTMessage]:
        return [m for m in self.messages if m.topic.endswith(ending)]

    def downlinks(self) -> list[gw.DownlinkFrame]:
        gateway = [m for m in self.on("command/down") if m.topic.startswith("eu868")]
        return [gw.DownlinkFrame.FromString(m.payload) for m in gateway]

    def close(self) -> None:
        self.service.is_stopping = True
        self._thread.join(WAIT_S)
        self.client.disconnect()
        self.client.loop_stop()
        assert not self._thread.is_alive()


@pytest.fixture
def bench(broker_port: int) -> Iterator[Callable[..., Bench]]:
    running: list[Bench] = []

    def start(**options: Any) -> Bench:
        running.append(Bench(broker_port, **options))
        return running[-1]

    yield start
    for one in running:
        one.close()


def join_in_steps(bench: Bench) -> SimpleDevice:
    device = bench.add_device()
    bench.up(heard(device.join_request(), START_NS))
    bench.send_step(START_NS, [[GATEWAY, 1]], [])
    finished = bench.finished()
    (down,) = bench.until(bench.downlinks)
    assert finished["downlinks"] == [[GATEWAY, down.downlink_id]]
    device.take_join_accept(down.items[0].phy_payload)
    bench.ack(transmitted(down))
    bench.send_step(START_NS, [], [[GATEWAY, down.downlink_id]])
    assert bench.finished()["downlinks"] == []
    return device


class TestVirtualClock:
    def test_join_and_uplink_in_steps(self, bench: Callable[..., Bench]) -> None:
        here = bench(virtual_clock=True)
        device = join_in_steps(here)
        phy_payload = device.uplink(b"\x01")
        now_ns = START_NS + 60 * 10**9
        here.up(heard(phy_payload, now_ns, uplink_id=2))
        here.up(heard(phy_payload, now_ns, gateway_id=OTHER_GATEWAY, uplink_id=7, snr=-10.0))
        here.send_step(now_ns, [[GATEWAY, 2], [OTHER_GATEWAY, 7]], [])
        finished = here.finished()
        (up,) = here.until(lambda: here.on("event/up") and self.events(here))
        assert [r["gatewayId"] for r in up["rxInfo"]] == [GATEWAY, OTHER_GATEWAY]
        assert {r["nsTime"] for r in up["rxInfo"]} == {"2026-11-23T12:52:12+00:00"}
        here.until(lambda: len(here.downlinks()) == 2)
        assert finished["downlinks"] == [[GATEWAY, here.downlinks()[1].downlink_id]]

    @staticmethod
    def events(here: Bench) -> list[Any]:
        """What applications were told of uplinks (gateways publish on event/up too)."""
        own = [m for m in here.on("event/up") if m.topic.startswith("application/")]
        return [json.loads(m.payload) for m in own]

    def test_a_step_waits_for_what_it_names(self, bench: Callable[..., Bench]) -> None:
        here = bench(virtual_clock=True)
        device = join_in_steps(here)
        here.send_step(START_NS, [[GATEWAY, 5]], [])
        time.sleep(0.3)
        assert self.events(here) == []
        here.up(heard(device.uplink(b"\x01"), START_NS, uplink_id=5))
        here.finished()
        here.until(lambda: self.events(here))

    def test_a_step_asked_again_is_answered_again(self, bench: Callable[..., Bench]) -> None:
        here = bench(virtual_clock=True)
        join_in_steps(here)
        here.steps -= 1
        here.send_step(START_NS, [], [["nobody", 1]])
        here.until(lambda: len(here.on(FINISHED_TOPIC)) == 3)
        answers = [json.loads(m.payload) for m in here.on(FINISHED_TOPIC)]
        assert answers[1] == answers[2]

    def test_nonsense_on_the_control_topics_is_survived(self, bench: Callable[..., Bench]) -> None:
        here = bench(virtual_clock=True)
        for payload in (b"", b"{}", b"[1]", b"\xff", b'{"step": "x"}'):
            here.publish(STEP_TOPIC, payload)
            here.publish(FAULT_TOPIC, payload)
            here.publish(f"eu868/gateway/{GATEWAY}/event/up", payload)
        join_in_steps(here)

    def test_one_seed_gives_one_run(self, bench: Callable[..., Bench]) -> None:
        runs = []
        for _ in range(2):
            here = bench(virtual_clock=True)
            device = join_in_steps(here)
            here.up(heard(device.uplink(b"\x01"), START_NS, uplink_id=9))
            here.send_step(START_NS, [[GATEWAY, 9]], [])
            here.finished()
            here.until(lambda h=here: self.events(h))  # type: ignore[misc]
            told = [m for m in here.messages if m.topic.startswith("application/")]
            runs.append([(m.topic, bytes(m.payload)) for m in told])
            here.close()
        assert runs[0] == runs[1]

    def test_qos_and_protobuf(self, bench: Callable[..., Bench]) -> None:
        here = bench(virtual_clock=True, as_json=False, qos=0)
        join_in_steps(here)
        (joined,) = here.until(lambda: here.on("event/join"))
        assert here.published_qos("event/join") == {0}
        assert not joined.payload.startswith(b"{")

    def test_faults_by_control_topic(self, bench: Callable[..., Bench]) -> None:
        here = bench(virtual_clock=True)
        device = join_in_steps(here)
        here.publish(FAULT_TOPIC, b'{"lose_events": true, "qos": 0}')
        here.until(lambda: here.service.faults.faults.lose_events)
        here.up(heard(device.uplink(b"\x01"), START_NS, uplink_id=2))
        here.send_step(START_NS, [[GATEWAY, 2]], [])
        here.finished()
        here.publish(FAULT_TOPIC, b'{"lose_events": false}')
        here.until(lambda: not here.service.faults.faults.lose_events)
        here.up(heard(device.uplink(b"\x02"), START_NS, uplink_id=3))
        here.send_step(START_NS, [[GATEWAY, 3]], [])
        here.finished()
        here.until(lambda: self.events(here))
        assert [e["fCnt"] for e in self.events(here)] == [1]
        assert here.published_qos("event/up") == {0}
        assert here.service.faults.lost == 1


class TestWallClock:
    def test_200_ms_of_deduplication_and_100_ms_before_the_downlink(
        self, bench: Callable[..., Bench]
    ) -> None:
        here = bench()
        device = here.add_device()
        started_s = time.monotonic()
        here.up(heard(device.join_request(), time.time_ns()))
        (down,) = here.until(here.downlinks)
        assert 0.19 < time.monotonic() - started_s < 1.0
        device.take_join_accept(down.items[0].phy_payload)
        here.ack(transmitted(down))
        frame = device.uplink(b"\x01", confirmed=True)
        started_s = time.monotonic()
        here.up(heard(frame, time.time_ns(), uplink_id=2))
        time.sleep(0.1)
        here.up(heard(frame, time.time_ns(), gateway_id=OTHER_GATEWAY, uplink_id=3))
        here.until(lambda: len(here.downlinks()) == 2)
        assert 0.29 < time.monotonic() - started_s < 1.0
        (up,) = here.until(lambda: TestVirtualClock.events(here))
        assert len(up["rxInfo"]) == 2


class TestStreams:
    def test_events_and_frames_of_a_device(self, bench: Callable[..., Bench]) -> None:
        here = bench(virtual_clock=True)
        device = join_in_steps(here)
        channel = grpc.insecure_channel(f"127.0.0.1:{here.service.grpc_port}")
        stub = api.InternalServiceStub(channel)
        bearer = [("authorization", f"Bearer {here.service.api_token}")]
        dev_eui = device.dev_eui.hex()
        events = stub.StreamDeviceEvents(
            api.StreamDeviceEventsRequest(dev_eui=dev_eui), metadata=bearer
        )
        first = next(events)
        assert first.description == "join"
        assert first.properties["DevAddr"] == device.dev_addr.hex()
        here.publish(FAULT_TOPIC, b'{"lose_events": true}')
        here.until(lambda: here.service.faults.faults.lose_events)
        here.up(heard(device.uplink(b"\x2a"), START_NS, uplink_id=2))
        here.send_step(START_NS, [[GATEWAY, 2]], [])
        here.finished()
        live = next(events)
        assert live.description == "up", "also while MQTT loses them"
        assert json.loads(live.body)["data"] == "Kg=="
        assert dict(live.properties) == {"DR": "5", "FPort": "1", "FCnt": "0", "Data": "2a"}
        frames = stub.StreamDeviceFrames(
            api.StreamDeviceFramesRequest(dev_eui=dev_eui), metadata=bearer
        )
        kinds = [next(frames).description for _ in range(3)]
        assert kinds == ["JoinRequest", "JoinAccept", "UnconfirmedDataUp"]
        events.cancel()
        frames.cancel()
        with pytest.raises(grpc.RpcError, match="no authorization provided"):
            next(stub.StreamDeviceEvents(api.StreamDeviceEventsRequest(dev_eui=dev_eui)))
        channel.close()


def test_it_outlives_its_broker(tmp_path: Path) -> None:
    """Gone and back: it goes on serving, connects again and subscribes again."""
    port = free_port()
    broker = start_broker(tmp_path / "first", port)
    here = Bench(port)
    try:
        device = here.add_device()
        broker.stop()
        here.until(lambda: not here.service.link.is_ready)
        rows = here.service.server
        joined = heard(device.join_request(), time.time_ns()).SerializeToString()
        with here.service.backend.lock:
            rows.handle(GatewayUp(joined), time.time_ns())
        time.sleep(0.5)
        broker = start_broker(tmp_path / "second", port)
        here.until(lambda: here.service.link.is_ready)
        here.until(lambda: here.subscribed == 2)
        device.dev_nonce += 1
        here.up(heard(device.join_request(), time.time_ns(), uplink_id=2))
        here.until(lambda: here.on("event/join"))
    finally:
        here.close()
        broker.stop()
