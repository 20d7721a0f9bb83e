# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""`chirpstack import-device-profiles`: profiles of no tenant, under their vendor's numbers.

As ChirpStack 4.20 does it (chirpstack/src/cmd/import_device_profiles.rs): every file of `devices`
is read, an unknown field is ignored, a missing one has its default, one of another type ends the
import; a profile is known again by device, region and firmware version.
"""

import tomllib
from pathlib import Path
from typing import Any
from uuid import UUID

from chirpstack_api import api
from chirpstack_api.common import common_pb2

from revier_bench.network_server.registry import Registry, VendorProfile

I32_MAX = 2**31 - 1
VENDOR = {"id": UUID(int=0), "name": "", "vendor_id": 0, "ouis": [], "metadata": {}}
DEVICE = {"id": UUID(int=0), "name": "", "description": "", "firmware": [], "metadata": {}}
PROFILE = {
    "id": UUID(int=0), "vendor_profile_id": 0, "region": "EU868", "mac_version": "1.0.4",
    "reg_params_revision": "RP002-1.0.4", "supports_otaa": False, "supports_class_b": False,
    "supports_class_c": False, "max_eirp": 0,
}  # fmt: skip
REVISIONS = {"A", "B", *(f"RP002-1.0.{minor}" for minor in range(6))}
MAC_VERSIONS = {"1.0": "1.0.0", "1.1": "1.1.0"}
UPLINK_INTERVAL_S = 3600


class ImportRefusedError(Exception):
    """The folder is not as the import reads it; what came before stays imported."""


def import_device_profiles(folder: Path, registry: Registry) -> int:
    """How many profiles were read. Raises ImportRefusedError."""
    vendors = sorted((folder / "vendors").iterdir())
    return sum(
        _vendor(path, registry)
        for path in vendors
        if path.is_dir() and path.name != "example-vendor"
    )


def _vendor(folder: Path, registry: Registry) -> int:
    vendor = _table(folder / "vendor.toml", "vendor", VENDOR)
    devices = sorted((folder / "devices").iterdir())
    return sum(_device(folder, vendor, path, registry) for path in devices)


def _device(folder: Path, vendor: dict[str, Any], path: Path, registry: Registry) -> int:
    device = _table(path, "device", DEVICE)
    count = 0
    for firmware in device["firmware"]:
        if not isinstance(firmware.get("version"), str) or "profiles" not in firmware:
            raise ImportRefusedError(f"{path}: a firmware needs version and profiles")
        codec = firmware.get("codec")
        script = (folder / "codecs" / codec).read_text("utf-8") if codec is not None else ""
        for name in firmware["profiles"]:
            profile = _table(folder / "profiles" / name, "profile", PROFILE)
            registry.put_vendor_profile(_row(vendor, device, firmware["version"], profile, script))
            count += 1
    return count


def _row(
    vendor: dict[str, Any],
    device: dict[str, Any],
    version: str,
    profile: dict[str, Any],
    script: str,
) -> VendorProfile:
    runtime = api.CodecRuntime.JS if script else api.CodecRuntime.NONE
    mac_version = MAC_VERSIONS.get(profile["mac_version"], profile["mac_version"])
    try:
        raw = api.DeviceProfile(
            name=device["name"],
            description=device["description"],
            region=common_pb2.Region.Value(profile["region"].replace("-", "_")),
            mac_version=common_pb2.MacVersion.Value(f"LORAWAN_{mac_version.replace('.', '_')}"),
            reg_params_revision=_revision(profile["reg_params_revision"]),
            adr_algorithm_id="default",
            payload_codec_runtime=runtime,
            payload_codec_script=script,
            flush_queue_on_activate=True,
            uplink_interval=UPLINK_INTERVAL_S,
            device_status_req_interval=1,
            supports_otaa=profile["supports_otaa"],
            supports_class_b=profile["supports_class_b"],
            supports_class_c=profile["supports_class_c"],
            device_id=str(device["id"]),
            firmware_version=version,
        )
    except ValueError as error:
        raise ImportRefusedError(f"{device['name']}: {error}") from None
    return VendorProfile(
        vendor_id=vendor["vendor_id"], vendor_profile_id=profile["vendor_profile_id"], raw=raw
    )


def _revision(text: str) -> int:
    if text not in REVISIONS:
        raise ValueError(f"unexpected revision {text}")
    return int(common_pb2.RegParamsRevision.Value(text.replace("-", "_").replace(".", "_")))


def _table(path: Path, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The table with its defaults; types as serde asks for them."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))[name]
    except (OSError, ValueError, KeyError) as error:
        raise ImportRefusedError(f"{path}: {error!r}") from None
    table = {}
    for field, default in fields.items():
        value = found.get(field, default)
        if isinstance(default, UUID) and isinstance(value, str):
            value = UUID(value)
        wrong = type(value) is not type(default)
        if wrong or (isinstance(value, int) and not 0 <= value <= I32_MAX):
            raise ImportRefusedError(f"{path}: invalid type for {field}: {value!r}")
        table[field] = value
    return table
