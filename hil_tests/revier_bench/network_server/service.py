# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The network server as a process: the core between MQTT and gRPC, one clock."""

import json
import logging
import os
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from chirpstack_api import gw
from google.protobuf.message import DecodeError
from paho.mqtt.client import MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode

from revier_bench.network_server.api import server as grpc_server
from revier_bench.network_server.api.backend import Backend
from revier_bench.network_server.auth import ADMIN_KEY_ID, admin_token, secret_of_seed
from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import (
    DownCommand,
    GatewayAck,
    GatewayStats,
    GatewayUp,
    NetworkServer,
)
from revier_bench.network_server.events import Event
from revier_bench.network_server.faults import EventFaults, FaultError, Faults, parse
from revier_bench.network_server.mqtt_link import MqttLink
from revier_bench.network_server.options import Options
from revier_bench.network_server.registry import ApiKey, Registry
from revier_bench.network_server.state import Downlink, FrameLog, Output, Settings
from revier_bench.network_server.times import NS_PER_S, NS_PER_US

STEP_TOPIC = "revier-bench/step"
FINISHED_TOPIC = "revier-bench/step/finished"
FAULT_TOPIC = "revier-bench/fault"
STATE_TOPIC = "revier-bench/network-server/state"
SUBSCRIPTIONS = [
    "eu868/gateway/+/event/+",
    "application/+/device/+/command/+",
    STEP_TOPIC,
    FAULT_TOPIC,
]
IDLE_S = 0.2
PUBACK_TIMEOUT_S = 20.0
UNCLAIMED_MAX = 10_000  # gateway messages that no step has named yet

log = logging.getLogger("revier_bench.network_server")
Key = tuple[str, int]


@dataclass(slots=True)
class PendingStep:
    number: int
    now_us: int
    uplinks: list[Key]
    acks: list[Key]

    @classmethod
    def parse(cls, payload: bytes) -> "PendingStep":
        given = json.loads(payload)
        return cls(
            int(given["step"]),
            int(given["now_us"]),
            [(str(g), int(i)) for g, i in given["uplinks"]],
            [(str(g), int(i)) for g, i in given["acks"]],
        )


