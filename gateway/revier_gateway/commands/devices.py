# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What is known of a device, in one record: for `revier-gateway devices` and for requests."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

import msgspec

from revier_gateway.commands import settings, table
from revier_gateway.store_journal import device_now
from revier_gateway.values import instant_of_ms
from revier_inventory import Inventory

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def record(
    db: sqlite3.Connection, inventory: Inventory, dev_eui: str, now: datetime
) -> dict[str, Any]:
    asset = inventory.asset_of(dev_eui, now)
    device = device_now(db, dev_eui)
    last_ms, heard = (None, 0) if device is None else (device.last_ms, device.heard)
    sessions = device.frames.sessions if device and device.frames else ()
    spoken = [one for one in sessions if one.newest >= 0]
    had = table.settings(db, dev_eui)
    sql = "SELECT count(*) FROM gaps WHERE dev_eui = ? AND state = 'missing'"
    (gaps,) = db.execute(sql, (dev_eui,)).fetchone()
    sql = "SELECT count(*) FROM commands WHERE dev_eui = ? AND ended_ms IS NULL"
    (commands,) = db.execute(sql, (dev_eui,)).fetchone()
    return {
        "device": dev_eui,
        "asset": asset.asset if asset else None,
        "ags": asset.ags if asset else None,
        "last_heard": None if last_ms is None else instant_of_ms(last_ms),
        "frames": heard,
        "f_cnt": spoken[-1].newest if spoken else None,
        "battery": _battery(db, asset.asset) if asset else None,
        "settings": settings.status_of(had),
        "desired": had.desired,
        "desired_hash": had.accepted_hash or settings.hash_wanted(had),
        "reported_hash": had.reported_hash,
        "gaps": gaps,
        "commands": commands,
    }


def _battery(db: sqlite3.Connection, asset: str) -> float | None:
    """Volts, of the newest reading that tells it."""
    sql = "SELECT payload FROM history WHERE asset = ? ORDER BY t_ms DESC LIMIT 100"
    for (payload,) in db.execute(sql, (asset,)):
        value = _decode(payload)["m"].get("battery", {}).get("v")
        if value is not None:
            return float(value)
    return None
