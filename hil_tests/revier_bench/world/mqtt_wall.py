# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The wall of real MQTT between the world's radio gateways and a network server.

One MQTT connection per radio gateway, as in life: each has its own last will. Behind the wall
stands the bench's network server (virtual clock: `step`) or a real ChirpStack (wall clock:
`take_downlinks`); only the configuration says which.

All sockets are pumped by the caller's thread: the world stands still while it waits.
"""

import contextlib
import json
import select
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from chirpstack_api import gw
from google.protobuf.message import DecodeError
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from revier_bench.mqtt_client import PromptClient

STEP_TOPIC = "revier-bench/step"
FINISHED_TOPIC = "revier-bench/step/finished"
KEEP_ALIVE_S = 60
MISC_INTERVAL_S = 1.0
STEP_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10.0
DOWNLINKS_WAITING_MAX = 1000
DOWNLINKS_KNOWN_MAX = 10_000


class WallError(Exception):
    """The MQTT side did not do its part; the message says what to look at."""


class WallTimeoutError(WallError):
    """The network server did not finish a step in time."""


@dataclass(slots=True)
class StepInput:
    """What the radio gateways heard and answered since the last step."""

    uplinks: list[tuple[str, gw.UplinkFrame]] = field(default_factory=list)
    acks: list[tuple[str, gw.DownlinkTxAck]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.uplinks or self.acks)


class _Link:
    """One MQTT 5 connection, driven from outside."""

    def __init__(self, client_id: str, host: str, port: int) -> None:
        self.client_id = client_id
        self.client = PromptClient(client_id)
        self.client.max_inflight_messages_set(0)
        self.client.max_queued_messages_set(0)
        self.connected = False
        self.subscribed = False
        self.refusal: str | None = None
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = self._on_subscribe
        self._host, self._port = host, port

    def open(self) -> None:
        try:
            self.client.connect(self._host, self._port, keepalive=KEEP_ALIVE_S)
        except OSError as error:
            raise WallError(
                f"no MQTT broker at {self._host}:{self._port} ({error}): start it, or mend --mqtt"
            ) from error

    def _on_connect(
        self, _client: Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        self.connected = not code.is_failure
        self.refusal = str(code) if code.is_failure else None

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        self.connected = False
        self.refusal = str(code)

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, codes: list[ReasonCode], _props: object
    ) -> None:
        self.subscribed = not any(code.is_failure for code in codes)
        if not self.subscribed:
            self.refusal = ", ".join(str(code) for code in codes)

    def turn(self, readable: bool, writable: bool) -> None:
        """One round of I/O; raises WallError when the connection is gone."""
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if readable:
            code = self.client.loop_read()
        if writable and code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            code = self.client.loop_write()
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or self.client.socket() is None:
            why = self.refusal or code.name
            raise WallError(f"MQTT connection {self.client_id} lost ({why}): see the broker's log")


class MqttWall:
    """Radio gateways on the near side, MQTT on the far side."""

    def __init__(
        self,
        host: str,
        port: int,
        gateway_ids: list[str],
        *,
        topic_prefix: str = "eu868",
        stepped: bool = True,
        step_timeout_s: float = STEP_TIMEOUT_S,
    ) -> None:
        self._prefix = topic_prefix
        self._stepped = stepped
        self._step_timeout_s = step_timeout_s
        self._links = {
            gateway_id: _Link(f"revier-radio-gateway-{gateway_id}", host, port)
            for gateway_id in gateway_ids
        }
        self._control = _Link("revier-bench-world", host, port) if stepped else None
        self._downlinks: dict[tuple[str, int], gw.DownlinkFrame] = {}
        self._arrived: deque[tuple[str, int]] = deque()
        self._known: dict[tuple[str, int], None] = {}  # the newest ids, oldest first
        self._finished: dict[int, list[tuple[str, int]]] = {}
        self._step = 0
        self._misc_at_s = 0.0
        self.steps = 0
        self.published = 0
        self.undecodable = 0

    @property
    def is_stepped(self) -> bool:
        return self._stepped

    # --- connection ----------------------------------------------------------------------

    def open(self) -> None:
        """Connect, subscribe and announce every radio gateway. Raises WallError."""
        for gateway_id, link in self._links.items():
            offline = gw.ConnState(gateway_id=gateway_id, state=gw.ConnState.OFFLINE)
            link.client.will_set(
                self._topic(gateway_id, "state/conn"), offline.SerializeToString(), 1, retain=True
            )
            link.client.on_message = self._on_command
            link.open()
        if self._control is not None:
            self._control.client.on_message = self._on_finished
            self._control.open()
        self._pump_until(lambda: all(link.connected for link in self._all()), "CONNACK")
        for gateway_id, link in self._links.items():
            link.client.subscribe(self._topic(gateway_id, "command/down"), qos=1)
        if self._control is not None:
            self._control.client.subscribe(FINISHED_TOPIC, qos=1)
        self._pump_until(lambda: all(link.subscribed for link in self._all()), "SUBACK")
        for gateway_id in self._links:
            self._announce(gateway_id, gw.ConnState.ONLINE)
        self.pump(0.0)

    def close(self) -> None:
        """Say goodbye in order: a clean DISCONNECT keeps the broker from sending the will."""
        for gateway_id, link in self._links.items():
            if link.connected:
                self._announce(gateway_id, gw.ConnState.OFFLINE)
        with contextlib.suppress(WallError):
            self._pump_until(lambda: not any(link.client.want_write() for link in self._all()), "")
        for link in self._all():
            link.client.disconnect(properties=Properties(PacketTypes.DISCONNECT))  # type: ignore[no-untyped-call]

    def _all(self) -> list[_Link]:
        return [*self._links.values(), *([self._control] if self._control else [])]

    def _topic(self, gateway_id: str, rest: str) -> str:
        return f"{self._prefix}/gateway/{gateway_id}/{rest}"

    def _announce(self, gateway_id: str, state: Any) -> None:
        message = gw.ConnState(gateway_id=gateway_id, state=state)
        self._publish(gateway_id, "state/conn", message.SerializeToString(), retain=True)

    # --- radio gateways to network server ---------------------------------------------------

    def publish_stats(self, gateway_id: str, stats: gw.GatewayStats) -> None:
        self._publish(gateway_id, "event/stats", stats.SerializeToString())

    def publish(self, given: StepInput) -> None:
        """Hand everything over; at wall speed this is all there is to do."""
        for gateway_id, uplink in given.uplinks:
            self._publish(gateway_id, "event/up", uplink.SerializeToString())
        for gateway_id, ack in given.acks:
            self._publish(gateway_id, "event/ack", ack.SerializeToString())

    def step(self, given: StepInput, now_unix_us: int) -> list[tuple[str, gw.DownlinkFrame]]:
        """Hand over, stand still until the network server is done, bring its downlinks back.

        Raises WallTimeoutError when it does not answer.
        """
        assert self._control is not None, "a wall at wall speed has no steps"
        self.publish(given)
        self._step += 1
        self.steps += 1
        step = {
            "step": self._step,
            "now_us": now_unix_us,
            "uplinks": [[g, frame.rx_info.uplink_id] for g, frame in given.uplinks],
            "acks": [[g, ack.downlink_id] for g, ack in given.acks],
        }
        self._control.client.publish(STEP_TOPIC, json.dumps(step), qos=1)
        number = self._step
        what = f"step {number} by the network server"
        self._pump_until(lambda: self._is_complete(number), what)
        keys = self._finished.pop(number)
        self._arrived.clear()
        return [(key[0], self._downlinks.pop(key)) for key in keys]

    def _is_complete(self, number: int) -> bool:
        keys = self._finished.get(number)
        return keys is not None and all(key in self._downlinks for key in keys)

    def take_downlinks(self) -> list[tuple[str, gw.DownlinkFrame]]:
        """At wall speed: what arrived since the last call; does not wait."""
        self.pump(0.0)
        taken = [(key[0], self._downlinks.pop(key)) for key in self._arrived]
        self._arrived.clear()
        return taken

    def _publish(self, gateway_id: str, rest: str, payload: bytes, retain: bool = False) -> None:
        self.published += 1
        client = self._links[gateway_id].client
        client.publish(self._topic(gateway_id, rest), payload, qos=1, retain=retain)

    # --- network server to radio gateways ---------------------------------------------------

    def _on_command(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        gateway_id = message.topic.split("/")[-3]
        frame = gw.DownlinkFrame()
        try:
            frame.ParseFromString(message.payload)
        except DecodeError:
            self.undecodable += 1
            return
        key = (gateway_id, frame.downlink_id)
        if len(self._downlinks) >= DOWNLINKS_WAITING_MAX:
            raise WallError(f"{DOWNLINKS_WAITING_MAX} downlinks wait: nobody takes them")
        if key in self._known:  # QoS 1 may bring one twice, the second when the first is taken
            return
        self._known[key] = None
        if len(self._known) > DOWNLINKS_KNOWN_MAX:
            del self._known[next(iter(self._known))]
        self._downlinks[key] = frame
        self._arrived.append(key)

    def _on_finished(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        finished = json.loads(message.payload)
        self._finished[finished["step"]] = [(g, d) for g, d in finished["downlinks"]]

    # --- I/O -------------------------------------------------------------------------------

    def pump(self, timeout_s: float) -> None:
        """One round of I/O on all connections; waits up to `timeout_s` for something to read."""
        by_socket = {}
        writers = []
        for link in self._all():
            connection = link.client.socket()
            if connection is None:
                link.turn(readable=False, writable=False)
                continue
            by_socket[connection] = link
            if link.client.want_write():
                writers.append(connection)
        readable, writable, _ = select.select(list(by_socket), writers, [], timeout_s)
        for connection, link in by_socket.items():
            if connection in readable or connection in writable:
                link.turn(connection in readable, connection in writable)
        if time.monotonic() >= self._misc_at_s:
            self._misc_at_s = time.monotonic() + MISC_INTERVAL_S
            for link in self._all():
                link.client.loop_misc()

    def _pump_until(self, done: Any, what: str) -> None:
        waits = self._step_timeout_s if self._stepped else CONNECT_TIMEOUT_S
        deadline_s = time.monotonic() + waits
        while not done():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise WallTimeoutError(f"no {what} within {waits:.0f} s: is it running?")
            self.pump(min(left_s, MISC_INTERVAL_S))
