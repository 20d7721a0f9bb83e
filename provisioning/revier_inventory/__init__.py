# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What stands where, who owns it, and which device served it when: pure types, text and checks.

    from revier_inventory import load
    inventory = load({path.name: path.read_text("utf-8") for path in folder.glob("*.toml")})
    asset = inventory.asset_of("70b3d57ed0001234", measured_at)
    inventory.may_write(tenant_id, application_id, asset.ags)

The files are described in docs/protocol/inventory.md.
"""

from revier_inventory.change import (
    begin_period,
    end_period,
    move_begin,
    put_asset,
    put_owner,
    put_radio_gateway,
    put_site,
)
from revier_inventory.errors import Finding, InventoryError
from revier_inventory.inventory import Inventory
from revier_inventory.model import (
    ASSET_NAME,
    DOMAIN_BY_KIND,
    FILE_NAMES,
    Asset,
    Calibration,
    DevicePeriod,
    Owner,
    RadioGateway,
    Site,
)
from revier_inventory.text import dump, load

__all__ = [
    "ASSET_NAME",
    "DOMAIN_BY_KIND",
    "FILE_NAMES",
    "Asset",
    "Calibration",
    "DevicePeriod",
    "Finding",
    "Inventory",
    "InventoryError",
    "Owner",
    "RadioGateway",
    "Site",
    "begin_period",
    "dump",
    "end_period",
    "load",
    "move_begin",
    "put_asset",
    "put_owner",
    "put_radio_gateway",
    "put_site",
]
