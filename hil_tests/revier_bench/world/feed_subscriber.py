# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""An independent listener on the feed: paho, not the gateway's own MQTT code."""

from __future__ import annotations

import json
import threading
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from revier_bench.mqtt_client import PromptClient

SESSION_EXPIRY_S = 3600
CONNECT_TIMEOUT_S = 10.0
MESSAGES_MAX = 2_000_000


class FeedSubscriber:
    """Collects every message of `kind` below `root` from `start` until `stop`."""

    def __init__(self, host: str, port: int, root: str = "revier/v1", kind: str = "obs") -> None:
        self._filter = f"{root}/+/+/+/{kind}"
        self._host, self._port = host, port
        self._client = PromptClient(f"revier-bench-checker-{kind}")
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._subscribed = threading.Event()
        self._lock = threading.Lock()
        self._messages: list[dict[str, Any]] = []
        self.undecodable = 0

    def start(self) -> None:
        """Returns when the subscription stands; raises TimeoutError or OSError otherwise."""
        expiry = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        expiry.SessionExpiryInterval = SESSION_EXPIRY_S
        self._client.connect(
            self._host, self._port, keepalive=60, clean_start=False, properties=expiry
        )
        self._client.loop_start()
        if not self._subscribed.wait(CONNECT_TIMEOUT_S):
            self.stop()
            raise TimeoutError(f"no SUBACK for {self._filter} from {self._host}:{self._port}")

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def count(self) -> int:
        return len(self._messages)

    def messages(self) -> list[dict[str, Any]]:
        """All so far, in order of arrival, repeats included."""
        with self._lock:
            return list(self._messages)

    def _on_connect(self, client: Client, *_rest: object) -> None:
        client.subscribe(self._filter, qos=1)

    def _on_subscribe(self, *_rest: object) -> None:
        self._subscribed.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            observation = json.loads(message.payload)
        except ValueError:
            observation = None
        if not isinstance(observation, dict) or len(self._messages) >= MESSAGES_MAX:
            self.undecodable += 1
            return
        with self._lock:
            self._messages.append(observation)
