# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: N802 the methods are named by the API
"""DeviceProfileService."""

from typing import Any

from chirpstack_api import api

from revier_bench.network_server.api.backend import (
    Backend,
    answering,
    given,
    id_of,
    named,
    page,
    require,
)
from revier_bench.network_server.auth import Identity
from revier_bench.network_server.registry import DeviceProfile, ValidationError, get
from revier_bench.network_server.times import timestamp

RX1_DELAY_S_MAX = 15


class DeviceProfileService(api.DeviceProfileServiceServicer):  # type: ignore[misc]
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @answering
    def Create(self, request: Any, identity: Identity) -> Any:
        asked = given(request, "device_profile")
        tenant_id = id_of(asked.tenant_id)
        require(identity, write=True, tenant_id=tenant_id)
        now_ns = self.backend.now_ns()
        profile = DeviceProfile(
            id=self.backend.uuid("device_profile"), tenant_id=tenant_id, name="", created_ns=now_ns
        )
        _fill(profile, asked, now_ns)
        self.backend.registry.add_profile(profile)
        return api.CreateDeviceProfileResponse(id=profile.id)

    def _own(self, text: str, identity: Identity, *, write: bool) -> DeviceProfile:
        profile_id = id_of(text)
        profiles = self.backend.registry.profiles
        known = profiles.get(profile_id)
        require(identity, write=write, tenant_id=known.tenant_id if known else None)
        return get(profiles, profile_id)

    @answering
    def Get(self, request: Any, identity: Identity) -> Any:
        profile = self._own(request.id, identity, write=False)
        return api.GetDeviceProfileResponse(
            device_profile=profile.raw,
            created_at=timestamp(profile.created_ns),
            updated_at=timestamp(profile.updated_ns),
        )

    @answering
    def GetByProfileId(self, request: Any, identity: Identity) -> Any:
        """Any key may: what is imported belongs to no tenant."""
        if identity.is_nobody:
            require(identity, write=False)
        found = self.backend.registry.by_profile_id(request.vendor_id, request.vendor_profile_id)
        return api.GetDeviceProfileByProfileIdResponse(device_profile=found.raw)

    @answering
    def Update(self, request: Any, identity: Identity) -> None:
        asked = given(request, "device_profile")
        profile = self._own(asked.id, identity, write=True)
        _fill(profile, asked, self.backend.now_ns())

    @answering
    def Delete(self, request: Any, identity: Identity) -> None:
        profile = self._own(request.id, identity, write=True)
        self.backend.registry.remove_profile(profile.id)

    @answering
    def List(self, request: Any, identity: Identity) -> Any:
        tenant_id = id_of(request.tenant_id)
        require(identity, write=False, tenant_id=tenant_id)
        wanted = request.search.lower()
        own = (p for p in self.backend.registry.profiles.values() if p.tenant_id == tenant_id)
        rows = sorted((p for p in own if wanted in p.name.lower()), key=lambda p: p.name)
        items = [_list_item(p) for p in page(rows, request)]
        return api.ListDeviceProfilesResponse(total_count=len(rows), result=items)


def _list_item(profile: DeviceProfile) -> Any:
    raw: Any = profile.raw
    return api.DeviceProfileListItem(
        id=profile.id,
        name=profile.name,
        created_at=timestamp(profile.created_ns),
        updated_at=timestamp(profile.updated_ns),
        region=profile.region,
        mac_version=profile.mac_version,
        reg_params_revision=raw.reg_params_revision,
        supports_otaa=profile.supports_otaa,
        supports_class_b=raw.supports_class_b,
        supports_class_c=profile.supports_class_c,
    )


def _fill(profile: DeviceProfile, asked: Any, now_ns: int) -> None:
    if asked.rx1_delay > RX1_DELAY_S_MAX:
        raise ValidationError("Validation error: RX1 Delay must be between 0 - 15")
    profile.name = named(asked.name)
    profile.tags = dict(asked.tags)
    profile.region = asked.region
    profile.region_config_id = asked.region_config_id
    profile.mac_version = asked.mac_version
    profile.codec_runtime = asked.payload_codec_runtime
    profile.codec_script = asked.payload_codec_script
    profile.flush_queue_on_activate = asked.flush_queue_on_activate
    profile.device_status_req_interval = asked.device_status_req_interval
    profile.supports_otaa = asked.supports_otaa
    profile.supports_class_c = asked.supports_class_c
    profile.rx1_delay_s = asked.rx1_delay
    profile.updated_ns = now_ns
    raw = api.DeviceProfile()
    raw.CopyFrom(asked)
    raw.id, raw.tenant_id = profile.id, profile.tenant_id
    profile.raw = raw