@dataclass(slots=True)
class Service:
    options: Options
    backend: Backend = field(init=False)
    faults: EventFaults = field(init=False)
    link: MqttLink = field(init=False)
    grpc_port: int = 0
    is_stopping: bool = False
    _virtual_now_ns: int | None = None
    _inbox: deque[MQTTMessage] = field(default_factory=deque)
    _uplinks: dict[Key, bytes] = field(default_factory=dict)
    _acks: dict[Key, bytes] = field(default_factory=dict)
    _steps: deque[PendingStep] = field(default_factory=deque)
    _finished: tuple[int, bytes] | None = None
    _was_ready: bool = False

    def __post_init__(self) -> None:
        options = self.options
        chance = SeededChance(options.seed)
        settings = Settings(0, 0) if options.virtual_clock else Settings()
        server = NetworkServer(Registry(), chance, settings)
        server.registry.api_keys[ADMIN_KEY_ID] = ApiKey(ADMIN_KEY_ID, "bench", is_admin=True)
        secret = options.api_secret or secret_of_seed(options.seed)
        self.backend = Backend(server, secret, self.now_ns)
        self.backend.logs.history = options.event_history
        self.backend.gateway_authority = options.gateway_authority
        source = random.Random(f"{options.seed}:network-server:faults")  # noqa: S311
        self.faults = EventFaults(chance, source, options.faults)
        self.link = MqttLink(
            options.mqtt_host,
            options.mqtt_port,
            "revier-network-server",
            SUBSCRIPTIONS,
            self._inbox.append,
        )
        offline = json.dumps({"state": "offline"}).encode()
        self.link.client.will_set(STATE_TOPIC, offline, 1, retain=True)

    @property
    def server(self) -> NetworkServer:
        return self.backend.server

    @property
    def api_token(self) -> str:
        return admin_token(self.backend.secret)

    def now_ns(self) -> int:
        """The world's time; before its first step, and without a world, the wall's."""
        return time.time_ns() if self._virtual_now_ns is None else self._virtual_now_ns

    # --- life -------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until `is_stopping`. OSError: the gRPC port is taken."""
        grpc, self.grpc_port = grpc_server.start(
            self.backend, self.options.grpc_host, self.options.grpc_port
        )
        parent = os.getppid()
        log.info("gRPC on %s:%d", self.options.grpc_host, self.grpc_port)
        try:
            while not self.is_stopping:
                self._turn()
                if self.options.with_parent and os.getppid() != parent:
                    log.warning("the process that started this one is gone")
                    self.is_stopping = True
        finally:
            self._publish_events(self.faults.release())
            self._say_state("offline")
            self._await_pubacks([])
            self.link.close()
            grpc_server.stop(grpc, self.backend)

    def _turn(self) -> None:
        with self.backend.lock:
            deadline_ns = None if self.options.virtual_clock else self.server.deadline_ns()
        wait_s = IDLE_S
        if deadline_ns is not None:
            wait_s = min(IDLE_S, max(0, deadline_ns - time.time_ns()) / NS_PER_S)
        self.link.pump(0.0 if self._inbox else wait_s)
        if self.link.is_ready != self._was_ready:
            self._was_ready = self.link.is_ready
            self._on_ready_changed()
        while self._inbox:
            self._receive(self._inbox.popleft())
        while self._steps and self._is_complete(self._steps[0]):
            self._take_step(self._steps.popleft())
        if not self.options.virtual_clock:
            with self.backend.lock:
                now_ns = self.now_ns()
                outputs = self.server.elapse(now_ns)
            self._emit(outputs)

    def _on_ready_changed(self) -> None:
        if self.link.is_ready:
            log.info("connected to MQTT %s:%d", self.options.mqtt_host, self.options.mqtt_port)
            self._write_token()
            self._say_state("ready")
        else:
            log.warning("MQTT connection lost: %s", self.link.refusal)

    def _write_token(self) -> None:
        """Whole or not at all, for its owner only; its presence says: MQTT and gRPC are served."""
        target = self.options.api_token_file
        if target is None:
            return
        fresh = target.with_name(f".{target.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.touch(0o600)
        fresh.write_text(self.api_token)
        fresh.replace(target)

    def _say_state(self, state: str) -> None:
        message = {"state": state, "grpc_port": self.grpc_port}
        self.link.publish(STATE_TOPIC, json.dumps(message).encode(), 1, retain=True)

    # --- in ---------------------------------------------------------------------------------

    def _receive(self, message: MQTTMessage) -> None:
        parts, payload = message.topic.split("/"), bytes(message.payload)
        if message.topic == STEP_TOPIC:
            self._on_step(payload)
        elif message.topic == FAULT_TOPIC:
            self._on_fault(payload)
        elif parts[0] == "application" and parts[-1] == "down" and len(parts) == 6:
            command = DownCommand(parts[1], parts[3], payload, self.options.as_json)
            self._handle(command)
        elif parts[0] == "eu868" and len(parts) == 5:
            self._on_gateway(parts[4], payload)

    def _on_gateway(self, kind: str, payload: bytes) -> None:
        virtual = self.options.virtual_clock
        if kind == "stats":
            self._handle(GatewayStats(payload))
        elif kind == "up" and not virtual:
            self._handle(GatewayUp(payload))
        elif kind == "ack" and not virtual:
            self._handle(GatewayAck(payload))
        elif kind in ("up", "ack"):
            self._hold(kind, payload)

    def _hold(self, kind: str, payload: bytes) -> None:
        """Keep it until a step names it."""
        held = self._uplinks if kind == "up" else self._acks
        message: Any = gw.UplinkFrame() if kind == "up" else gw.DownlinkTxAck()
        try:
            message.ParseFromString(payload)
        except DecodeError:
            self.server.refused["not the protobuf message of its topic"] += 1
            return
        if kind == "up":
            key = (message.rx_info.gateway_id, message.rx_info.uplink_id)
        else:
            key = (message.gateway_id, message.downlink_id)
        if len(held) >= UNCLAIMED_MAX:
            del held[next(iter(held))]
        held[key] = payload

    def _handle(self, step: GatewayUp | GatewayAck | GatewayStats | DownCommand) -> None:
        with self.backend.lock:
            outputs = self.server.handle(step, self.now_ns())
        self._emit(outputs)

    def _on_fault(self, payload: bytes) -> None:
        try:
            self.faults.set(parse(payload, self.faults.faults))
        except FaultError as error:
            log.warning("%s", error)
            return
        log.info("faults: %s", self.faults.faults)
        if self.faults.faults == Faults():
            self._publish_events(self.faults.release())

    # --- steps of the virtual clock ---------------------------------------------------------

    def _on_step(self, payload: bytes) -> None:
        try:
            step = PendingStep.parse(payload)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("not a step: %r (%s)", payload[:200], error)
            return
        if self._finished is not None and self._finished[0] == step.number:
            self.link.publish(FINISHED_TOPIC, self._finished[1], 1)  # asked again: same answer
            return
        self._steps.append(step)

    def _is_complete(self, step: PendingStep) -> bool:
        return all(k in self._uplinks for k in step.uplinks) and all(
            k in self._acks for k in step.acks
        )

    def _take_step(self, step: PendingStep) -> None:
        with self.backend.lock:
            self._virtual_now_ns = now_ns = step.now_us * NS_PER_US
            outputs: list[Output] = []
            for key in step.acks:
                outputs += self.server.handle(GatewayAck(self._acks.pop(key)), now_ns)
            for key in step.uplinks:
                outputs += self.server.handle(GatewayUp(self._uplinks.pop(key)), now_ns)
            outputs += self.server.elapse(now_ns)
        self._await_pubacks(self._emit(outputs))
        sent = [o.frame for o in outputs if isinstance(o, Downlink)]
        finished = {
            "step": step.number,
            "downlinks": [[f.gateway_id, f.downlink_id] for f in sent],
        }
        answer = json.dumps(finished).encode()
        self._finished = (step.number, answer)
        self.link.publish(FINISHED_TOPIC, answer, 1)

    def _await_pubacks(self, infos: list[MQTTMessageInfo]) -> None:
        deadline_s = time.monotonic() + PUBACK_TIMEOUT_S
        while self.link.client.want_write() or not all(map(_is_settled, infos)):
            if time.monotonic() > deadline_s or (not infos and not self.link.is_ready):
                log.warning("no PUBACK within %.0f s", PUBACK_TIMEOUT_S)
                return
            self.link.pump(IDLE_S)

    # --- out --------------------------------------------------------------------------------

    def _emit(self, outputs: list[Output]) -> list[MQTTMessageInfo]:
        """Log all, publish what is for MQTT: downlinks first, they are in a hurry."""
        now_ns = self.now_ns()
        events: list[Event] = []
        infos: list[MQTTMessageInfo] = []
        for output in outputs:
            if isinstance(output, Downlink):
                infos.append(self.link.publish(output.topic, output.frame.SerializeToString(), 1))
            elif isinstance(output, FrameLog):
                self.backend.logs.add_frame(output, now_ns)
            else:
                self.backend.logs.add_event(output, now_ns)
                events.append(output)
        return [*infos, *self._publish_events(self.faults.through(events))] if events else infos

    def _publish_events(self, events: list[Event]) -> list[MQTTMessageInfo]:
        fault_qos = self.faults.faults.qos
        qos = self.options.qos if fault_qos is None else fault_qos
        return [
            self.link.publish(e.topic, e.payload(as_json=self.options.as_json), qos) for e in events
        ]


def _is_settled(info: MQTTMessageInfo) -> bool:
    """Acknowledged, or handed to paho while there was no connection: it keeps QoS 1 for later."""
    return info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or info.is_published()
