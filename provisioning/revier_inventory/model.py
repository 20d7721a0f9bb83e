# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The inventory's records. Field names are the TOML keys; docs/protocol/inventory.md explains each.

Times are timezone-aware datetimes. Identifiers of devices, radio gateways, tenants and applications
are lower-case, as ChirpStack prints them.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["air", "parking", "waste"]

DOMAIN_BY_KIND: dict[str, str] = {"air": "airquality", "parking": "parking", "waste": "waste"}

ASSET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}\Z")
AGS = re.compile(r"[0-9]{8}\Z")  # Amtlicher Gemeindeschluessel
EUI = re.compile(r"[0-9a-f]{16}\Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

FORMAT = 1
NAME_CHARS_MAX = 120
NOTE_CHARS_MAX = 500
RECORDS_PER_FILE_MAX = 200_000
DISTANCE_MM_MAX = 10_000


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all records share."""


class Owner(Record, frozen=True, kw_only=True):
    """A municipality, and the ChirpStack tenants and applications that may write for it."""

    ags: str
    name: str
    tenant_ids: tuple[str, ...] = ()
    application_ids: tuple[str, ...] = ()
    note: str = ""


class Site(Record, frozen=True, kw_only=True):
    """A place with several assets, for example a car park."""

    site: str
    ags: str
    name: str
    lon: float
    lat: float
    capacity: int | None = None
    note: str = ""


class Calibration(Record, frozen=True, kw_only=True):
    """value = factor * raw + offset, for one field, from `since` until the field's next record."""

    field: str
    since: datetime
    factor: float = 1.0
    offset: float = 0.0
    method: str = ""


class Asset(Record, frozen=True, kw_only=True):
    """One thing that is measured: a place in the air, a bay, a container."""

    asset: str
    kind: Kind
    ags: str
    name: str
    lon: float
    lat: float
    site: str | None = None
    bay: str | None = None
    empty_mm: int | None = None
    full_mm: int | None = None
    volume_l: int | None = None
    waste_kind: str | None = None
    licence: str | None = None
    calibrations: tuple[Calibration, ...] = ()
    note: str = ""

    @property
    def domain(self) -> str:
        """The feed topic's level: airquality, parking or waste."""
        return DOMAIN_BY_KIND[self.kind]


class DevicePeriod(Record, frozen=True, kw_only=True):
    """The device served the asset from `since` (inclusive) to `until` (exclusive; None: still)."""

    dev_eui: str
    asset: str
    since: datetime
    until: datetime | None = None


class RadioGateway(Record, frozen=True, kw_only=True):
    """A LoRaWAN gateway on a roof (not the program revier-gateway).

    `ags`: the owner in whose tenant it is registered; None: not known.
    """

    gateway_id: str
    name: str
    lon: float
    lat: float
    altitude_m: float | None = None
    ags: str | None = None
    note: str = ""


# File name -> (table name in the file, record). The order is that of the checks and of the dump.
OWNERS, SITES, ASSETS = "owners.toml", "sites.toml", "assets.toml"
DEVICES, RADIO_GATEWAYS = "devices.toml", "radio_gateways.toml"
TABLES: dict[str, tuple[str, type[Record]]] = {
    OWNERS: ("owner", Owner),
    SITES: ("site", Site),
    ASSETS: ("asset", Asset),
    DEVICES: ("period", DevicePeriod),
    RADIO_GATEWAYS: ("radio_gateway", RadioGateway),
}
FILE_NAMES = tuple(TABLES)
