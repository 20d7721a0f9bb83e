# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the gateway's tests share: an inventory, events as ChirpStack writes them, a broker."""

from __future__ import annotations

import base64
import contextlib
import json
import select
import socket
import socketserver
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from gateway.tests import feed_contract
from iotcore import Broker
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from revier_bench.broker import free_port
from revier_inventory import Asset, DevicePeriod, Inventory, Owner, RadioGateway, dump
from revier_payload.codec import encode

TENANT = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"
APPLICATION = "2d38308d-7c27-4fa2-adff-5f80a2056210"
OTHER_TENANT = "00000000-0000-4000-8000-000000000001"
AGS, OTHER_AGS = "05562032", "05562020"
AIR, PARKING, WASTE = "70b3d57ed0000001", "70b3d57ed0000002", "70b3d57ed0000003"
RADIO_GATEWAY = "0016c001f10000aa"
START = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
MOSQUITTO_MISSING = "Mosquitto is not installed: apt-get install mosquitto"


def inventory() -> Inventory:
    since = START - timedelta(days=30)
    return Inventory(
        owners=(
            Owner(
                ags=AGS,
                name="Recklinghausen",
                tenant_ids=(TENANT,),
                application_ids=(APPLICATION,),
            ),
            Owner(
                ags=OTHER_AGS,
                name="Herten",
                tenant_ids=(OTHER_TENANT,),
                application_ids=(APPLICATION,),
            ),
        ),
        assets=(
            Asset(asset="aq-0007", kind="air", ags=AGS, name="Rathaus", lon=7.19738, lat=51.61379),
            Asset(
                asset="ps-r12-03", kind="parking", ags=AGS, name="Bucht 3", lon=7.196, lat=51.614
            ),
            Asset(
                asset="wc-0113",
                kind="waste",
                ags=AGS,
                name="Glas 113",
                lon=7.0941,
                lat=51.6558,
                empty_mm=2000,
                full_mm=400,
            ),
        ),
        periods=(
            DevicePeriod(dev_eui=AIR, asset="aq-0007", since=since),
            DevicePeriod(dev_eui=PARKING, asset="ps-r12-03", since=since),
            DevicePeriod(dev_eui=WASTE, asset="wc-0113", since=since),
        ),
        radio_gateways=(
            RadioGateway(gateway_id=RADIO_GATEWAY, name="Rathaus", lon=7.197, lat=51.614),
        ),
    )


