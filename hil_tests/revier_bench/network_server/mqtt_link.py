# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One MQTT 5 connection, pumped by the caller's thread; it comes back by itself."""

import contextlib
import select
import time
from collections.abc import Callable

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from revier_bench.mqtt_client import PromptClient

KEEP_ALIVE_S = 30
MISC_INTERVAL_S = 1.0
RECONNECT_S = 1.0


class MqttLink:
    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        subscriptions: list[str],
        on_message: Callable[[MQTTMessage], None],
    ) -> None:
        self._host, self._port = host, port
        self._subscriptions = [(topic, 1) for topic in subscriptions]
        self.is_ready = False
        self.refusal = ""
        self._misc_at_s = 0.0
        self._retry_at_s = 0.0
        self.client = PromptClient(client_id)
        self.client.max_inflight_messages_set(0)
        self.client.max_queued_messages_set(0)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = lambda _client, _data, message: on_message(message)

    def _on_connect(
        self, client: Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        self.refusal = str(code) if code.is_failure else ""
        if not code.is_failure:
            client.subscribe(self._subscriptions)

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        self.is_ready = False
        self.refusal = str(code)

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, codes: list[ReasonCode], _props: object
    ) -> None:
        self.is_ready = not any(code.is_failure for code in codes)
        if not self.is_ready:
            self.refusal = ", ".join(str(code) for code in codes)

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool = False
    ) -> MQTTMessageInfo:
        return self.client.publish(topic, payload, qos, retain)

    def pump(self, timeout_s: float) -> None:
        """One round of reading and writing; waits up to `timeout_s` for something to read."""
        connection = self.client.socket()
        if connection is None:
            self._reconnect(timeout_s)
            return
        writers = [connection] if self.client.want_write() else []
        readable, writable, _ = select.select([connection], writers, [], max(0.0, timeout_s))
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if readable:
            code = self.client.loop_read()
        if writable and code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.client.loop_write()
        if time.monotonic() >= self._misc_at_s:
            self._misc_at_s = time.monotonic() + MISC_INTERVAL_S
            self.client.loop_misc()

    def _reconnect(self, timeout_s: float) -> None:
        if time.monotonic() < self._retry_at_s:
            time.sleep(min(timeout_s, RECONNECT_S / 4))
            return
        self._retry_at_s = time.monotonic() + RECONNECT_S
        self.is_ready = False
        with contextlib.suppress(OSError):
            self.client.connect(self._host, self._port, keepalive=KEEP_ALIVE_S)

    def close(self) -> None:
        self.client.disconnect()
        with contextlib.suppress(OSError, ValueError):
            self.client.loop_write()
