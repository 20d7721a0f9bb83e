# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The fleet in other programs' formats. Pure; only two of them can hold keys.

TTS = The Things Stack, "CSV File Reference" (semicolon, header, dev_eui, join_eui, app_key);
RFC 7946 = GeoJSON (longitude before latitude, WGS 84).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from revier_inventory import Asset, Inventory
from revier_provision.fleet.asset_plan import rows_of
from revier_provision.fleet.asset_rows import write_csv
from revier_provision.links import JOIN_EUI_NONE
from revier_provision.lns.chirpstack import PROFILE_NAME

FREQUENCY_PLAN = "EU_863_870"
LORAWAN_VERSION = "MAC_V1_0_4"
LORAWAN_PHY_VERSION = "RP002_V1_0_4"
COORDINATE_DIGITS = 7  # about a centimetre

TTS_COLUMNS = (
    "id",
    "dev_eui",
    "join_eui",
    "name",
    "description",
    "lorawan_version",
    "lorawan_phy_version",
    "frequency_plan_id",
    "app_key",
)
CHIRPSTACK_COLUMNS = (
    "dev_eui",
    "join_eui",
    "name",
    "description",
    "device_profile",
    "tag:asset",
    "tag:ags",
)
NWK_KEY = "nwk_key"  # where ChirpStack has the AppKey of LoRaWAN 1.0.x


class ExportedNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node that serves an asset now. It has no field that shows a key."""

    dev_eui: str
    join_eui: str
    asset: Asset


def nodes_of(
    inventory: Inventory, join_euis: Mapping[str, str] | None = None
) -> tuple[ExportedNode, ...]:
    """`join_euis` by DevEUI where they are known; others have none (all zeros)."""
    found = []
    for period in inventory.periods:
        asset = inventory.asset(period.asset)
        if period.until is None and asset is not None:
            join_eui = (join_euis or {}).get(period.dev_eui, JOIN_EUI_NONE)
            found.append(ExportedNode(dev_eui=period.dev_eui, join_eui=join_eui, asset=asset))
    return tuple(found)


def tts_csv(nodes: Iterable[ExportedNode], app_keys: Mapping[str, bytes]) -> str:
    """For the import of The Things Stack; every node needs its key."""
    return _csv(
        TTS_COLUMNS,
        (
            {
                "id": f"eui-{node.dev_eui}",
                "dev_eui": node.dev_eui.upper(),
                "join_eui": node.join_eui.upper(),
                "name": node.asset.asset,
                "description": node.asset.name,
                "lorawan_version": LORAWAN_VERSION,
                "lorawan_phy_version": LORAWAN_PHY_VERSION,
                "frequency_plan_id": FREQUENCY_PLAN,
                "app_key": app_keys[node.dev_eui].hex().upper(),
            }
            for node in nodes
        ),
        ";",
    )


def chirpstack_csv(
    nodes: Iterable[ExportedNode], app_keys: Mapping[str, bytes] | None = None
) -> str:
    """Names as in ChirpStack's API; itself it imports no CSV: for scripts and migrations."""
    columns = (*CHIRPSTACK_COLUMNS, NWK_KEY) if app_keys is not None else CHIRPSTACK_COLUMNS
    rows = []
    for node in nodes:
        row = {
            "dev_eui": node.dev_eui,
            "join_eui": node.join_eui,
            "name": node.asset.asset,
            "description": node.asset.name,
            "device_profile": PROFILE_NAME.format(kind=node.asset.kind),
            "tag:asset": node.asset.asset,
            "tag:ags": node.asset.ags,
        }
        if app_keys is not None:
            row[NWK_KEY] = app_keys[node.dev_eui].hex()
        rows.append(row)
    return _csv(columns, rows, ",")


def asset_csv(inventory: Inventory, *, german: bool = False) -> str:
    """As `plan` takes it back; calibrations are not in it."""
    return write_csv(rows_of(inventory.assets), german=german)


def geojson(inventory: Inventory) -> str:
    """The assets as points (RFC 7946). No device: a map of places, that can be given away."""
    features = [_feature(asset) for asset in inventory.assets]
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, ensure_ascii=False, indent=1) + "\n"


def _feature(asset: Asset) -> dict[str, Any]:
    position = [round(asset.lon, COORDINATE_DIGITS), round(asset.lat, COORDINATE_DIGITS)]
    left_out = ("lon", "lat", "calibrations", "note")
    properties = {
        name: getattr(asset, name)
        for name in asset.__struct_fields__
        if name not in left_out and getattr(asset, name) is not None
    }
    return {
        "type": "Feature",
        "id": asset.asset,
        "geometry": {"type": "Point", "coordinates": position},
        "properties": properties,
    }


def _csv(columns: tuple[str, ...], rows: Iterable[dict[str, str]], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
