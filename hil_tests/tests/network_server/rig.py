# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A core with one tenant, two gateways and as many devices as a test wants, under virtual time."""

import json
from dataclasses import dataclass, field
from typing import Any

from chirpstack_api import common, gw

from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import DownCommand, GatewayAck, GatewayUp, NetworkServer
from revier_bench.network_server.events import Event
from revier_bench.network_server.registry import (
    Application,
    Device,
    DeviceKeys,
    DeviceProfile,
    Gateway,
    Registry,
    Tenant,
)
from revier_bench.network_server.state import Downlink, Output
from revier_bench.network_server.times import NS_PER_S

from .simple_device import GATEWAY, OTHER_GATEWAY, SimpleDevice, heard, transmitted

START_NS = 1_795_438_272 * NS_PER_S
TENANT, APPLICATION, PROFILE = "tenant", "application", "profile"


def registry() -> Registry:
    rows = Registry()
    rows.tenants[TENANT] = Tenant(TENANT, "Kreis")
    rows.applications[APPLICATION] = Application(
        APPLICATION, TENANT, "district", tags={"ags": "05562032", "from": "application"}
    )
    rows.profiles[PROFILE] = DeviceProfile(
        PROFILE, TENANT, "air", tags={"kind": "air", "from": "profile"}, region=common.EU868
    )
    for gateway_id in (GATEWAY, OTHER_GATEWAY):
        rows.gateways[gateway_id] = Gateway(gateway_id, TENANT, gateway_id)
    return rows


@dataclass(slots=True)
class Rig:
    """`hear` lets a gateway hear a frame and time pass until all that follows from it is done."""

    server: NetworkServer = field(
        default_factory=lambda: NetworkServer(registry(), SeededChance("rig"))
    )
    now_ns: int = START_NS
    events: list[Event] = field(default_factory=list)
    downlinks: list[gw.DownlinkFrame] = field(default_factory=list)
    uplinks: int = 0

    def add_device(self, number: int = 1, **columns: Any) -> SimpleDevice:
        device = SimpleDevice(bytes.fromhex(f"70b3d57ed00000{number:02x}"), bytes([number]) * 16)
        dev_eui = device.dev_eui.hex()
        rows = self.server.registry
        rows.devices[dev_eui] = Device(dev_eui, f"air-{number}", APPLICATION, PROFILE, **columns)
        rows.keys[dev_eui] = DeviceKeys(dev_eui, device.app_key)
        return device

    def joined(self, number: int = 1, **columns: Any) -> SimpleDevice:
        device = self.add_device(number, **columns)
        down = self.hear(device.join_request())
        device.take_join_accept(down[0].items[0].phy_payload)
        self.events.clear()
        return device

    def hear(
        self, phy_payload: bytes, *, gateways: tuple[str, ...] = (GATEWAY,), **radio: Any
    ) -> list[gw.DownlinkFrame]:
        """The downlinks that answer; each is transmitted in RX1."""
        down = self.hear_only(phy_payload, gateways=gateways, **radio)
        for frame in down:
            self.answer(transmitted(frame))
        return down

    def hear_only(
        self, phy_payload: bytes, *, gateways: tuple[str, ...] = (GATEWAY,), **radio: Any
    ) -> list[gw.DownlinkFrame]:
        before = len(self.downlinks)
        for gateway_id in gateways:
            self.uplinks += 1
            frame = heard(
                phy_payload, self.now_ns, gateway_id=gateway_id, uplink_id=self.uplinks, **radio
            )
            self._take(self.server.handle(GatewayUp(frame.SerializeToString()), self.now_ns))
        self.wait(1.0)
        return self.downlinks[before:]

    def answer(self, ack: gw.DownlinkTxAck) -> None:
        self._take(self.server.handle(GatewayAck(ack.SerializeToString()), self.now_ns))

    def command(self, device: SimpleDevice, **fields: Any) -> None:
        dev_eui = device.dev_eui.hex()
        payload = json.dumps({"devEui": dev_eui, **fields}).encode()
        step = DownCommand(APPLICATION, dev_eui, payload)
        self._take(self.server.handle(step, self.now_ns))

    def wait(self, seconds: float) -> None:
        until_ns = self.now_ns + round(seconds * NS_PER_S)
        while (due_ns := self.server.deadline_ns()) is not None and due_ns <= until_ns:
            self._take(self.server.elapse(due_ns))
        self.now_ns = until_ns

    def _take(self, outputs: list[Output]) -> None:
        self.events += [o for o in outputs if isinstance(o, Event)]
        self.downlinks += [o.frame for o in outputs if isinstance(o, Downlink)]

    def kinds(self) -> list[str]:
        return [e.kind for e in self.events]

    def last(self, kind: str) -> Any:
        """The JSON of the newest event of a kind."""
        event = next(e for e in reversed(self.events) if e.kind == kind)
        return json.loads(event.payload(as_json=True))
