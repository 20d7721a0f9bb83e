# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What ChirpStack keeps in its database: tenants, applications, profiles, devices, keys, gateways.

Errors carry the texts of ChirpStack's SQLite build, which reach gRPC callers word for word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from chirpstack_api import common, gw

from revier_bench.network_server.frames import SessionKeys

CODEC_NONE = 0
CODEC_JS = 2

Row = TypeVar("Row")


class NotFoundError(LookupError):
    def __init__(self, key: object) -> None:
        super().__init__(f"Object does not exist (id: {key})")


class ConstraintError(ValueError):
    """The database refuses the row."""


class ValidationError(ValueError):
    """The value is refused before it reaches the database."""


@dataclass(slots=True)
class Tenant:
    id: str
    name: str
    description: str = ""
    can_have_gateways: bool = True
    max_gateway_count: int = 0
    max_device_count: int = 0
    private_gateways_up: bool = False
    private_gateways_down: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    created_ns: int = 0
    updated_ns: int = 0


@dataclass(slots=True)
class Application:
    id: str
    tenant_id: str
    name: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    created_ns: int = 0
    updated_ns: int = 0


@dataclass(slots=True)
class DeviceProfile:
    """`raw` is the message of the API, kept whole so that Get gives back what Create got."""

    id: str
    tenant_id: str
    name: str
    tags: dict[str, str] = field(default_factory=dict)
    region: int = common.EU868
    region_config_id: str = ""
    mac_version: int = common.LORAWAN_1_0_4
    codec_runtime: int = CODEC_NONE
    codec_script: str = ""
    flush_queue_on_activate: bool = False
    device_status_req_interval: int = 0  # per day
    supports_otaa: bool = True
    supports_class_c: bool = False
    rx1_delay_s: int = 0
    raw: object = None
    created_ns: int = 0
    updated_ns: int = 0


@dataclass(slots=True)
class VendorProfile:
    """A device profile of no tenant, from an import. `raw` is the message of the API."""

    vendor_id: int
    vendor_profile_id: int
    raw: Any


@dataclass(slots=True)
class DeviceKeys:
    dev_eui: str
    nwk_key: bytes
    app_key: bytes = bytes(16)
    gen_app_key: bytes = bytes(16)
    join_nonce: int = 0
    dev_nonces: dict[str, set[int]] = field(default_factory=dict)  # per JoinEUI
    created_ns: int = 0
    updated_ns: int = 0


@dataclass(slots=True)
class AdrSample:
    f_cnt: int
    max_snr_db: float
    tx_power_index: int
    gateway_count: int


@dataclass(slots=True)
class Session:
    dev_addr: bytes
    keys: SessionKeys
    f_cnt_down: int = 0
    adr: bool = False
    dr: int = 0
    tx_power_index: int = 0
    tx_power_index_max: int = 0  # 0: not known to be lower than the region's
    nb_trans: int = 1
    rx1_delay_s: int = 1
    rx1_dr_offset: int = 0
    rx2_dr: int = 0
    rx2_frequency_hz: int = 869_525_000
    enabled_channels: list[int] = field(default_factory=list)
    extra_channels: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # Hz, DR, DR
    adr_history: list[AdrSample] = field(default_factory=list)
    pending_mac: dict[int, list[bytes]] = field(default_factory=dict)  # CID -> sent commands
    mac_error_count: dict[int, int] = field(default_factory=dict)
    device_status_requested_ns: int | None = None
    rx_info: list[gw.UplinkRxInfo] = field(default_factory=list)  # of the last uplink
    rx_dr: int = 0


@dataclass(slots=True)
class Device:
    dev_eui: str
    name: str
    application_id: str
    device_profile_id: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    join_eui: str = "0000000000000000"
    skip_f_cnt_check: bool = False
    is_disabled: bool = False
    class_enabled: int = common.CLASS_A
    f_cnt_up: int = 0  # the next one expected
    session: Session | None = None
    margin: int | None = None
    external_power_source: bool = False
    battery_level: float | None = None
    created_ns: int = 0
    updated_ns: int = 0
    last_seen_ns: int | None = None


@dataclass(slots=True)
class Gateway:
    gateway_id: str
    tenant_id: str
    name: str = ""
    description: str = ""
    location: common.Location = field(default_factory=common.Location)
    tags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    stats_interval_s: int = 30
    downlink_priority: int = 10
    created_ns: int = 0
    updated_ns: int = 0
    last_seen_ns: int | None = None


@dataclass(slots=True)
class ApiKey:
    id: str
    name: str
    is_admin: bool = False
    tenant_id: str = ""
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """A device with everything above it."""

    tenant: Tenant
    application: Application
    profile: DeviceProfile
    device: Device

    def tags(self) -> dict[str, str]:
        return {**self.application.tags, **self.profile.tags, **self.device.tags}


