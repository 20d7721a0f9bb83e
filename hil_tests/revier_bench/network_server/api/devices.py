# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: N802 the methods are named by the API
"""DeviceService."""

from typing import Any

import grpc
from chirpstack_api import api, common
from google.protobuf.json_format import MessageToDict

from revier_bench.network_server.api.backend import (
    ApiError,
    Backend,
    answering,
    eui,
    given,
    hex_bytes,
    id_of,
    key,
    page,
    require,
)
from revier_bench.network_server.auth import Identity
from revier_bench.network_server.codec import encode_downlink
from revier_bench.network_server.frames import SessionKeys
from revier_bench.network_server.queue import QueueItem
from revier_bench.network_server.registry import Device, DeviceKeys, NotFoundError, Session, get
from revier_bench.network_server.times import timestamp, unix_ns

BATTERY_UNKNOWN = -1.0


class DeviceService(api.DeviceServiceServicer):  # type: ignore[misc]
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def _check(self, text: str, identity: Identity, *, write: bool) -> str:
        """The DevEUI, once it is clear that the caller may touch it."""
        dev_eui = eui(text)
        registry = self.backend.registry
        device = registry.devices.get(dev_eui)
        tenant_id = registry.applications[device.application_id].tenant_id if device else None
        require(identity, write=write, tenant_id=tenant_id)
        return dev_eui

    def _own(self, text: str, identity: Identity, *, write: bool) -> Device:
        dev_eui = self._check(text, identity, write=write)
        return get(self.backend.registry.devices, dev_eui)

    def _tenant_of(self, application_id: str) -> str | None:
        application = self.backend.registry.applications.get(application_id)
        return application.tenant_id if application else None

    @answering
    def Create(self, request: Any, identity: Identity) -> None:
        asked = given(request, "device")
        dev_eui, application_id = eui(asked.dev_eui), id_of(asked.application_id)
        profile_id, join_eui = id_of(asked.device_profile_id), eui(asked.join_eui)
        require(identity, write=True, tenant_id=self._tenant_of(application_id))
        now_ns = self.backend.now_ns()
        device = Device(
            dev_eui=dev_eui,
            name=asked.name,
            application_id=application_id,
            device_profile_id=profile_id,
            join_eui=join_eui,
            created_ns=now_ns,
        )
        _fill(device, asked, now_ns)
        try:
            self.backend.registry.add_device(device)
        except NotFoundError:  # of the application or its tenant, found missing in the middle
            raise ApiError(grpc.StatusCode.INTERNAL, "Record not found") from None

    @answering
    def Get(self, request: Any, identity: Identity) -> Any:
        device = self._own(request.dev_eui, identity, write=False)
        answer = api.GetDeviceResponse(
            device=api.Device(
                dev_eui=device.dev_eui,
                name=device.name,
                description=device.description,
                application_id=device.application_id,
                device_profile_id=device.device_profile_id,
                skip_fcnt_check=device.skip_f_cnt_check,
                is_disabled=device.is_disabled,
                variables=device.variables,
                tags=device.tags,
                join_eui=device.join_eui,
            ),
            created_at=timestamp(device.created_ns),
            updated_at=timestamp(device.updated_ns),
            class_enabled=device.class_enabled,
        )
        if device.last_seen_ns is not None:
            answer.last_seen_at.CopyFrom(timestamp(device.last_seen_ns))
        if device.margin is not None:
            answer.device_status.CopyFrom(_status(device))
        return answer

    @answering
    def Update(self, request: Any, identity: Identity) -> None:
        asked = given(request, "device")
        application_id, profile_id = id_of(asked.application_id), id_of(asked.device_profile_id)
        device = self._own(asked.dev_eui, identity, write=True)
        require(identity, write=False, tenant_id=self._tenant_of(application_id))
        get(self.backend.registry.applications, application_id)
        get(self.backend.registry.profiles, profile_id)
        device.application_id, device.device_profile_id = application_id, profile_id
        device.join_eui = eui(asked.join_eui)
        _fill(device, asked, self.backend.now_ns())

    @answering
    def Delete(self, request: Any, identity: Identity) -> None:
        dev_eui = self._check(request.dev_eui, identity, write=True)
        self.backend.registry.remove_device(dev_eui)
        self.backend.server.state.queue.flush(dev_eui)

    @answering
    def List(self, request: Any, identity: Identity) -> Any:
        application_id = id_of(request.application_id)
        profile_id = id_of(request.device_profile_id) if request.device_profile_id else None
        require(identity, write=False, tenant_id=self._tenant_of(application_id))
        wanted = request.search.lower()
        rows = [
            d
            for d in self.backend.registry.devices.values()
            if d.application_id == application_id
            and profile_id in (None, d.device_profile_id)
            and wanted in f"{d.name} {d.dev_eui}".lower()
            and request.tags.items() <= d.tags.items()
        ]
        rows.sort(key=lambda d: d.name)
        items = [self._list_item(d) for d in page(rows, request)]
        return api.ListDevicesResponse(total_count=len(rows), result=items)

    def _list_item(self, device: Device) -> Any:
        item = api.DeviceListItem(
            dev_eui=device.dev_eui,
            name=device.name,
            description=device.description,
            created_at=timestamp(device.created_ns),
            updated_at=timestamp(device.updated_ns),
            device_profile_id=device.device_profile_id,
            device_profile_name=self.backend.registry.profiles[device.device_profile_id].name,
            tags=device.tags,
        )
        if device.last_seen_ns is not None:
            item.last_seen_at.CopyFrom(timestamp(device.last_seen_ns))
        if device.margin is not None:
            item.device_status.CopyFrom(_status(device))
        return item

    # --- keys -------------------------------------------------------------------------------

    @answering
    def CreateKeys(self, request: Any, identity: Identity) -> None:
        asked = given(request, "device_keys")
        dev_eui = self._check(asked.dev_eui, identity, write=True)
        now_ns = self.backend.now_ns()
        keys = DeviceKeys(dev_eui, bytes(16), created_ns=now_ns)
        _fill_keys(keys, asked, now_ns)
        self.backend.registry.add_keys(keys)

    @answering
    def GetKeys(self, request: Any, identity: Identity) -> Any:
        dev_eui = self._check(request.dev_eui, identity, write=False)
        keys = get(self.backend.registry.keys, dev_eui)
        return api.GetDeviceKeysResponse(
            device_keys=api.DeviceKeys(
                dev_eui=dev_eui,
                nwk_key=keys.nwk_key.hex(),
                app_key=keys.app_key.hex(),
                gen_app_key=keys.gen_app_key.hex(),
            ),
            created_at=timestamp(keys.created_ns),
            updated_at=timestamp(keys.updated_ns),
        )

    @answering
    def UpdateKeys(self, request: Any, identity: Identity) -> None:
        asked = given(request, "device_keys")
        dev_eui = self._check(asked.dev_eui, identity, write=True)
        keys = get(self.backend.registry.keys, dev_eui)
        _fill_keys(keys, asked, self.backend.now_ns())

    @answering
    def DeleteKeys(self, request: Any, identity: Identity) -> None:
        dev_eui = self._check(request.dev_eui, identity, write=True)
        get(self.backend.registry.keys, dev_eui)
        del self.backend.registry.keys[dev_eui]

    @answering
    def FlushDevNonces(self, request: Any, identity: Identity) -> None:
        dev_eui = self._check(request.dev_eui, identity, write=True)
        get(self.backend.registry.keys, dev_eui).dev_nonces.clear()

    # --- activation -------------------------------------------------------------------------

    @answering
    def Activate(self, request: Any, identity: Identity) -> None:
        asked = given(request, "device_activation")
        device = self._own(asked.dev_eui, identity, write=True)
        profile = get(self.backend.registry.profiles, device.device_profile_id)
        keys = SessionKeys(key(asked.nwk_s_enc_key), key(asked.app_s_key))
        device.session = Session(
            dev_addr=hex_bytes(asked.dev_addr, 4), keys=keys, f_cnt_down=asked.n_f_cnt_down
        )
        device.f_cnt_up = asked.f_cnt_up
        device.class_enabled = common.CLASS_C if profile.supports_class_c else common.CLASS_A
        if profile.flush_queue_on_activate:
            self.backend.server.state.queue.flush(device.dev_eui)

    @answering
    def Deactivate(self, request: Any, identity: Identity) -> None:
        device = self._own(request.dev_eui, identity, write=True)
        self.backend.server.state.queue.flush(device.dev_eui)
        device.session = None

    @answering
    def GetActivation(self, request: Any, identity: Identity) -> Any:
        device = self._own(request.dev_eui, identity, write=False)
        session = device.session
        if session is None:
            return api.GetDeviceActivationResponse()
        nwk_s_key = session.keys.nwk_s_key.hex()
        activation = api.DeviceActivation(
            dev_eui=device.dev_eui,
            dev_addr=session.dev_addr.hex(),
            app_s_key=session.keys.app_s_key.hex(),
            nwk_s_enc_key=nwk_s_key,
            s_nwk_s_int_key=nwk_s_key,
            f_nwk_s_int_key=nwk_s_key,
            f_cnt_up=device.f_cnt_up,
            n_f_cnt_down=session.f_cnt_down,
            a_f_cnt_down=session.f_cnt_down,
        )
        return api.GetDeviceActivationResponse(device_activation=activation)

    # --- queue ------------------------------------------------------------------------------

    @answering
    def Enqueue(self, request: Any, identity: Identity) -> Any:
        asked = given(request, "queue_item")
        dev_eui = self._check(asked.dev_eui, identity, write=True)
        queue = self.backend.server.state.queue
        if request.flush_queue:
            queue.flush(dev_eui, also_pending=False)
        f_port, data = asked.f_port & 0xFF, asked.data
        if asked.HasField("object"):
            context = self.backend.registry.context(dev_eui)
            value: dict[str, Any] = MessageToDict(asked.object)
            variables = context.device.variables
            f_port, data = encode_downlink(context.profile, f_port, value, variables)
        if dev_eui not in self.backend.registry.devices:
            raise ApiError(grpc.StatusCode.INTERNAL, "FOREIGN KEY constraint failed")
        item = QueueItem(
            id=self.backend.uuid("queue_item"),
            dev_eui=dev_eui,
            f_port=f_port,
            data=data,
            confirmed=asked.confirmed,
            is_encrypted=asked.is_encrypted,
            f_cnt_down=asked.f_cnt_down if asked.is_encrypted else None,
            expires_ns=unix_ns(asked.expires_at) if asked.HasField("expires_at") else None,
        )
        queue.enqueue(item)
        return api.EnqueueDeviceQueueItemResponse(id=item.id)

    @answering
    def GetQueue(self, request: Any, identity: Identity) -> Any:
        dev_eui = self._check(request.dev_eui, identity, write=False)
        items = [_queue_item(i) for i in self.backend.server.state.queue.of(dev_eui)]
        return api.GetDeviceQueueItemsResponse(total_count=len(items), result=items)

    @answering
    def FlushQueue(self, request: Any, identity: Identity) -> None:
        dev_eui = self._check(request.dev_eui, identity, write=True)
        self.backend.server.state.queue.flush(dev_eui)

    @answering
    def GetNextFCntDown(self, request: Any, identity: Identity) -> Any:
        device = self._own(request.dev_eui, identity, write=False)
        queued = self.backend.server.state.queue.of(device.dev_eui)
        behind_queue = max((i.f_cnt_down or 0 for i in queued), default=0) + 1
        own = device.session.f_cnt_down if device.session else 0
        return api.GetDeviceNextFCntDownResponse(f_cnt_down=max(own, behind_queue))

    @answering
    def GetLinkMetrics(self, request: Any, identity: Identity) -> None:
        self._check(request.dev_eui, identity, write=False)
        for name in ("start", "end"):
            if not request.HasField(name):
                raise ApiError(grpc.StatusCode.INTERNAL, f"{name} is None")
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "the stand-in keeps no metrics")


