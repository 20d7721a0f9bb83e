# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack v4 integration events, from bytes to checked types.

CS = ChirpStack api/proto/integration/integration.proto and its JSON rules (pbjson):
camelCase names; package 'integration' writes zero values, packages 'gw' and 'common' leave them
out; message-typed fields are absent when unset; bytes are base64; times end in +00:00 with 0, 3, 6
or 9 digits. Unknown fields are allowed. JSON and protobuf use the same topics and are told apart by
the first byte. Identifiers come from the payload; only the event's name comes from the topic.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from revier_gateway.outcomes import Ignored, Refused

EVENT_BYTES_MAX = 256 * 1024  # ChirpStack's own are below 16 KiB, with 20 radio gateways

Eui = Annotated[str, Meta(min_length=16, max_length=16)]
Name = Annotated[str, Meta(max_length=256)]
Time = Annotated[datetime, Meta(tz=True)]
U8 = Annotated[int, Meta(ge=0, le=0xFF)]
U32 = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
I32 = Annotated[int, Meta(ge=-0x8000_0000, le=0x7FFF_FFFF)]


class DeviceInfo(msgspec.Struct, frozen=True, rename="camel", gc=False):
    dev_eui: Eui
    tenant_id: Name = ""
    application_id: Name = ""
    device_profile_name: Name = ""
    device_name: Name = ""
    tags: dict[str, str] = {}


class RxInfo(msgspec.Struct, frozen=True, rename="camel", gc=False):
    gateway_id: Eui
    gw_time: Time | None = None
    ns_time: Time | None = None
    rssi: I32 = 0
    snr: float = 0.0


class UplinkEvent(msgspec.Struct, frozen=True, rename="camel", gc=False):
    device_info: DeviceInfo
    time: Time
    deduplication_id: Name = ""
    dev_addr: Annotated[str, Meta(min_length=8, max_length=8)] = "00000000"
    dr: U8 = 0
    f_cnt: U32 = 0
    f_port: U8 = 0
    confirmed: bool = False
    data: bytes = b""
    rx_info: list[RxInfo] = []
    join_server_context: dict[str, Any] | None = None


class JoinEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: DeviceInfo
    time: Time | None = None
    deduplication_id: Name = ""
    dev_addr: Name = ""


class AckEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: DeviceInfo
    time: Time | None = None
    deduplication_id: Name = ""
    queue_item_id: Name = ""
    acknowledged: bool = False
    f_cnt_down: U32 = 0


class TxAckEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: DeviceInfo
    time: Time | None = None
    downlink_id: U32 = 0
    queue_item_id: Name = ""
    f_cnt_down: U32 = 0
    gateway_id: Name = ""


class LogEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: DeviceInfo
    time: Time | None = None
    level: Name = "INFO"
    code: Name = "UNKNOWN"
    description: str = ""
    context: dict[str, str] = {}


class StatusEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: DeviceInfo
    time: Time | None = None
    deduplication_id: Name = ""
    margin: I32 = 0
    external_power_source: bool = False
    battery_level_unavailable: bool = False
    battery_level: float = 0.0


class Location(msgspec.Struct, frozen=True, rename="camel"):
    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float = 0.0


class LocationEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: DeviceInfo
    time: Time | None = None
    deduplication_id: Name = ""
    location: Location | None = None


Event = UplinkEvent | JoinEvent | AckEvent | TxAckEvent | LogEvent | StatusEvent | LocationEvent

EVENT_TYPES: dict[str, type[Event]] = {
    "up": UplinkEvent,
    "join": JoinEvent,
    "ack": AckEvent,
    "txack": TxAckEvent,
    "log": LogEvent,
    "status": StatusEvent,
    "location": LocationEvent,
}
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(type_) for name, type_ in EVENT_TYPES.items()
}


def name_in_topic(topic: str) -> str:
    """The event's name: what follows 'event' in the topic, else its last level."""
    if topic.endswith("/event/up"):  # nearly all of them
        return "up"
    _, found, rest = f"/{topic}".rpartition("/event/")
    return rest.partition("/")[0] if found else topic.rpartition("/")[2]


def parse(name: str, payload: bytes) -> Event:
    """Bytes to event. Raises Ignored for an event not known, Refused for bytes not understood."""
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise Ignored("unknown_event", name)
    if len(payload) > EVENT_BYTES_MAX:
        raise Refused("oversize", f"{len(payload)} bytes")
    if payload[:1] != b"{":
        return _parse_protobuf(name, payload)
    try:
        event: Event = decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise Refused("bad_field", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("bad_json", str(error)) from None
    return _checked(event)


_HEX = b"0123456789abcdef"
_GATEWAYS_KEPT_MAX = 10_000
_gateways: set[str] = set()  # identifiers that were found to be right


def _checked(event: Event) -> Event:
    """The identifiers are lower-case hexadecimal; by msgspec's patterns this took 8 us."""
    text = event.device_info.dev_eui
    if isinstance(event, UplinkEvent):
        text += event.dev_addr
        for rx in event.rx_info:
            if rx.gateway_id not in _gateways:
                _check(rx.gateway_id)
                if len(_gateways) < _GATEWAYS_KEPT_MAX:
                    _gateways.add(rx.gateway_id)
    _check(text)
    return event


def _check(text: str) -> None:
    if text.encode().translate(None, _HEX):
        raise Refused("bad_field", f"identifiers are not lower-case hexadecimal: {text!r}")


def _parse_protobuf(name: str, payload: bytes) -> Event:
    from revier_gateway import events_protobuf

    try:
        fields = events_protobuf.fields(name, payload)
    except ValueError as error:
        raise Refused("bad_protobuf", str(error)) from None
    try:
        event: Event = msgspec.convert(fields, EVENT_TYPES[name])
    except msgspec.ValidationError as error:
        raise Refused("bad_field", str(error)) from None
    return _checked(event)