@dataclass(slots=True)
class Registry:
    tenants: dict[str, Tenant] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    profiles: dict[str, DeviceProfile] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    keys: dict[str, DeviceKeys] = field(default_factory=dict)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    api_keys: dict[str, ApiKey] = field(default_factory=dict)
    vendor_profiles: list[VendorProfile] = field(default_factory=list)

    def add_tenant(self, tenant: Tenant) -> None:
        self.tenants[tenant.id] = tenant

    def add_application(self, application: Application) -> None:
        _refer(self.tenants, application.tenant_id)
        self.applications[application.id] = application

    def add_profile(self, profile: DeviceProfile) -> None:
        _refer(self.tenants, profile.tenant_id)
        self.profiles[profile.id] = profile

    def put_vendor_profile(self, profile: VendorProfile) -> None:
        """Known again by device, region and firmware version."""
        raw = profile.raw
        for known in self.vendor_profiles:
            held = known.raw
            if (held.device_id, held.region, held.firmware_version) == (
                raw.device_id, raw.region, raw.firmware_version,
            ):  # fmt: skip
                raw.id = held.id
                self.vendor_profiles[self.vendor_profiles.index(known)] = profile
                return
        raw.id = str(UUID(int=len(self.vendor_profiles) + 1))
        self.vendor_profiles.append(profile)

    def by_profile_id(self, vendor_id: int, vendor_profile_id: int) -> VendorProfile:
        for profile in self.vendor_profiles:
            if (profile.vendor_id, profile.vendor_profile_id) == (vendor_id, vendor_profile_id):
                return profile
        raise NotFoundError(f"Vendor ID: {vendor_id}, Vendor Profile ID: {vendor_profile_id}")

    def add_device(self, device: Device) -> None:
        application = get(self.applications, device.application_id)
        self._check_device_count(get(self.tenants, application.tenant_id))
        _unique(self.devices, device.dev_eui, "device.dev_eui")
        _refer(self.profiles, device.device_profile_id)
        self.devices[device.dev_eui] = device

    def _check_device_count(self, tenant: Tenant) -> None:
        own = (self.applications[d.application_id].tenant_id for d in self.devices.values())
        if 0 < tenant.max_device_count <= sum(1 for t in own if t == tenant.id):
            raise ValidationError("Not allowed (Max number of devices exceeded for tenant)")

    def add_keys(self, keys: DeviceKeys) -> None:
        _unique(self.keys, keys.dev_eui, "device_keys.dev_eui")
        _refer(self.devices, keys.dev_eui)
        self.keys[keys.dev_eui] = keys

    def add_gateway(self, gateway: Gateway) -> None:
        tenant = get(self.tenants, gateway.tenant_id)
        if not tenant.can_have_gateways:
            raise ValidationError("Not allowed (Tenant can not have gateways)")
        _unique(self.gateways, gateway.gateway_id, "gateway.gateway_id")
        self.gateways[gateway.gateway_id] = gateway

    def remove_device(self, dev_eui: str) -> None:
        get(self.devices, dev_eui)
        del self.devices[dev_eui]
        self.keys.pop(dev_eui, None)

    def remove_application(self, application_id: str) -> list[str]:
        """Remove it with its devices; their DevEUIs come back."""
        get(self.applications, application_id)
        del self.applications[application_id]
        own = [d.dev_eui for d in self.devices.values() if d.application_id == application_id]
        for dev_eui in own:
            self.remove_device(dev_eui)
        return own

    def remove_profile(self, profile_id: str) -> None:
        get(self.profiles, profile_id)
        if any(d.device_profile_id == profile_id for d in self.devices.values()):
            raise ConstraintError("FOREIGN KEY constraint failed")
        del self.profiles[profile_id]

    def remove_tenant(self, tenant_id: str) -> list[str]:
        """Remove it with all it owns; the DevEUIs of its devices come back."""
        get(self.tenants, tenant_id)
        applications = [a.id for a in self.applications.values() if a.tenant_id == tenant_id]
        gone = [eui for a in applications for eui in self.remove_application(a)]
        self.profiles = {k: v for k, v in self.profiles.items() if v.tenant_id != tenant_id}
        self.gateways = {k: v for k, v in self.gateways.items() if v.tenant_id != tenant_id}
        del self.tenants[tenant_id]
        return gone

    def context(self, dev_eui: str) -> DeviceContext:
        device = get(self.devices, dev_eui)
        application = get(self.applications, device.application_id)
        return DeviceContext(
            tenant=get(self.tenants, application.tenant_id),
            application=application,
            profile=get(self.profiles, device.device_profile_id),
            device=device,
        )

    def by_dev_addr(self, dev_addr: bytes) -> list[Device]:
        return [
            d
            for d in self.devices.values()
            if d.session is not None and d.session.dev_addr == dev_addr and not d.is_disabled
        ]


def get(rows: Mapping[str, Row], key: str) -> Row:
    try:
        return rows[key]
    except KeyError:
        raise NotFoundError(key) from None


def _refer(rows: Mapping[str, object], key: str) -> None:
    if key not in rows:
        raise ConstraintError("FOREIGN KEY constraint failed")


def _unique(rows: Mapping[str, object], key: str, column: str) -> None:
    if key in rows:
        raise ConstraintError(f"UNIQUE constraint failed: {column}")
