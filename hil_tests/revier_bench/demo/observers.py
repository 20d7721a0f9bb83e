# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An independent count of what passes: events of the network server, messages of the feed."""

import json
import threading
from collections import deque
from typing import Any

from paho.mqtt.client import Client, MQTTMessage

from revier_bench.mqtt_client import PromptClient

EVENTS = "application/+/device/+/event/+"
FEED = "revier/v1/#"
CONNECT_S_MAX = 10.0
LINES_MAX = 30


class Observer:
    """Subscribes at one broker and counts; keeps the newest state of each asset and a few lines."""

    def __init__(self, host: str, port: int, topic: str, name: str) -> None:
        self.count = 0
        self.newest: dict[str, dict[str, Any]] = {}
        self.gateway_status: dict[str, Any] = {}
        self.lines: deque[str] = deque(maxlen=LINES_MAX)
        self._topic = topic
        self._ready = threading.Event()
        self._client = PromptClient(f"revier-demo-observer-{name}")
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.connect(host, port)
        self._client.loop_start()
        if not self._ready.wait(CONNECT_S_MAX):
            self.stop()
            raise TimeoutError(f"no SUBACK for {topic} from {host}:{port}")

    @property
    def gateway_bridges(self) -> bool:
        """The gateway says that both its links stand: from now on it loses nothing."""
        status = self.gateway_status
        return status.get("status") == "online" and status.get("source") == "online"

    def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.count += 1
        kind = message.topic.rsplit("/", 1)[-1]
        if kind == "status" and message.payload:
            self.gateway_status = json.loads(message.payload)
        if kind == "state" and message.payload:
            asset = message.topic.split("/")[-2]
            self.newest[asset] = json.loads(message.payload)
        if kind == "obs":
            self.lines.append(line_of(message.topic, json.loads(message.payload)))


def line_of(topic: str, observation: dict[str, Any]) -> str:
    """One message for people: time, topic, its values."""
    values = "  ".join(
        f"{name} {value_text(value)}"
        for name, value in observation.get("m", {}).items()
        if value.get("v") is not None
    )
    return f"{observation.get('t', '')[11:19]}  {topic}  {values}"


def value_text(value: dict[str, Any]) -> str:
    """`11.8 ug/m3`, `63 %`, `yes`."""
    v, unit = value.get("v"), value.get("u", "")
    if v is None:
        return "–"
    if isinstance(v, bool):
        return "yes" if v else "no"
    if unit == "1":
        unit = ""
    number = f"{v:g}" if isinstance(v, int | float) else str(v)
    return f"{number} {unit}".strip()