def write_inventory(folder: Path, content: Inventory | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in dump(content or inventory()).items():
        (folder / name).write_text(text, "utf-8")
    return folder


AIR_VALUES: dict[str, int | None] = {
    "pm1": 51,
    "pm25": 117,
    "pm4": 150,
    "pm10": 171,
    "temperature": 124,
    "humidity": 81,
    "pressure": 10130,
    "battery": 3600,
}


def air_payload(seq: int, **changes: int | None) -> bytes:
    return encode(10, {**AIR_VALUES, **changes, "seq": seq})


def diagnosis_payload(next_seq: int) -> bytes:
    return encode(1, {"seq": next_seq, "battery": 3600, "fw_minor": 1})


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def uplink(
    data: bytes,
    f_port: int = 10,
    f_cnt: int = 1,
    dev_eui: str = AIR,
    at: datetime = START,
    dev_addr: str = "00558158",
    **changes: Any,
) -> dict[str, Any]:
    """An `up` event as ChirpStack v4 writes it."""
    tags = changes.pop("tags", {"ags": AGS})
    event: dict[str, Any] = {
        "deduplicationId": str(uuid.UUID(int=f_cnt, version=4)),
        "time": stamp(at),
        "deviceInfo": {
            "tenantId": changes.pop("tenant", TENANT),
            "tenantName": "Kreis",
            "applicationId": APPLICATION,
            "applicationName": "district",
            "deviceProfileId": "fe26867c-9ede-48c7-a2c4-d6fec2b5108a",
            "deviceProfileName": "air",
            "deviceName": "air-01",
            "devEui": dev_eui,
            "deviceClassEnabled": "CLASS_A",
            "tags": tags,
        },
        "devAddr": dev_addr,
        "adr": True,
        "dr": 5,
        "fCnt": f_cnt,
        "fPort": f_port,
        "confirmed": False,
        "data": base64.b64encode(data).decode(),
        "rxInfo": [
            {
                "gatewayId": RADIO_GATEWAY,
                "uplinkId": 2,
                "gwTime": stamp(at),
                "nsTime": stamp(at + timedelta(milliseconds=200)),
                "rssi": -97,
                "snr": 7.25,
                "location": {"latitude": 51.614, "longitude": 7.197},
                "context": "AAAAAQ==",
                "crcStatus": "CRC_OK",
            }
        ],
        "txInfo": {
            "frequency": 868100000,
            "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 7}},
        },
        "regionConfigId": "eu868",
    }
    return {**event, **changes}


def topic(dev_eui: str = AIR, event: str = "up") -> str:
    return f"application/{APPLICATION}/device/{dev_eui}/event/{event}"


def to_bytes(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


# -- brokers and clients

BROKER_CONFIG = """
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 2000
max_segment_size = 268435456
max_segment_count = 10
[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 0
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = {payload_max}
    max_inflight_count = 1000
    dynamic_filters = true
"""


def broker(folder: Path, port: int | None = None, payload_max: int = 262144) -> Broker:
    """The embedded broker with MQTT 5, started; use it in a `with`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    path = folder / f"broker-{port}.toml"
    path.write_text(BROKER_CONFIG.format(port=port, payload_max=payload_max))
    return Broker(config_path=str(path))


class _Way(socketserver.BaseRequestHandler):
    to_port = 0

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.to_port)) as far:
            ends = {self.request: far, far: self.request}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65_536)
                    if not data:
                        return
                    ends[end].sendall(data)


@contextlib.contextmanager
def way(port: int, to_port: int) -> Iterator[None]:
    """Whoever connects to `port` reaches `to_port`: a broker can be there before it is reached."""
    handler = type("_Way", (_Way,), {"to_port": to_port})
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()


class Listener:
    """An independent subscriber: paho, not our own session. What it got from the gateway is as
    the feed's documents say, or its end fails."""

    def __init__(self, port: int, *topics: str, client_id: str = "") -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5
        )
        self._client.on_message = lambda _c, _u, m: self.messages.append(
            (m.topic, m.payload, m.retain)
        )
        self.subscribed = False
        self._client.on_subscribe = lambda *_: setattr(self, "subscribed", True)
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(name, 1) for name in topics])
        self._client.loop_start()
        wait_until(lambda: self.subscribed)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        feed_contract.check_all(self.messages)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(p) for name, p, _ in list(self.messages) if name.endswith("/" + kind)]


@contextlib.contextmanager
def listening(port: int, *topics: str) -> Iterator[Listener]:
    listener = Listener(port, *topics)
    try:
        yield listener
    finally:
        listener.close()


def publish(port: int, messages: list[tuple[str, bytes]], qos: int = 1) -> None:
    """Publish all and wait until the broker has them."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(500)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(name, payload, qos=qos) for name, payload in messages]
    for info in sent:
        info.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def persistent_session(port: int, client_id: str, name: str, expiry_s: int = 3600) -> None:
    """Subscribe once, so that the broker queues for client_id from now on."""
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = expiry_s
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    done: list[int] = []
    client.on_subscribe = lambda *_: done.append(1)
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.subscribe(name, 1)
    client.loop_start()
    wait_until(lambda: bool(done))
    client.disconnect()
    client.loop_stop()


def wait_until(condition: Any, timeout_s: float = 15.0, what: str = "") -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {what or condition}"
        time.sleep(0.01)


def gateway_toml(folder: Path, source_port: int, feed_port: int, **more: Any) -> Path:
    """A configuration file in folder, with its inventory beside it."""
    write_inventory(folder / "inventory")
    console = more.get("console", "enabled = false")
    text = f"""
[gateway]
id = "test"
data_dir = "data"
[source]
host = "127.0.0.1"
port = {source_port}
{more.get("source", "")}
[feed]
host = "127.0.0.1"
port = {feed_port}
{more.get("feed", "")}
[inventory]
dir = "inventory"
[console]
{console}
"""
    path = folder / "gateway.toml"
    path.write_text(text)
    return path


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True
