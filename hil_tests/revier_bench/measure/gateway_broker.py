# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The broker of the gateway's measurements, and a backlog that waits at it.

Mosquitto where it is installed, with limits that hold a backlog back from nobody; else the embedded
one, which is itself slower than the gateway.
"""

from __future__ import annotations

import getpass
import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import mqtt5
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from revier_bench.mosquitto import programs, version

RECEIVE_MAX = 2_000
UNANSWERED_MAX = 500  # of a backlog's events
ANSWER_S = 120.0
REFUSED = 0x80
KEEP_ALIVE_S = 600  # rumqttd takes nobody without
FILTER = "application/+/device/+/event/+"
MOSQUITTO_CONF = """
listener {port} 127.0.0.1
allow_anonymous true
persistence {persistence}
persistence_location {folder}/
user {user}
autosave_interval 1800
max_queued_messages 0
max_inflight_messages 2000
set_tcp_nodelay true
log_type error
"""


def mosquitto_path() -> str | None:
    """The first that can be run."""
    return next((found for one in programs() if (found := shutil.which(one))), None)


def broker_name() -> str:
    path = mosquitto_path()
    if path is None:
        return "iotcore (rumqttd; itself below 25,000/s)"
    return f"mosquitto version {version(path)}"


def broker(folder: Path, port: int, *, persistent: bool = False) -> AbstractContextManager[Any]:
    """A broker on 127.0.0.1:port, gone at the end; a persistent one keeps its sessions in the
    folder. RuntimeError where that is asked of the embedded one."""
    mosquitto = mosquitto_path()
    if mosquitto is None:
        if persistent:
            raise RuntimeError("the embedded broker keeps nothing: apt-get install mosquitto")
        from revier_bench.broker import start_broker

        return start_broker(folder, port)
    conf = folder / f"mosquitto-{port}.conf"
    persistence = "true" if persistent else "false"
    # Started by root it would become another user, who cannot write here.
    text = MOSQUITTO_CONF.format(
        port=port, persistence=persistence, folder=folder, user=getpass.getuser()
    )
    conf.write_text(text, "utf-8")
    return _Process([mosquitto, "-c", str(conf)], port)


class _Process(AbstractContextManager["_Process"]):
    def __init__(self, command: list[str], port: int) -> None:
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
            except OSError:
                if time.monotonic() > deadline_s:
                    self._process.kill()
                    raise
                time.sleep(0.02)
            else:
                return

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def client(client_id: str, expiry_s: int = 0) -> tuple[paho.Client, Properties]:
    made = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    made.max_queued_messages_set(0)
    made.max_inflight_messages_set(1000)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    if expiry_s:
        properties.SessionExpiryInterval = expiry_s
        properties.ReceiveMaximum = RECEIVE_MAX
    return made, properties


def backlog(port: int, client_id: str, events: Iterable[tuple[str, bytes]]) -> None:
    """Leave a persistent subscription behind, then publish for it. Events: topic and payload."""
    subscriber, properties = client(client_id, expiry_s=3600)
    subscribed: list[bool] = []
    subscriber.on_subscribe = lambda *_: subscribed.append(True)
    subscriber.connect("127.0.0.1", port, clean_start=False, properties=properties)
    subscriber.subscribe(FILTER, 1)
    loop_until(subscriber, lambda: bool(subscribed))
    subscriber.disconnect()
    publish(port, events)


def publish(port: int, events: Iterable[tuple[str, bytes]]) -> None:
    """Returns when the broker has all of them. With QoS 1, as ChirpStack does; in a tenth of the
    time that paho takes: a measurement is not to consist of its preparation."""
    left = iter(events)
    with socket.create_connection(("127.0.0.1", port), ANSWER_S) as connection:
        hello = mqtt5.ConnectPacket("backlog", clean_start=True, keep_alive=KEEP_ALIVE_S)
        connection.sendall(hello.write())
        answers = _Answers(connection)
        greeting = answers.next()
        assert isinstance(greeting, mqtt5.ConnAckPacket), greeting
        window = min(UNANSWERED_MAX, greeting.receive_max)
        while chunk := list(itertools.islice(left, window)):
            connection.sendall(b"".join([_packet(n, *event) for n, event in enumerate(chunk, 1)]))
            for _ in chunk:
                answer = answers.next()
                assert isinstance(answer, mqtt5.PubAckPacket), answer
                assert int(answer.reason_code) < REFUSED, answer
        connection.sendall(mqtt5.DisconnectPacket().write())


def _packet(packet_id: int, topic: str, payload: bytes) -> bytes:
    qos = mqtt5.QoS.AT_LEAST_ONCE
    return mqtt5.PublishPacket(topic, payload, qos=qos, packet_id=packet_id).write()


class _Answers:
    """What the broker says, packet by packet."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = b""

    def next(self) -> mqtt5.Packet:
        while True:
            try:
                packet, length = mqtt5.read(memoryview(self._data))
            except IndexError:  # the rest is on its way
                data = self._connection.recv(65_536)
                if not data:
                    raise ConnectionError("the broker closed the connection") from None
                self._data += data
            else:
                self._data = self._data[length:]
                return packet


def loop_until(client: paho.Client, condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        client.loop(0.05)
        if time.monotonic() > deadline_s:
            raise TimeoutError("the relay did not finish")
