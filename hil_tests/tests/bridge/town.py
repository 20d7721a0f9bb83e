# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A small town: broker, network server, one radio gateway, devices; and revier-gateway beside it.

Frames go into the network server directly, so that they are heard while its broker is dead.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chirpstack_api import common, gw
from gateway.tests import support
from hil_tests.tests.network_server.simple_device import SimpleDevice, heard, transmitted
from paho.mqtt.client import MQTTMessage

from revier_bench.mqtt_client import PromptClient
from revier_bench.network_server.core import GatewayAck, GatewayUp
from revier_bench.network_server.faults import parse
from revier_bench.network_server.options import Options
from revier_bench.network_server.registry import (
    Application,
    Device,
    DeviceKeys,
    DeviceProfile,
    Gateway,
    Registry,
    Tenant,
)
from revier_bench.network_server.service import Service

TOKEN_ENV = "REVIER_CHIRPSTACK_TOKEN"
PROFILE = "00000000-0000-4000-8000-00000000000a"
SETTLE_S = 1.0


class Town:
    def __init__(self, source_port: int, **options: Any) -> None:
        self.service = Service(Options(mqtt_port=source_port, seed="town", **options))
        _register(self.service.server.registry)
        self.downlinks: list[gw.DownlinkFrame] = []
        self.answers = True  # the radio gateway transmits what it is given
        self._heard = 0
        self._client = PromptClient("town-radio-gateway")
        self._client.on_message = self._on_downlink
        self._client.on_connect = lambda client, *_: client.subscribe(
            "eu868/gateway/+/command/down", 1
        )
        self._client.connect("127.0.0.1", source_port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self.service.run, name="network-server")
        self._thread.start()
        support.wait_until(lambda: self.service.link.is_ready)

    def _on_downlink(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        frame = gw.DownlinkFrame.FromString(message.payload)
        self.downlinks.append(frame)
        if self.answers:
            self.transmit(frame)

    def transmit(self, frame: gw.DownlinkFrame, *statuses: int) -> None:
        ack = transmitted(frame, *statuses)
        self.service._handle(GatewayAck(ack.SerializeToString()))

    def close(self) -> None:
        self.service.is_stopping = True
        self._thread.join(10)
        self._client.disconnect()
        self._client.loop_stop()

    def device(self, dev_eui: str = support.AIR) -> SimpleDevice:
        """Joined."""
        device = SimpleDevice(bytes.fromhex(dev_eui), bytes.fromhex(dev_eui) * 2)
        rows = self.service.server.registry
        rows.devices[dev_eui] = Device(dev_eui, "node", support.APPLICATION, PROFILE)
        rows.keys[dev_eui] = DeviceKeys(dev_eui, device.app_key)
        self.join(device)
        return device

    def join(self, device: SimpleDevice) -> None:
        before = len(self.downlinks)
        self.hear(device.join_request())
        support.wait_until(lambda: len(self.downlinks) > before, what="join-accept")
        device.take_join_accept(self.downlinks[-1].items[0].phy_payload)

    def hear(self, phy_payload: bytes) -> None:
        self._heard += 1
        frame = heard(phy_payload, time.time_ns(), uplink_id=self._heard)
        self.service._handle(GatewayUp(frame.SerializeToString()))

    def speak(self, device: SimpleDevice, data: bytes, f_port: int = 10) -> None:
        """One uplink, and its downlink if it has one."""
        self.hear(device.uplink(data, f_port))
        time.sleep(0.4)

    def fault(self, text: str) -> None:
        self.service.faults.set(parse(text.encode(), self.service.faults.faults))


def _register(rows: Registry) -> None:
    rows.tenants[support.TENANT] = Tenant(support.TENANT, "Kreis")
    rows.applications[support.APPLICATION] = Application(
        support.APPLICATION, support.TENANT, "district", tags={"ags": support.AGS}
    )
    rows.profiles[PROFILE] = DeviceProfile(PROFILE, support.TENANT, "air", region=common.EU868)
    radio = support.RADIO_GATEWAY
    rows.gateways[radio] = Gateway(radio, support.TENANT, "Rathaus")


@contextlib.contextmanager
def town(source_port: int, **options: Any) -> Iterator[Town]:
    made = Town(source_port, **options)
    try:
        yield made
    finally:
        made.close()


def config(
    folder: Path, source_port: int, feed_port: int, grpc_port: int | None, more: str = ""
) -> Path:
    """See `forget`: what passes while the gateway is away is gone at the source's broker."""
    path = support.gateway_toml(folder, source_port, feed_port, source="session_expiry_s = 0")
    text = f"[gaps]\nsettle_s = {SETTLE_S}\n{more}"
    if grpc_port is not None:
        text += f'\n[chirpstack]\nhost = "127.0.0.1"\nport = {grpc_port}\nquiet_s = 0.6\n'
    with path.open("a") as file:
        file.write(text)
    return path


def forget(source_port: int) -> None:
    """The source's broker has no session of the gateway: rumqttd keeps it whatever its expiry."""
    client = PromptClient("revier-gateway-test-source")
    connected: list[bool] = []
    client.on_connect = lambda *_: connected.append(True)
    client.connect("127.0.0.1", source_port, clean_start=True)
    client.loop_start()
    until(lambda: connected)
    client.disconnect()
    client.loop_stop()


@contextlib.contextmanager
def gateway(
    path: Path, listener: support.Listener, token: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The program, online; killed at the end."""
    said = len(listener.of_kind("status"))
    with (path.parent / "gateway.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "revier_gateway.cli", "run", "--config", str(path)],
            stdout=output,
            stderr=output,
            env={**os.environ, TOKEN_ENV: token},
        )
        try:
            support.wait_until(lambda: _online(listener.of_kind("status")[said:]), 40)
            yield process
        finally:
            process.kill()
            process.wait(10)


def _online(states: list[dict[str, Any]]) -> bool:
    return bool(states) and states[-1].get("source") == "online"


def until(condition: Callable[[], Any], what: str = "") -> None:
    support.wait_until(condition, 40, what)
