# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Integration events: what the network server tells the application, as ChirpStack's messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chirpstack_api import gw, integration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from revier_bench.network_server.pbjson import to_json
from revier_bench.network_server.queue import QueueItem
from revier_bench.network_server.region import REGION_CONFIG_ID
from revier_bench.network_server.registry import DeviceContext
from revier_bench.network_server.times import timestamp

TOPIC = "application/{application_id}/device/{dev_eui}/event/{kind}"
KINDS = ("up", "join", "ack", "txack", "status", "log")


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    application_id: str
    dev_eui: str
    message: Message

    @property
    def topic(self) -> str:
        return TOPIC.format(
            application_id=self.application_id, dev_eui=self.dev_eui, kind=self.kind
        )

    def payload(self, *, as_json: bool) -> bytes:
        return to_json(self.message) if as_json else self.message.SerializeToString()


def device_info(of: DeviceContext, tags: Mapping[str, str] | None = None) -> integration.DeviceInfo:
    return integration.DeviceInfo(
        tenant_id=of.tenant.id,
        tenant_name=of.tenant.name,
        application_id=of.application.id,
        application_name=of.application.name,
        device_profile_id=of.profile.id,
        device_profile_name=of.profile.name,
        device_name=of.device.name,
        dev_eui=of.device.dev_eui,
        device_class_enabled=of.device.class_enabled,
        tags=of.tags() if tags is None else tags,
    )


def _event(kind: str, of: DeviceContext, message: Message) -> Event:
    return Event(kind, of.application.id, of.device.dev_eui, message)


@dataclass(frozen=True, slots=True)
class UplinkFields:
    dev_addr: bytes
    adr: bool
    dr: int
    f_cnt: int
    f_port: int
    confirmed: bool
    data: bytes
    object: Struct | None
    rx_info: Iterable[gw.UplinkRxInfo]
    tx_info: gw.UplinkTxInfo


def up(of: DeviceContext, deduplication_id: str, time_ns: int, fields: UplinkFields) -> Event:
    message = integration.UplinkEvent(
        deduplication_id=deduplication_id,
        time=timestamp(time_ns),
        device_info=device_info(of),
        dev_addr=fields.dev_addr.hex(),
        adr=fields.adr,
        dr=fields.dr,
        f_cnt=fields.f_cnt,
        f_port=fields.f_port,
        confirmed=fields.confirmed,
        data=fields.data,
        object=fields.object,
        rx_info=fields.rx_info,
        tx_info=fields.tx_info,
        region_config_id=REGION_CONFIG_ID,
    )
    return _event("up", of, message)


def join(of: DeviceContext, deduplication_id: str, time_ns: int, dev_addr: bytes) -> Event:
    message = integration.JoinEvent(
        deduplication_id=deduplication_id,
        time=timestamp(time_ns),
        device_info=device_info(of),
        dev_addr=dev_addr.hex(),
        region_config_id=REGION_CONFIG_ID,
    )
    return _event("join", of, message)


def ack(
    of: DeviceContext, deduplication_id: str, time_ns: int, item: QueueItem, *, acknowledged: bool
) -> Event:
    message = integration.AckEvent(
        deduplication_id=deduplication_id,
        time=timestamp(time_ns),
        device_info=device_info(of),
        queue_item_id=item.id,
        acknowledged=acknowledged,
        f_cnt_down=item.f_cnt_down or 0,
    )
    return _event("ack", of, message)


def txack(
    of: DeviceContext,
    time_ns: int,
    item: QueueItem,
    frame: gw.DownlinkFrame,
    tx_info: gw.DownlinkTxInfo,
) -> Event:
    # The tags of the application are missing here in ChirpStack 4.20, and so they are here.
    message = integration.TxAckEvent(
        downlink_id=frame.downlink_id,
        time=timestamp(time_ns),
        device_info=device_info(of, {**of.profile.tags, **of.device.tags}),
        queue_item_id=item.id,
        f_cnt_down=item.f_cnt_down or 0,
        gateway_id=frame.gateway_id,
        tx_info=tx_info,
    )
    return _event("txack", of, message)


def status(
    of: DeviceContext, deduplication_id: str, time_ns: int, margin: int, battery: int
) -> Event:
    """`battery` as in DevStatusAns: 0 external power, 255 unknown (L2 5.5)."""
    message = integration.StatusEvent(
        deduplication_id=deduplication_id,
        time=timestamp(time_ns),
        device_info=device_info(of),
        margin=margin,
        external_power_source=battery == 0,
        battery_level_unavailable=battery == 255,
        battery_level=battery / 254 * 100 if 0 < battery < 255 else 0.0,
    )
    return _event("status", of, message)


@dataclass(frozen=True, slots=True)
class LogEntry:
    code: int
    description: str
    context: Mapping[str, str]
    level: int = integration.ERROR


def log(of: DeviceContext, time_ns: int, entry: LogEntry) -> Event:
    message = integration.LogEvent(
        time=timestamp(time_ns),
        device_info=device_info(of),
        level=entry.level,
        code=entry.code,
        description=entry.description,
        context=entry.context,
    )
    return _event("log", of, message)
