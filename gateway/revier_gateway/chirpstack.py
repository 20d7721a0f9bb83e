# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack v4's gRPC API, as far as the gateway needs it. Imported where it is configured."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import msgspec
import structlog
from chirpstack_api import api

from revier_gateway import config
from revier_gateway.chirpstack_errors import ChirpStackError
from revier_gateway.gaps.event_log import LogItem

CALL_S = 10.0
LOG_S = 600.0
LIST_LIMIT = 500
# What follows the last frame that we know of, in the log: its txack, its codec's complaint.
TAIL_S = 0.3
CLOSE_MS = 2000  # the event's time and the network server's "last seen" differ by less
NO_PROXY = (("grpc.enable_http_proxy", 0),)

log = structlog.get_logger("revier.gateway.chirpstack")


class Registered(msgspec.Struct, frozen=True):
    """A device as ChirpStack has it. tags: as its events carry them, application's < profile's <
    its own; codec: the profile's JavaScript, empty where it has none."""

    dev_eui: str
    tags: dict[str, str]
    profile: str
    codec: str
    last_seen_ms: int | None


class ChirpStack:
    """Made inside the event loop. Raises ConfigError where the token is missing."""

    def __init__(self, settings: config.ChirpStack) -> None:
        target = f"{settings.host}:{settings.port}"
        self._quiet_s = settings.quiet_s
        self._metadata = (("authorization", f"Bearer {settings.token}"),)
        if settings.tls is None:
            if not _is_loopback(settings.host):
                log.warning("the API token crosses the network in the clear", host=settings.host)
            self._channel = grpc.aio.insecure_channel(target, options=NO_PROXY)
        else:
            self._channel = grpc.aio.secure_channel(target, _credentials(settings.tls))
        self._devices = api.DeviceServiceStub(self._channel)
        self._applications = api.ApplicationServiceStub(self._channel)
        self._profiles = api.DeviceProfileServiceStub(self._channel)
        self._internal = api.InternalServiceStub(self._channel)

    async def close(self) -> None:
        await self._channel.close(None)

    # -- what it knows

    async def event_log(self, dev_eui: str, until_ms: int) -> AsyncIterator[LogItem]:
        """What the device's event log keeps, oldest first. Raises ChirpStackError.

        The stream goes on with what comes; it has told all that it keeps when nothing more comes
        for a while, which is short once the event of until_ms has come.
        """
        request = api.StreamDeviceEventsRequest(dev_eui=dev_eui)
        call = self._internal.StreamDeviceEvents(request, metadata=self._metadata, timeout=LOG_S)
        loop = asyncio.get_running_loop()
        wait_s = self._quiet_s
        try:
            while True:
                async with asyncio.timeout_at(loop.time() + wait_s):
                    item = await call.read()
                if item is grpc.aio.EOF:  # type: ignore[attr-defined]
                    return
                at_ms = item.time.ToMilliseconds()
                if at_ms >= until_ms - CLOSE_MS:
                    wait_s = min(TAIL_S, self._quiet_s)
                yield LogItem(at_ms, item.description, item.body.encode())
        except TimeoutError:
            return
        except grpc.RpcError as error:
            raise _error("read the event log", error) from None
        finally:
            call.cancel()

    async def last_seen(self, application_id: str) -> dict[str, int]:
        """DevEUI -> when ChirpStack last heard it, ms. Raises ChirpStackError."""
        return {
            item.dev_eui: item.last_seen_at.ToMilliseconds()
            for item in await self._list(application_id)
            if item.HasField("last_seen_at")
        }

    async def registered(self, application_id: str) -> list[Registered]:
        """The application's devices as their events will show them. Raises ChirpStackError."""
        request = api.GetApplicationRequest(id=application_id)
        answer = await self._call("read the application", self._applications.Get, request)
        items = await self._list(application_id)
        profiles = {
            profile_id: await self._profile(profile_id)
            for profile_id in sorted({item.device_profile_id for item in items})
        }
        found = []
        for item in items:
            profile = profiles[item.device_profile_id]
            tags = {**answer.application.tags, **profile.tags, **item.tags}  # as ChirpStack merges
            seen_ms = item.last_seen_at.ToMilliseconds() if item.HasField("last_seen_at") else None
            is_js = profile.payload_codec_runtime == api.CodecRuntime.JS
            codec = profile.payload_codec_script if is_js else ""
            found.append(Registered(item.dev_eui, tags, profile.name, codec, seen_ms))
        return found

    async def _profile(self, profile_id: str) -> Any:
        request = api.GetDeviceProfileRequest(id=profile_id)
        answer = await self._call("read the device profile", self._profiles.Get, request)
        return answer.device_profile

    async def _list(self, application_id: str) -> list[Any]:
        found: list[Any] = []
        total = 1
        while len(found) < total:
            request = api.ListDevicesRequest(
                limit=LIST_LIMIT, offset=len(found), application_id=application_id
            )
            answer = await self._call("list the devices", self._devices.List, request)
            if not answer.result:
                break
            found += answer.result
            total = answer.total_count
        return found

    # -- the downlink queue

    async def enqueue(
        self, dev_eui: str, f_port: int, data: bytes, *, confirmed: bool, expires_ms: int
    ) -> str:
        """The id that ChirpStack gives the item. Raises ChirpStackError."""
        item = api.DeviceQueueItem(dev_eui=dev_eui, f_port=f_port, data=data, confirmed=confirmed)
        item.expires_at.FromMilliseconds(expires_ms)
        request = api.EnqueueDeviceQueueItemRequest(queue_item=item)
        answer = await self._call("enqueue a downlink", self._devices.Enqueue, request)
        return str(answer.id)

    async def items(self, dev_eui: str) -> dict[str, tuple[int, bytes]]:
        """What waits for the device: id -> fPort and data, in order. Raises ChirpStackError."""
        request = api.GetDeviceQueueItemsRequest(dev_eui=dev_eui)
        answer = await self._call("read the queue", self._devices.GetQueue, request)
        return {item.id: (item.f_port, item.data) for item in answer.result}

    async def _call(self, what: str, method: Any, request: Any) -> Any:
        try:
            return await method(request, metadata=self._metadata, timeout=CALL_S)
        except grpc.RpcError as error:
            raise _error(what, error) from None


def _credentials(tls: config.Tls) -> Any:
    def content(name: str) -> bytes | None:
        return Path(name).read_bytes() if name else None

    return grpc.ssl_channel_credentials(
        content(tls.ca_file), content(tls.key_file), content(tls.cert_file)
    )


def _error(what: str, error: grpc.RpcError) -> ChirpStackError:
    code: grpc.StatusCode = error.code()
    cures = {
        grpc.StatusCode.UNAUTHENTICATED: "the API key is wrong, or not of this device's tenant",
        grpc.StatusCode.UNAVAILABLE: "is ChirpStack there? [chirpstack] host and port say where",
        grpc.StatusCode.DEADLINE_EXCEEDED: "ChirpStack does not answer",
    }
    again = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    reason = cures.get(code) or error.details() or code.name
    return ChirpStackError(f"cannot {what}: {reason}", is_refusal=code not in again)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
