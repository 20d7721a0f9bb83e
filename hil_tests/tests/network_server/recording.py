# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The recording of a real ChirpStack, and the set-up behind it, rebuilt from what it published."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from chirpstack_api import common, gw, integration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from revier_bench.network_server import frames
from revier_bench.network_server.registry import (
    CODEC_JS,
    CODEC_NONE,
    Application,
    Device,
    DeviceKeys,
    DeviceProfile,
    Gateway,
    Registry,
    Tenant,
)
from revier_bench.network_server.times import NS_PER_S, unix_ns

DATA = Path(__file__).parent / "data" / "chirpstack_v4_recording"
EVENT_TYPES = {
    "up": integration.UplinkEvent,
    "join": integration.JoinEvent,
    "ack": integration.AckEvent,
    "txack": integration.TxAckEvent,
    "status": integration.StatusEvent,
    "log": integration.LogEvent,
}
# The codec of the profile 'air', as its results and its stack traces show it.
AIR_CODEC = """function decodeUplink(input) {
  var b = input.bytes;
  if (b.length < 2) { throw new Error("too short"); }
  return {data: {temperature_c: ((b[0] << 8) | b[1]) / 100, count: b.length, none: null,
                 ok: true, list: [1, 2.5], nested: {a: 1}}};
}
function encodeDownlink(input) { return {bytes: [input.data.interval_min], fPort: 200}; }"""
PROFILE_TAGS = {"air": ("domain", "kind"), "raw": ("kind",)}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One MQTT message; `kind` is the last level of its topic."""

    file: str
    at_ns: int
    topic: str
    payload: bytes

    @property
    def kind(self) -> str:
        return self.topic.rsplit("/", 1)[1]

    @property
    def is_event(self) -> bool:
        return "/event/" in self.topic and self.topic.startswith("application/")

    @property
    def is_downlink(self) -> bool:
        return self.topic.startswith("eu868/") and self.kind == "down"

    @property
    def is_command(self) -> bool:
        return self.topic.startswith("application/") and self.kind == "down"

    @property
    def dev_eui(self) -> str:
        return self.topic.split("/")[3]

    def event(self, *, as_json: bool) -> dict[str, Any]:
        if as_json:
            parsed: dict[str, Any] = json.loads(self.payload)
            return parsed
        return as_dict(EVENT_TYPES[self.kind].FromString(self.payload))


def as_dict(message: Message) -> dict[str, Any]:
    """A protobuf event in the shape of the JSON one: all fields, times with +00:00."""
    return dict(MessageToDict(message, always_print_fields_with_no_presence=True))


@cache
def messages(folder: str) -> Sequence[Recorded]:
    index = json.loads((DATA / folder / "index.json").read_text())
    raw = [
        (
            e["file"],
            round(e["t_s"] * NS_PER_S),
            e["topic"],
            (DATA / folder / e["file"]).read_bytes(),
        )
        for e in index
    ]
    start_ns = next(
        unix_ns(gw.UplinkFrame.FromString(payload).rx_info.gw_time) - at_ns
        for _, at_ns, topic, payload in raw
        if topic.endswith("event/up") and topic.startswith("eu868/")
    )
    return [Recorded(f, start_ns + at_ns, topic, payload) for f, at_ns, topic, payload in raw]


def app_key(dev_eui: str) -> bytes:
    return bytes([int(dev_eui[-2:], 16)]) * 16


def registry(folder: str) -> Registry:
    """Tenants, applications, profiles, devices and gateways as the events name them."""
    rows = Registry()
    without_application = _tags_without_application(folder)
    for info in _device_infos(folder):
        rows.tenants.setdefault(info["tenantId"], Tenant(info["tenantId"], info["tenantName"]))
        application_tags = {k: v for k, v in info["tags"].items() if k not in without_application}
        rows.applications.setdefault(
            info["applicationId"],
            Application(
                info["applicationId"],
                info["tenantId"],
                info["applicationName"],
                tags=application_tags,
            ),
        )
        _add_profile(rows, info)
        _add_device(rows, info, application_tags)
    for gateway_id, location in _gateways(folder).items():
        tenant_id = next(iter(rows.tenants))
        rows.gateways[gateway_id] = Gateway(gateway_id, tenant_id, location=location)
    return rows


def _device_infos(folder: str) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for message in messages(folder):
        if message.is_event and message.kind != "txack":
            info = message.event(as_json=folder == "json")["deviceInfo"]
            if info["devEui"] not in seen:
                seen.add(info["devEui"])
                yield info


def _tags_without_application(folder: str) -> set[str]:
    """What a `txack` names is not the application's: ChirpStack leaves those tags out of it."""
    return next(
        set(m.event(as_json=folder == "json")["deviceInfo"]["tags"])
        for m in messages(folder)
        if m.is_event and m.kind == "txack"
    )


