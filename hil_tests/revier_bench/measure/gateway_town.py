# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A town of air nodes for the gateway's measurements: its inventory, and its events as ChirpStack
writes them (2 kB each, three radio gateways)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from revier_inventory import Asset, DevicePeriod, Inventory, Owner, dump
from revier_payload.codec import encode

EVENT_BYTES = 2_075
AGS = "05562032"
TENANT = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"
APPLICATION = "2d38308d-7c27-4fa2-adff-5f80a2056210"
TOPIC = "application/{application}/device/{eui}/event/up"
AIR_PORT, DIAGNOSIS_PORT = 10, 1
SEQ_MASK = (1 << 9) - 1
INTERVAL_S = 300
SERVED_SINCE = datetime(2026, 5, 1, tzinfo=UTC)
RADIO_GATEWAYS = tuple(f"0016c001f10000{last:02x}" for last in (0xAA, 0xBB, 0xCC))
AIR_VALUES: dict[str, int | None] = {
    "pm1": 51,
    "pm4": 150,
    "pm10": 171,
    "humidity": 81,
    "pressure": 10_130,
    "battery": 3_600,
}


def dev_eui(device: int) -> str:
    return f"70b3d57e{device:08x}"


def inventory(devices: int) -> Inventory:
    owner = Owner(ags=AGS, name="Town", tenant_ids=(TENANT,), application_ids=(APPLICATION,))
    numbers = range(devices)
    return Inventory(
        owners=(owner,),
        assets=tuple(
            Asset(asset=f"aq-{n:05d}", kind="air", ags=AGS, name=f"Air {n}", lon=7.2, lat=51.6)
            for n in numbers
        ),
        periods=tuple(
            DevicePeriod(dev_eui=dev_eui(n), asset=f"aq-{n:05d}", since=SERVED_SINCE)
            for n in numbers
        ),
    )


def write_inventory(folder: Path, devices: int) -> None:
    folder.mkdir(parents=True)
    for name, text in dump(inventory(devices)).items():
        (folder / name).write_text(text, "utf-8")


def events(devices: int, rounds: int, end: datetime | None = None) -> Iterator[tuple[str, bytes]]:
    """Topic and payload. Each device's diagnosis first, then `rounds` readings of each in turn; the
    last at `end`, or now: of nodes that fell silent long ago the gateway would have more to tell.
    """
    end = datetime.now(UTC).replace(microsecond=0) if end is None else end
    start = end - timedelta(seconds=INTERVAL_S * rounds)
    for device in range(devices):
        payload = encode(DIAGNOSIS_PORT, {"seq": 0, "battery": 3600, "fw_minor": 1})
        yield _event(device, 0, DIAGNOSIS_PORT, payload, start - timedelta(seconds=60))
    for number in range(rounds):
        for device in range(devices):
            varied = {"pm25": 60 + (device + number) % 90, "temperature": 80 + number % 100}
            payload = encode(AIR_PORT, {**AIR_VALUES, **varied, "seq": number & SEQ_MASK})
            at = start + timedelta(seconds=INTERVAL_S * number, milliseconds=device)
            yield _event(device, number + 1, AIR_PORT, payload, at)


def _event(device: int, f_cnt: int, f_port: int, payload: bytes, at: datetime) -> tuple[str, bytes]:
    eui = dev_eui(device)
    event: dict[str, Any] = {
        "deduplicationId": f"a8ea8112-6f12-49cc-{f_cnt & 0xFFFF:04x}-{device:012x}",
        "time": at.isoformat(),
        "deviceInfo": {
            "tenantId": TENANT,
            "tenantName": "Kreis",
            "applicationId": APPLICATION,
            "applicationName": "district",
            "deviceProfileName": "air",
            "deviceName": f"air-{device}",
            "devEui": eui,
            "deviceClassEnabled": "CLASS_A",
            "tags": {"ags": AGS},
        },
        "devAddr": f"{device:08x}",
        "adr": True,
        "dr": 5,
        "fCnt": f_cnt,
        "fPort": f_port,
        "confirmed": False,
        "data": base64.b64encode(payload).decode(),
        "rxInfo": [_rx(gateway, f_cnt, at) for gateway in RADIO_GATEWAYS],
        "object": {"pm25": 11.8, "temperature": 12.4},
        "regionConfigId": "eu868",
    }
    bare = msgspec.json.encode(event)
    novelty = "x" * max(0, EVENT_BYTES - len(bare) - len(',"novelty":""'))
    payload = bare[:-1] + f',"novelty":"{novelty}"}}'.encode()
    return TOPIC.format(application=APPLICATION, eui=eui), payload


def _rx(gateway: str, uplink_id: int, at: datetime) -> dict[str, Any]:
    return {
        "gatewayId": gateway,
        "uplinkId": uplink_id,
        "gwTime": at.isoformat(),
        "nsTime": (at + timedelta(milliseconds=41)).isoformat(),
        "rssi": -97,
        "snr": -3.25,
        "location": {"latitude": 51.614, "longitude": 7.197, "altitude": 90.0},
        "context": "AAAAAQ==",
        "crcStatus": "CRC_OK",
    }