def _fill(device: Device, asked: Any, now_ns: int) -> None:
    device.name = asked.name
    device.description = asked.description
    device.skip_f_cnt_check = asked.skip_fcnt_check
    device.is_disabled = asked.is_disabled
    device.tags = dict(asked.tags)
    device.variables = dict(asked.variables)
    device.updated_ns = now_ns


def _fill_keys(keys: DeviceKeys, asked: Any, now_ns: int) -> None:
    keys.nwk_key, keys.app_key = key(asked.nwk_key), key(asked.app_key)
    keys.gen_app_key = key(asked.gen_app_key)
    keys.updated_ns = now_ns


def _status(device: Device) -> Any:
    level = BATTERY_UNKNOWN if device.battery_level is None else device.battery_level
    return api.DeviceStatus(
        margin=device.margin,
        external_power_source=device.external_power_source,
        battery_level=level,
    )


def _queue_item(item: QueueItem) -> Any:
    out = api.DeviceQueueItem(
        id=item.id,
        dev_eui=item.dev_eui,
        confirmed=item.confirmed,
        f_port=item.f_port,
        data=item.data,
        is_pending=item.is_pending,
        f_cnt_down=item.f_cnt_down or 0,
        is_encrypted=item.is_encrypted,
    )
    if item.expires_ns is not None:
        out.expires_at.CopyFrom(timestamp(item.expires_ns))
    return out