def _add_profile(rows: Registry, info: dict[str, Any]) -> None:
    name = info["deviceProfileName"]
    rows.profiles.setdefault(
        info["deviceProfileId"],
        DeviceProfile(
            info["deviceProfileId"],
            info["tenantId"],
            name,
            tags={k: info["tags"][k] for k in PROFILE_TAGS[name]},
            region=common.EU868,
            codec_runtime=CODEC_JS if name == "air" else CODEC_NONE,
            codec_script=AIR_CODEC if name == "air" else "",
            device_status_req_interval=1 if name == "air" else 0,
        ),
    )


def _add_device(rows: Registry, info: dict[str, Any], application_tags: dict[str, str]) -> None:
    dev_eui = info["devEui"]
    others = {*application_tags, *PROFILE_TAGS[info["deviceProfileName"]]}
    rows.devices[dev_eui] = Device(
        dev_eui,
        info["deviceName"],
        info["applicationId"],
        info["deviceProfileId"],
        tags={k: v for k, v in info["tags"].items() if k not in others},
    )
    secret = app_key(dev_eui)
    in_wrong_field = dev_eui.endswith("3")
    rows.keys[dev_eui] = DeviceKeys(
        dev_eui,
        bytes(16) if in_wrong_field else secret,
        secret if in_wrong_field else bytes(16),
    )


def _gateways(folder: str) -> dict[str, common.Location]:
    found: dict[str, common.Location] = {}
    for message in messages(folder):
        if message.is_event and message.kind == "up":
            for rx in message.event(as_json=folder == "json")["rxInfo"]:
                found[rx["gatewayId"]] = common.Location(
                    latitude=rx["location"]["latitude"],
                    longitude=rx["location"]["longitude"],
                    altitude=rx["location"]["altitude"],
                )
    return found


def dev_addrs(folder: str) -> list[bytes]:
    """The addresses that ChirpStack drew, in order."""
    return [
        bytes.fromhex(m.event(as_json=folder == "json")["devAddr"])
        for m in messages(folder)
        if m.is_event and m.kind == "join"
    ]


def enqueued_by_grpc(folder: str) -> dict[str, tuple[str, bytes]]:
    """Items that no command brought: file of the uplink that fetched it -> (id, data)."""
    known = {json.loads(m.payload)["id"] for m in messages(folder) if _has_id(m)}
    found: dict[str, tuple[str, bytes]] = {}
    last_up = ""
    up_before: dict[int, str] = {}
    for message in messages(folder):
        if message.topic.startswith("eu868/") and message.kind == "up":
            last_up = message.file
        elif message.is_downlink:
            up_before[gw.DownlinkFrame.FromString(message.payload).downlink_id] = last_up
        elif message.is_event and message.kind == "txack":
            event = message.event(as_json=folder == "json")
            if event["queueItemId"] not in known:
                found[up_before[event["downlinkId"]]] = (event["queueItemId"], b"\x0f")
    return found


def _has_id(message: Recorded) -> bool:
    return message.is_command and b'"id"' in message.payload


def instant_ns(text: str) -> int:
    """An RFC 3339 time with up to 9 digits."""
    whole, _, rest = text.replace("Z", "+00:00").partition(".")
    if not rest:
        return int(datetime.fromisoformat(whole).timestamp()) * NS_PER_S
    digits, _, zone = rest.partition("+")
    seconds = int(datetime.fromisoformat(f"{whole}+{zone}").timestamp())
    return seconds * NS_PER_S + int(digits.ljust(9, "0"))


def join_accept_of(phy_payload: bytes, dev_eui: str) -> frames.JoinAccept:
    return frames.parse_join_accept(app_key(dev_eui), phy_payload)
