# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack v4 through its gRPC API.

Every write is Get first: a duplicate comes back as INTERNAL with a database text, and DevEUI is
unique over the whole server. LoRaWAN 1.0.x keeps its AppKey in `nwk_key` (in `app_key` the join
fails with UPLINK_MIC). Keys travel over TLS, or in the clear to loopback only.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Any, Self

import grpc
from chirpstack_api import api
from chirpstack_api.common import common_pb2

from revier_inventory import Owner, RadioGateway
from revier_inventory.message import Message, _
from revier_inventory.model import Kind
from revier_provision.errors import NetworkServerError
from revier_provision.links import Application, Device
from revier_provision.lns.errors import as_sentence, is_invisible, is_missing, sentences
from revier_provision.lns.events import EventWatch
from revier_provision.lns.live import Live

CALL_S = 10.0
LIST_LIMIT = 200
APPLICATION_NAME = "revier"
PROFILE_NAME = "revier-{kind}"
NO_KEY = "00" * 16
STATUS_REQUESTS_PER_DAY = 1
STATS_INTERVAL_S = 30
NO_PROXY = (("grpc.enable_http_proxy", 0),)


class ChirpStack:
    """NetworkServer over gRPC. `target` is host:port; `token` an API key (tenant-wide or admin).

    `tls_roots` are the trusted certificates (PEM); b"" takes the system's. Without TLS only
    loopback is allowed, since keys would cross the network in the clear. `codec_js` is the text
    of the payload codec for the device profiles, or None for no codec.
    """

    def __init__(
        self,
        target: str,
        token: str,
        *,
        tls_roots: bytes | None = None,
        codec_js: str | None = None,
    ) -> None:
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._codec_js = codec_js
        if tls_roots is not None:
            credentials = grpc.ssl_channel_credentials(tls_roots or None)
            self._channel = grpc.secure_channel(target, credentials)
        elif is_loopback(target):
            self._channel = grpc.insecure_channel(target, NO_PROXY)
        else:
            cure = "Give https://host:port (--tls-roots for an own CA), or run on ChirpStack's host"
            raise NetworkServerError("Keys would go to {target} unencrypted", cure, target=target)
        self._tenants = api.TenantServiceStub(self._channel)
        self._applications = api.ApplicationServiceStub(self._channel)
        self._profiles = api.DeviceProfileServiceStub(self._channel)
        self._devices = api.DeviceServiceStub(self._channel)
        self._gateways = api.GatewayServiceStub(self._channel)
        self._internal = api.InternalServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def live(self) -> Live:
        """The devices' uplinks as they come, and their queues; as long as this is open."""
        return Live(self._channel, self._metadata)

    def _call(self, method: Any, request: Any) -> Any:
        return method(request, metadata=self._metadata, timeout=CALL_S)

    def _get(self, what: Message, method: Any, request: Any) -> Any | None:
        """The answer, or None when the object does not exist."""
        try:
            return self._call(method, request)
        except grpc.RpcError as error:
            if is_missing(error):
                return None
            raise as_sentence(what, error, request) from None

    def _do(self, what: Message, method: Any, request: Any) -> Any:
        with sentences(what, request):
            return self._call(method, request)

    # Tenants and applications

    def find_application(self, owner: Owner) -> Application | None:
        tenant_id = self._find_tenant(owner)
        if tenant_id is None:
            return None
        for application_id in owner.application_ids:
            request = api.GetApplicationRequest(id=application_id)
            answer = self._get(_("read the application"), self._applications.Get, request)
            if answer is not None and answer.application.tenant_id == tenant_id:
                return Application(tenant_id=tenant_id, application_id=application_id)
        if owner.application_ids:
            raise _gone(_("applications"), owner)
        request = api.ListApplicationsRequest(limit=LIST_LIMIT, tenant_id=tenant_id)
        answer = self._do(_("list the applications"), self._applications.List, request)
        found = [item.id for item in answer.result if item.name == APPLICATION_NAME]
        one = _only_one(found, _("applications {name!r}", name=APPLICATION_NAME), owner)
        return None if one is None else Application(tenant_id=tenant_id, application_id=one)

    def create_application(self, owner: Owner) -> Application:
        tenant_id = self._find_tenant(owner)
        if tenant_id is None:
            tenant = api.Tenant(name=owner.name, can_have_gateways=True, tags={"ags": owner.ags})
            request = api.CreateTenantRequest(tenant=tenant)
            tenant_id = self._do(_("create the tenant"), self._tenants.Create, request).id
        application = api.Application(name=APPLICATION_NAME, tenant_id=tenant_id)
        answer = self._do(
            _("create the application"),
            self._applications.Create,
            api.CreateApplicationRequest(application=application),
        )
        return Application(tenant_id=tenant_id, application_id=answer.id)

    def application_name(self, application_id: str) -> str:
        request = api.GetApplicationRequest(id=application_id)
        answer = self._get(_("read the application"), self._applications.Get, request)
        return application_id if answer is None else str(answer.application.name)

    def _find_tenant(self, owner: Owner) -> str | None:
        for tenant_id in owner.tenant_ids:
            request = api.GetTenantRequest(id=tenant_id)
            if self._get(_("read the tenant"), self._tenants.Get, request) is not None:
                return tenant_id
        if owner.tenant_ids:
            raise _gone(_("tenants"), owner)
        request = api.ListTenantsRequest(limit=LIST_LIMIT, search=owner.name)
        answer = self._do(_("list the tenants"), self._tenants.List, request)
        found = [item.id for item in answer.result if item.name == owner.name]
        return _only_one(found, _("tenants {name!r}", name=owner.name), owner)

    # Device profiles

    def ensure_device_profile(self, tenant_id: str, kind: Kind, interval_s: int) -> str:
        name = PROFILE_NAME.format(kind=kind)
        request = api.ListDeviceProfilesRequest(
            limit=LIST_LIMIT, search=name, tenant_id=tenant_id, tenant_only=True
        )
        answer = self._do(_("list the device profiles"), self._profiles.List, request)
        profile_id = next((item.id for item in answer.result if item.name == name), None)
        if profile_id is None:
            profile = api.DeviceProfile(tenant_id=tenant_id, name=name)
            self._set_profile(profile, interval_s)
            request = api.CreateDeviceProfileRequest(device_profile=profile)
            return str(self._do(_("create the device profile"), self._profiles.Create, request).id)
        request = api.GetDeviceProfileRequest(id=profile_id)
        profile = self._do(_("read the device profile"), self._profiles.Get, request).device_profile
        before = profile.SerializeToString(deterministic=True)
        self._set_profile(profile, interval_s)
        if profile.SerializeToString(deterministic=True) != before:
            request = api.UpdateDeviceProfileRequest(device_profile=profile)
            self._do(_("update the device profile"), self._profiles.Update, request)
        return str(profile_id)

    def _set_profile(self, profile: Any, interval_s: int) -> None:
        """What Revier's nodes need; other settings of an existing profile stay."""
        profile.region = common_pb2.EU868
        profile.mac_version = common_pb2.LORAWAN_1_0_4
        profile.reg_params_revision = common_pb2.RP002_1_0_4
        profile.adr_algorithm_id = profile.adr_algorithm_id or "default"
        profile.supports_otaa = True
        profile.device_status_req_interval = STATUS_REQUESTS_PER_DAY
        # One profile serves nodes of several intervals: the longest decides when one is overdue.
        profile.uplink_interval = max(profile.uplink_interval, interval_s)
        if self._codec_js is not None:
            profile.payload_codec_runtime = api.CodecRuntime.JS
            profile.payload_codec_script = self._codec_js

    # Devices

    def device(self, dev_eui: str) -> Device | None:
        answer = self._get_device(dev_eui)
        if answer is None:
            return None
        return Device(
            dev_eui=answer.device.dev_eui,
            join_eui=answer.device.join_eui,
            name=answer.device.name,
            application_id=answer.device.application_id,
            device_profile_id=answer.device.device_profile_id,
            tags=dict(answer.device.tags),
        )

    def last_seen(self, dev_eui: str) -> datetime | None:
        """When ChirpStack last heard the device; None: never, or unknown device."""
        answer = self._get_device(dev_eui)
        if answer is None or not answer.HasField("last_seen_at"):
            return None
        seen: datetime = answer.last_seen_at.ToDatetime(tzinfo=UTC)
        return seen

    def _get_device(self, dev_eui: str) -> Any | None:
        try:
            return self._call(self._devices.Get, api.GetDeviceRequest(dev_eui=dev_eui))
        except grpc.RpcError as error:
            if is_missing(error) or is_invisible(error):
                return None
            raise as_sentence(_("read the device"), error) from None

    def put_device(self, device: Device) -> None:
        present = self._get_device(device.dev_eui)
        message = api.Device() if present is None else present.device
        message.dev_eui = device.dev_eui
        message.join_eui = device.join_eui
        message.name = device.name
        message.application_id = device.application_id
        message.device_profile_id = device.device_profile_id
        message.tags.clear()
        message.tags.update(device.tags)
        if present is None:
            request = api.CreateDeviceRequest(device=message)
            self._do(_("register the device"), self._devices.Create, request)
        else:
            request = api.UpdateDeviceRequest(device=message)
            self._do(_("update the device"), self._devices.Update, request)

    def app_key(self, dev_eui: str) -> bytes | None:
        answer = self._keys(dev_eui)
        return None if answer is None else bytes.fromhex(answer.device_keys.nwk_key)

    def set_app_key(self, dev_eui: str, app_key: bytes) -> None:
        present = self._keys(dev_eui)
        keys = api.DeviceKeys(dev_eui=dev_eui, nwk_key=app_key.hex(), app_key=NO_KEY)
        if present is None:
            request = api.CreateDeviceKeysRequest(device_keys=keys)
            self._do(_("set the device's key"), self._devices.CreateKeys, request)
        else:
            request = api.UpdateDeviceKeysRequest(device_keys=keys)
            self._do(_("replace the device's key"), self._devices.UpdateKeys, request)

    def _keys(self, dev_eui: str) -> Any:
        request = api.GetDeviceKeysRequest(dev_eui=dev_eui)
        return self._get(_("read the device's key"), self._devices.GetKeys, request)

    def flush_dev_nonces(self, dev_eui: str) -> None:
        request = api.FlushDevNoncesRequest(dev_eui=dev_eui)
        self._do(_("flush the DevNonces"), self._devices.FlushDevNonces, request)

    def key_changed_at(self, dev_eui: str) -> datetime | None:
        """By ChirpStack's clock; it counts a join as a change, too. None: the device has no key."""
        answer = self._keys(dev_eui)
        if answer is None or not answer.HasField("updated_at"):
            return None
        changed: datetime = answer.updated_at.ToDatetime(tzinfo=UTC)
        return changed

    def watch_device(self, dev_eui: str) -> EventWatch:
        """The device's events, live, the recent ones first."""
        request = api.StreamDeviceEventsRequest(dev_eui=dev_eui)
        return EventWatch(
            lambda: self._internal.StreamDeviceEvents(request, metadata=self._metadata)
        )

    # Radio gateways

    def put_radio_gateway(self, tenant_id: str, gateway: RadioGateway) -> None:
        request = api.GetGatewayRequest(gateway_id=gateway.gateway_id)
        answer = self._get(_("read the radio gateway"), self._gateways.Get, request)
        if answer is not None and answer.gateway.tenant_id != tenant_id:
            problem = "Radio gateway {gateway_id} belongs to tenant {tenant_id}"
            cure = "Delete it there if it has changed its owner, then run this again"
            raise NetworkServerError(
                problem, cure, gateway_id=gateway.gateway_id, tenant_id=answer.gateway.tenant_id
            )
        message = api.Gateway() if answer is None else answer.gateway
        message.gateway_id = gateway.gateway_id
        message.name = gateway.name
        message.tenant_id = tenant_id
        message.stats_interval = message.stats_interval or STATS_INTERVAL_S
        message.location.latitude = gateway.lat
        message.location.longitude = gateway.lon
        message.location.altitude = gateway.altitude_m or 0.0
        if answer is None:
            request = api.CreateGatewayRequest(gateway=message)
            self._do(_("register the radio gateway"), self._gateways.Create, request)
        else:
            request = api.UpdateGatewayRequest(gateway=message)
            self._do(_("update the radio gateway"), self._gateways.Update, request)


def is_loopback(target: str) -> bool:
    """Whether host:port names this very machine, without asking a name server."""
    host = target.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _gone(what: Message, owner: Owner) -> NetworkServerError:
    problem = "ChirpStack has none of the {what} that owners.toml names for {ags}"
    cure = "Check --server; if ChirpStack was set up anew: revier-provision restore-server"
    return NetworkServerError(problem, cure, what=what, ags=owner.ags)


def _only_one(found: list[str], what: Message, owner: Owner) -> str | None:
    if len(found) > 1:
        cure = "Write the id of the right one into owners.toml, at ags {ags}"
        raise NetworkServerError(
            "ChirpStack has {count} {what}", cure, count=len(found), what=what, ags=owner.ags
        )
    return found[0] if found else None
