# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the rules look at: the gateway's state at one moment, as plain values."""

from __future__ import annotations

import msgspec


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are those of a gateway at which nothing is wrong."""

    source_online: bool = True
    source_reason: str = ""  # why it is not
    source_silent_s: float | None = None  # since the last event, where that is too long
    feed_online: bool = True
    feed_reason: str = ""
    feed_refused: int = 0  # messages in the last hour that the feed's broker did not take
    canary_lost_s: float | None = None  # since the last one came back, where that is too long
    disk_free_bytes: int = 1 << 40
    disk_free_share: float = 1.0
    store_fault: str = ""  # why the store does not take a transaction
    outbox_rows: int = 0
    outbox_rows_before: int = 0  # ten minutes ago
    quarantined: int = 0  # rows in the last hour
    radio_gateways_offline: dict[str, float] = {}  # id: silent for s
    assets_offline: dict[str, float | None] = {}  # name: silent for s, None: never heard
    battery_v: dict[str, float] = {}  # name: newest voltage
    battery_low_v: float = 2.95
    certificate_days: dict[str, float] = {}  # of which certificate: days that it is still valid
    clock_ahead_s: float | None = None  # ours before the network server's; None: not known
    inventory_fault: str = ""
