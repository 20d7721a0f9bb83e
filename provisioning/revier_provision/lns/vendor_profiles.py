# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Device profiles under their vendor's numbers, as `chirpstack import-device-profiles` reads them.

CS = ChirpStack 4.16 or newer, chirpstack/src/cmd/import_device_profiles.rs; the folder is that of
github.com/chirpstack/chirpstack-device-profiles. CS's API reads a profile by these numbers
(GetByProfileId) and writes none: Create and Update have no field for them. So whoever runs
ChirpStack imports the folder once, and its page "Add device" finds the profile of a scanned label.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from revier_inventory.model import Kind
from revier_provision.labels.tr005 import VENDOR_PROFILE_BY_KIND

REGION, MAC_VERSION, REGIONAL_PARAMETERS = "EU868", "1.0.4", "RP002-1.0.4"
MAX_EIRP_DBM = 16  # EU868 (RP002-1.0.4 2.5.3)
# One for all: f_ports are never reused, so the newest codec reads every version. CS keeps a profile
# for each version that it ever imported, under the same number, and takes any of them.
FIRMWARE_VERSION = "all"
NAME_BY_KIND: dict[Kind, str] = {
    "air": "Revier air", "parking": "Revier parking", "waste": "Revier waste"
}  # fmt: skip
# CS knows vendors and devices again by their ids: an import repeated is an update.
NAMESPACE = UUID("6d2a5b5e-6a0b-5c0c-8a59-5e3d4f1c2b10")


def files(vendor_id: str, codec_js: str) -> dict[str, str]:
    """Path in the folder -> text. `vendor_id`: 4 upper-case hex digits, as on the label."""
    base = "vendors/revier"
    made = {f"{base}/vendor.toml": _vendor(vendor_id), f"{base}/codecs/revier.js": codec_js}
    for kind, number in VENDOR_PROFILE_BY_KIND.items():
        made[f"{base}/devices/{kind}.toml"] = _device(vendor_id, kind)
        made[f"{base}/profiles/{kind}-{REGION}.toml"] = _profile(vendor_id, kind, number)
    return made


def _vendor(vendor_id: str) -> str:
    return f"""\
[vendor]
id = "{_id(vendor_id, "vendor")}"
name = "Revier"
vendor_id = {int(vendor_id, 16)}  # {vendor_id} of the LoRa Alliance
ouis = []
"""


def _device(vendor_id: str, kind: Kind) -> str:
    return f"""\
[device]
id = "{_id(vendor_id, f"device {kind}")}"
name = "{NAME_BY_KIND[kind]}"
description = "A node that measures: {kind}"

[[device.firmware]]
version = "{FIRMWARE_VERSION}"
profiles = ["{kind}-{REGION}.toml"]
codec = "revier.js"
"""


def _profile(vendor_id: str, kind: Kind, number: int) -> str:
    return f"""\
[profile]
id = "{_id(vendor_id, f"profile {kind}")}"
vendor_profile_id = {number}
region = "{REGION}"
mac_version = "{MAC_VERSION}"
reg_params_revision = "{REGIONAL_PARAMETERS}"
supports_otaa = true
supports_class_b = false
supports_class_c = false
max_eirp = {MAX_EIRP_DBM}
"""


def _id(vendor_id: str, what: str) -> UUID:
    return uuid5(NAMESPACE, f"{vendor_id} {what}")
