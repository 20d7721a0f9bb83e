# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's calls for a fleet: what it has, and what leaves it.

Same rules as chirpstack.py. Lists are read page by page: a city has more devices than one answer
holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import msgspec
from chirpstack_api import api

from revier_inventory import Owner
from revier_inventory.message import _
from revier_provision.errors import NetworkServerError
from revier_provision.links import Application
from revier_provision.lns.chirpstack import LIST_LIMIT, ChirpStack
from revier_provision.lns.errors import as_sentence

PAGES_MAX = 5000
BATTERY_UNKNOWN = -1.0

# The outermost words of ChirpStack's own error, certificate.rs
_NO_CA = re.compile(r"Get CA cert|[Rr]ead gateway ca_|ca_cert|ca_key")


class ListedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device as a list shows it. `battery_pct` None: not known; `margin_db`: of the last status
    answer.
    """

    dev_eui: str
    name: str
    application_id: str
    profile_name: str
    tags: dict[str, str]
    last_seen: datetime | None = None
    battery_pct: float | None = None
    external_power: bool = False
    margin_db: int | None = None


class ClientCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """PEM texts; `tls_key` is a secret."""

    tls_cert: str
    tls_key: str
    ca_cert: str
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"ClientCertificate(expires_at={self.expires_at})"


class FleetChirpStack(ChirpStack):
    def devices_of(self, application_id: str) -> Iterator[ListedDevice]:
        """Every device of the application, by name."""
        for offset in range(0, PAGES_MAX * LIST_LIMIT, LIST_LIMIT):
            request = api.ListDevicesRequest(
                limit=LIST_LIMIT, offset=offset, application_id=application_id
            )
            items = self._do(_("list the devices"), self._devices.List, request).result
            yield from (_listed(item, application_id) for item in items)
            if len(items) < LIST_LIMIT:
                return

    def profile_interval_s(self, tenant_id: str, profile_name: str) -> int | None:
        """The expected uplink interval of the tenant's profile, or None without one."""
        request = api.ListDeviceProfilesRequest(
            limit=LIST_LIMIT, search=profile_name, tenant_id=tenant_id, tenant_only=True
        )
        found = self._do(_("list the device profiles"), self._profiles.List, request).result
        profile_id = next((item.id for item in found if item.name == profile_name), None)
        if profile_id is None:
            return None
        get = api.GetDeviceProfileRequest(id=profile_id)
        answer = self._do(_("read the device profile"), self._profiles.Get, get)
        return int(answer.device_profile.uplink_interval)

    def join_eui_and_disabled(self, dev_eui: str) -> tuple[str, bool] | None:
        """What no list shows; None: there is no such device."""
        answer = self._get_device(dev_eui)
        if answer is None:
            return None
        return str(answer.device.join_eui), bool(answer.device.is_disabled)

    def release(self, dev_eui: str, name: str) -> bool:
        """Take the tag `asset` off a device that serves it no longer; False: it was off, or gone.

        The device itself stays: what it measured before and sends late still comes through.
        """
        present = self._get_device(dev_eui)
        if present is None or (present.device.name == name and "asset" not in present.device.tags):
            return False
        present.device.name = name
        present.device.tags.pop("asset", None)
        request = api.UpdateDeviceRequest(device=present.device)
        self._do(_("update the device"), self._devices.Update, request)
        return True

    def delete_device(self, dev_eui: str) -> bool:
        """Delete the device with its keys and queue, and look again; False: it was not there."""
        if self._get_device(dev_eui) is None:
            return False
        request = api.DeleteDeviceRequest(dev_eui=dev_eui)
        self._do(_("delete the device"), self._devices.Delete, request)
        if self._get_device(dev_eui) is not None:
            cure = "Delete it in ChirpStack's pages, then run this again"
            raise NetworkServerError("ChirpStack still has device {dev_eui}", cure, dev_eui=dev_eui)
        return True

    # Tenants

    def has_tenant(self, tenant_id: str) -> bool:
        request = api.GetTenantRequest(id=tenant_id)
        return self._get(_("read the tenant"), self._tenants.Get, request) is not None

    def has_application(self, application_id: str) -> bool:
        request = api.GetApplicationRequest(id=application_id)
        return self._get(_("read the application"), self._applications.Get, request) is not None

    def tenant_names(self) -> list[str]:
        request = api.ListTenantsRequest(limit=LIST_LIMIT)
        answer = self._do(_("list the tenants"), self._tenants.List, request)
        return [str(item.name) for item in answer.result]

    def known_application(self, owner: Owner) -> Application | None:
        """As find_application, but ids that this ChirpStack does not have are passed over."""
        tenants = tuple(each for each in owner.tenant_ids if self.has_tenant(each))
        applications = tuple(e for e in owner.application_ids if self.has_application(e))
        here = msgspec.structs.replace(owner, tenant_ids=tenants, application_ids=applications)
        return self.find_application(here)

    def restored_application(self, owner: Owner) -> tuple[Application, bool]:
        """The owner's application, made where it is missing; whether it had to be made."""
        found = self.known_application(owner)
        if found is not None:
            return found, False
        tenants = tuple(each for each in owner.tenant_ids if self.has_tenant(each))
        here = msgspec.structs.replace(owner, tenant_ids=tenants, application_ids=())
        return self.create_application(here), True

    # Radio gateways

    def radio_gateway_seen(self, gateway_id: str) -> datetime | None:
        """When its last statistics came; None: never, or not registered."""
        request = api.GetGatewayRequest(gateway_id=gateway_id)
        answer = self._get(_("read the radio gateway"), self._gateways.Get, request)
        if answer is None or not answer.HasField("last_seen_at"):
            return None
        seen: datetime = answer.last_seen_at.ToDatetime(tzinfo=UTC)
        return seen

    def gateway_certificate(self, gateway_id: str) -> ClientCertificate:
        """A new client certificate for the radio gateway's way to the broker."""
        request = api.GenerateGatewayClientCertificateRequest(gateway_id=gateway_id)
        try:
            answer = self._call(self._gateways.GenerateClientCertificate, request)
        except grpc.RpcError as error:
            internal = error.code() == grpc.StatusCode.INTERNAL
            if internal and _NO_CA.search(error.details() or ""):
                problem = "ChirpStack has no authority that could issue the certificate"
                cure = (
                    "Set ca_cert and ca_key in [gateway] of chirpstack.toml and restart it, or "
                    "leave --certificate-dir out and let the gateway log in another way"
                )
                raise NetworkServerError(problem, cure) from None
            raise as_sentence(_("issue the certificate"), error) from None
        ends = answer.expires_at.ToDatetime(tzinfo=UTC) if answer.HasField("expires_at") else None
        return ClientCertificate(
            tls_cert=answer.tls_cert,
            tls_key=answer.tls_key,
            ca_cert=answer.ca_cert,
            expires_at=ends,
        )


def _listed(item: Any, application_id: str) -> ListedDevice:
    status = item.device_status if item.HasField("device_status") else None
    level = status.battery_level if status is not None else BATTERY_UNKNOWN
    seen = item.last_seen_at.ToDatetime(tzinfo=UTC) if item.HasField("last_seen_at") else None
    return ListedDevice(
        dev_eui=item.dev_eui,
        name=item.name,
        application_id=application_id,
        profile_name=item.device_profile_name,
        tags=dict(item.tags),
        last_seen=seen,
        battery_pct=None if level < 0 else round(level, 1),
        external_power=status is not None and bool(status.external_power_source),
        margin_db=None if status is None else status.margin,
    )
