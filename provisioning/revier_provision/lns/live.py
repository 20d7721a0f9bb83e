# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A device's life as ChirpStack tells it while it happens, and what is sent to the device.

`InternalService.StreamDeviceEvents` brings what the event log keeps (ten events unless configured
otherwise), then what comes. Bodies are the integration's JSON: data is base64, numbers of proto3
that are zero are left out.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import msgspec
from chirpstack_api import api

from revier_inventory.message import _
from revier_provision.errors import NetworkServerError
from revier_provision.lns.errors import as_sentence, sentences

CALL_S = 10.0
BODY_BYTES_MAX = 256 * 1024
LISTEN = _("listen to the device")
ENDED = (grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One uplink. `at`: when the network server had it; SNR in dB and RSSI in dBm at the radio
    gateway with the best SNR; `data` decrypted."""

    at: datetime
    dev_addr: str
    f_cnt: int
    f_port: int
    data: bytes
    spreading_factor: int
    rssi_dbm: int
    snr_db: float
    gateways: tuple[str, ...]


class _Rx(msgspec.Struct):
    gatewayId: str = ""  # noqa: N815
    rssi: int = 0
    snr: float = 0.0


class _LoRa(msgspec.Struct):
    spreadingFactor: int = 0  # noqa: N815


class _Modulation(msgspec.Struct):
    lora: _LoRa | None = None


class _Tx(msgspec.Struct):
    modulation: _Modulation | None = None


class _Up(msgspec.Struct):
    time: datetime
    devAddr: str = ""  # noqa: N815
    fCnt: int = 0  # noqa: N815
    fPort: int = 0  # noqa: N815
    data: str = ""
    rxInfo: list[_Rx] = []  # noqa: N815
    txInfo: _Tx | None = None  # noqa: N815


def heard_from(body: bytes) -> Heard | None:
    """The uplink in an event's body; None if it is none that LoRa brought."""
    try:
        up = msgspec.json.decode(body[:BODY_BYTES_MAX], type=_Up)
        data = base64.b64decode(up.data, validate=True)
    except (msgspec.DecodeError, binascii.Error):
        return None
    lora = up.txInfo.modulation.lora if up.txInfo and up.txInfo.modulation else None
    if lora is None or not 5 <= lora.spreadingFactor <= 12 or not up.rxInfo or not up.time.tzinfo:
        return None
    best = max(up.rxInfo, key=lambda rx: rx.snr)
    return Heard(
        at=up.time.astimezone(UTC),
        dev_addr=up.devAddr,
        f_cnt=up.fCnt,
        f_port=up.fPort,
        data=data,
        spreading_factor=lora.spreadingFactor,
        rssi_dbm=best.rssi,
        snr_db=best.snr,
        gateways=tuple(sorted({rx.gatewayId for rx in up.rxInfo})),
    )


class Live:
    """Over the channel of lns.ChirpStack. Every method may raise NetworkServerError."""

    def __init__(self, channel: Any, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata
        self._devices = api.DeviceServiceStub(channel)
        self._internal = api.InternalServiceStub(channel)

    @contextmanager
    def uplinks(self, dev_eui: str, seconds: float) -> Iterator[Iterator[Heard]]:
        """What was heard lately, then what is heard, until `seconds` are over; leaving cancels."""
        request = api.StreamDeviceEventsRequest(dev_eui=dev_eui)
        call = self._internal.StreamDeviceEvents(request, metadata=self._metadata, timeout=seconds)
        try:
            call.initial_metadata()  # waits until ChirpStack has answered at all
            if not call.is_active() and call.code() not in ENDED:
                raise as_sentence(LISTEN, call)
            yield self._read(call)
        finally:
            call.cancel()

    @staticmethod
    def _read(call: Any) -> Iterator[Heard]:
        try:
            for item in call:
                if item.description == "up":
                    heard = heard_from(item.body.encode())
                    if heard is not None:
                        yield heard
        except grpc.RpcError as error:
            if error.code() not in ENDED:
                raise as_sentence(LISTEN, error) from None

    def enqueue(self, dev_eui: str, f_port: int, data: bytes, expires_at: datetime) -> None:
        """Goes out after the device's next uplink, unless that comes after `expires_at`. One that
        waits there already stays alone."""
        with sentences(_("read the device's queue")):
            get = api.GetDeviceQueueItemsRequest(dev_eui=dev_eui)
            waiting = self._devices.GetQueue(get, metadata=self._metadata, timeout=CALL_S)
        if any((item.f_port, item.data) == (f_port, data) for item in waiting.result):
            return
        item = api.DeviceQueueItem(dev_eui=dev_eui, f_port=f_port, data=data)
        item.expires_at.FromDatetime(expires_at)
        request = api.EnqueueDeviceQueueItemRequest(queue_item=item)
        with sentences(_("send to the device")):
            self._devices.Enqueue(request, metadata=self._metadata, timeout=CALL_S)


__all__ = ["Heard", "Live", "NetworkServerError", "heard_from"]
