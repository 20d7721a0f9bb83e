# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the parts of the network server share, and the types that pass between them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chirpstack_api import gw

from revier_bench.network_server.chance import Chance
from revier_bench.network_server.events import Event
from revier_bench.network_server.mac_commands import Block
from revier_bench.network_server.queue import DownlinkQueue
from revier_bench.network_server.registry import DeviceContext, Registry, Tenant
from revier_bench.network_server.times import NS_PER_MS, NS_PER_S, unix_ns, utc_ns_of_gps

SENT_DOWNLINKS_MAX = 1000  # that still wait for their gateway's answer
GATEWAY_TIME_DRIFT_NS_MAX = 30 * NS_PER_S  # ChirpStack's rx_timestamp_max_drift


@dataclass(frozen=True, slots=True)
class Settings:
    """ChirpStack's own delays; both 0 where the world's clock stands still meanwhile."""

    deduplication_ns: int = 200 * NS_PER_MS
    downlink_delay_ns: int = 100 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Uplink:
    """All copies of one frame."""

    deduplication_id: str
    phy_payload: bytes
    tx_info: gw.UplinkTxInfo
    rx_info: list[gw.UplinkRxInfo]
    dr: int

    def best_snr_db(self) -> float:
        return max(float(r.snr) for r in self.rx_info)

    def time_ns(self, now_ns: int) -> int:
        """When it was received: GPS time, else gateway time unless it is far off, else now."""
        for rx in self.rx_info:
            if rx.HasField("time_since_gps_epoch"):
                since = rx.time_since_gps_epoch
                return utc_ns_of_gps(since.seconds * NS_PER_S + since.nanos)
        for rx in self.rx_info:
            if rx.HasField("gw_time"):
                at = unix_ns(rx.gw_time)
                if abs(now_ns - at) < GATEWAY_TIME_DRIFT_NS_MAX:
                    return at
        return now_ns


@dataclass(frozen=True, slots=True)
class Downlink:
    """A frame to a gateway."""

    frame: gw.DownlinkFrame

    @property
    def topic(self) -> str:
        return f"eu868/gateway/{self.frame.gateway_id}/command/down"


@dataclass(frozen=True, slots=True)
class FrameLog:
    """One line of StreamDeviceFrames."""

    dev_eui: str
    description: str
    time_ns: int
    body: Callable[[], dict[str, object]]  # built when somebody reads it
    properties: dict[str, str]


Output = Event | Downlink | FrameLog


@dataclass(frozen=True, slots=True)
class Response:
    """An uplink that may be answered: what its downlink must and may carry."""

    context: DeviceContext
    uplink: Uplink
    dev_addr: bytes
    must_send: bool
    must_ack: bool
    answers: list[Block]


@dataclass(frozen=True, slots=True)
class SentDownlink:
    frame: gw.DownlinkFrame
    dev_eui: str
    f_cnt_down: int
    queue_item_id: str | None  # set when the frame carries the item
    is_join_accept: bool


@dataclass(slots=True)
class State:
    registry: Registry
    chance: Chance
    settings: Settings = field(default_factory=Settings)
    queue: DownlinkQueue = field(default_factory=DownlinkQueue)
    sent: dict[int, SentDownlink] = field(default_factory=dict)

    def visible(self, uplink: Uplink, tenant: Tenant) -> Uplink | None:
        """Without copies from other tenants' private gateways; None: no copy is left."""
        rx_info = [r for r in uplink.rx_info if self._is_open(r.gateway_id, tenant, up=True)]
        return replace(uplink, rx_info=rx_info) if rx_info else None

    def may_send(self, gateway_id: str, tenant: Tenant) -> bool:
        return self._is_open(gateway_id, tenant, up=False)

    def _is_open(self, gateway_id: str, tenant: Tenant, *, up: bool) -> bool:
        gateway = self.registry.gateways.get(gateway_id)
        if gateway is None:
            return False
        owner = self.registry.tenants[gateway.tenant_id]
        is_private = owner.private_gateways_up if up else owner.private_gateways_down
        return not is_private or owner.id == tenant.id

    def remember(self, sent: SentDownlink) -> None:
        while len(self.sent) >= SENT_DOWNLINKS_MAX:
            del self.sent[next(iter(self.sent))]
        self.sent[sent.frame.downlink_id] = sent
