# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A network server with one radio gateway that hears every node: frame in, answer out."""

from __future__ import annotations

import time
from collections.abc import Sequence

from chirpstack_api import gw

from revier_bench.network_server.api import server as grpc_server
from revier_bench.network_server.api.backend import Backend
from revier_bench.network_server.auth import ADMIN_KEY_ID, admin_token
from revier_bench.network_server.chance import SeededChance
from revier_bench.network_server.core import GatewayAck, GatewayUp, NetworkServer
from revier_bench.network_server.events import Event
from revier_bench.network_server.registry import ApiKey, Gateway, Registry, Tenant
from revier_bench.network_server.state import Downlink, FrameLog, Output, Settings
from revier_bench.network_server.times import timestamp

GATEWAY_ID = "0016c001f10000aa"
SECRET = "paper"  # noqa: S105 - of a server that lives in this process only
RSSI_DBM, SNR_DB = -97, 6.5
FREQUENCY_HZ, SF = 868_100_000, 7


class PaperAir:
    """The stand-in behind gRPC on a free port of this machine; `close` it."""

    def __init__(self, name: str = "paper") -> None:
        registry = Registry()
        registry.api_keys[ADMIN_KEY_ID] = ApiKey(ADMIN_KEY_ID, "bench", is_admin=True)
        registry.tenants["of-the-gateway"] = Tenant("of-the-gateway", "Kreis")
        registry.gateways[GATEWAY_ID] = Gateway(GATEWAY_ID, "of-the-gateway", "roof")
        core = NetworkServer(registry, SeededChance(name), Settings(0, 0))
        self.backend = Backend(core, SECRET, time.time_ns)
        self._grpc, port = grpc_server.start(self.backend, "127.0.0.1", 0)
        self.target = f"127.0.0.1:{port}"
        self.token = admin_token(SECRET)
        self.deaf = False  # no gateway hears anything
        self._uplinks = 0

    @property
    def registry(self) -> Registry:
        return self.backend.registry

    def close(self) -> None:
        grpc_server.stop(self._grpc, self.backend)

    def hear(
        self, phy_payload: bytes, frequency_hz: int = FREQUENCY_HZ, sf: int = SF
    ) -> Sequence[gw.DownlinkFrame]:
        """What the network server sends in answer; its gateway is told that it was sent in RX1."""
        if self.deaf:
            return ()
        with self.backend.lock:
            self._uplinks += 1
            now_ns = time.time_ns()
            frame = self._heard(phy_payload, now_ns, frequency_hz, sf)
            outputs = self.backend.server.handle(GatewayUp(frame.SerializeToString()), now_ns)
            outputs += self.backend.server.elapse(now_ns + 1)
            down = self._take(outputs, now_ns)
            for each in down:
                items = [
                    gw.DownlinkTxAckItem(status=gw.OK),
                    gw.DownlinkTxAckItem(status=gw.IGNORED),
                ]
                ack = gw.DownlinkTxAck(
                    gateway_id=each.gateway_id, downlink_id=each.downlink_id, items=items
                )
                answer = self.backend.server.handle(GatewayAck(ack.SerializeToString()), now_ns)
                self._take(answer, now_ns)
        return down

    def _take(self, outputs: Sequence[Output], now_ns: int) -> list[gw.DownlinkFrame]:
        down = []
        for output in outputs:
            if isinstance(output, Downlink):
                down.append(output.frame)
            elif isinstance(output, Event):
                self.backend.logs.add_event(output, now_ns)
            elif isinstance(output, FrameLog):
                self.backend.logs.add_frame(output, now_ns)
        return down

    def _heard(self, phy_payload: bytes, now_ns: int, frequency_hz: int, sf: int) -> gw.UplinkFrame:
        lora = gw.LoraModulationInfo(bandwidth=125_000, spreading_factor=sf, code_rate=gw.CR_4_5)
        return gw.UplinkFrame(
            phy_payload=phy_payload,
            tx_info=gw.UplinkTxInfo(frequency=frequency_hz, modulation=gw.Modulation(lora=lora)),
            rx_info=gw.UplinkRxInfo(
                gateway_id=GATEWAY_ID,
                uplink_id=self._uplinks,
                gw_time=timestamp(now_ns),
                rssi=RSSI_DBM,
                snr=SNR_DB,
                context=b"\0\0\0\1",
                crc_status=gw.CRC_OK,
            ),
        )
