# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the alerts' rules look at, gathered: links, disk, outbox, quarantine, clock."""

from __future__ import annotations

import shutil
from collections import deque
from typing import Any

from revier_gateway.alerts.facts import Facts
from revier_gateway.config import Config
from revier_gateway.store import Store
from revier_gateway.watch.ago import Ago

OUTBOX_AGO_S = 600.0
QUARANTINE_AGO_S = 3600.0
DELAYS_MAX = 200  # newest events whose delay is known
DELAY_KEPT_S = 600.0
# While so many rows wait, the canary waits among them, and says nothing about the feed.
OUTBOX_ROWS_OPEN_MAX = 1000


class Surroundings:
    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self._store = store
        self._online = {"source": False, "feed": False}
        self._reasons: dict[str, str] = {}
        self._delays: deque[tuple[int, float]] = deque(maxlen=DELAYS_MAX)
        self._waiting: Ago[int] = Ago(OUTBOX_AGO_S)
        self._quarantine_id: Ago[int] = Ago(QUARANTINE_AGO_S)
        self.certificate_days: dict[str, float] = {}
        self.inventory_fault = ""
        self.held_back = ""  # why no event is taken from ChirpStack's broker

    # -- told

    def set_link(self, name: str, online: bool) -> None:
        self._online[name] = online

    def link_lost(self, name: str, reason: str) -> None:
        self._reasons[name] = reason

    def note_delay(self, behind_s: float, now_ms: int) -> None:
        self._delays.append((now_ms, behind_s))

    # -- asked

    def is_online(self, name: str) -> bool:
        return self._online.get(name, False)

    @property
    def feed_is_open(self) -> bool:
        """What is put into the outbox now leaves now."""
        return self.is_online("feed") and self._store.waiting < OUTBOX_ROWS_OPEN_MAX

    def clock_ahead_s(self, now_ms: int) -> float | None:
        """Our clock before the network server's: the least delay of the newest events, because a
        backlog or a slow way makes an event old, and only a wrong clock makes it young."""
        recent = [s for at_ms, s in self._delays if at_ms > now_ms - DELAY_KEPT_S * 1000]
        return min(recent) if recent else None

    def facts(self, now_ms: int, **seen: Any) -> Facts:
        """seen: the facts that the watch itself knows."""
        disk = shutil.disk_usage(self._store.path.parent)
        self._waiting.note(self._store.waiting, now_ms)
        self._quarantine_id.note(self._newest_quarantined(), now_ms)
        by_leg = self._quarantined_by_leg()
        return Facts(
            source_online=self.is_online("source"),
            source_reason=self._reasons.get("source", ""),
            feed_online=self.is_online("feed"),
            feed_reason=self._reasons.get("feed", ""),
            feed_refused=by_leg.get("feed", 0),
            disk_free_bytes=disk.free,
            disk_free_share=disk.free / disk.total,
            outbox_rows=self._store.waiting,
            outbox_rows_before=self._waiting.oldest,
            quarantined=by_leg.get("source", 0),
            battery_low_v=self.config.watch.battery_low_v,
            certificate_days=dict(self.certificate_days),
            clock_ahead_s=self.clock_ahead_s(now_ms),
            inventory_fault=self.inventory_fault,
            **seen,
        )

    def _newest_quarantined(self) -> int:
        (newest,) = self._store.database.execute("SELECT max(id) FROM quarantine").fetchone()
        return newest or 0

    def _quarantined_by_leg(self) -> dict[str, int]:
        """Rows since an hour ago, or since the start."""
        sql = "SELECT leg, count(*) FROM quarantine WHERE id > ? GROUP BY leg"
        return dict(self._store.database.execute(sql, (self._quarantine_id.oldest,)))
