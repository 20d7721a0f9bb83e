# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A message of our own through outbox and feed, read back by a subscriber of ours.

Connected and subscribed is not alive: brokers have been seen to take everything and to deliver
nothing. What does not come back within a few intervals, while the feed says that it is connected,
is lost; so it is where the broker lets our reader not in, or grants it no subscription.
"""

from __future__ import annotations

from collections import OrderedDict

LOST_AFTER_INTERVALS = 3
LOST_AFTER_MIN_S = 35.0  # the reader's longest back-off, and a little
UNDER_WAY_MAX = 100


class Canary:
    def __init__(self, every_s: float, now_ms: int) -> None:
        self._every_ms = every_s * 1000
        self._next_ms = float(now_ms)
        self._count = 0
        self._sent: OrderedDict[int, int] = OrderedDict()  # number: sent_ms
        self._online_ms: int | None = None  # since when the feed is open, under these settings
        self.back_ms: int | None = None  # when one came back last
        self.round_trip_s: float | None = None

    def set_every(self, every_s: float, now_ms: int) -> None:
        """From now on; the silence so far was right by the interval before."""
        self._every_ms = every_s * 1000
        self._next_ms = float(now_ms)
        if self._online_ms is not None:
            self._online_ms = now_ms

    def due(self, now_ms: int) -> int | None:
        """The number of the one to send now."""
        if now_ms < self._next_ms:
            return None
        self._next_ms = now_ms + self._every_ms
        self._count += 1
        self._sent[self._count] = now_ms
        while len(self._sent) > UNDER_WAY_MAX:
            self._sent.popitem(last=False)
        return self._count

    def online(self, is_online: bool, now_ms: int) -> None:
        """The feed is connected, and what is put into the outbox leaves."""
        if not is_online:
            self._online_ms = None
        elif self._online_ms is None:
            self._online_ms = now_ms

    def came_back(self, number: int, now_ms: int) -> None:
        sent_ms = self._sent.pop(number, None)
        if sent_ms is None:
            return  # of an earlier run, or a second time
        self.back_ms = now_ms
        self.round_trip_s = (now_ms - sent_ms) / 1000

    def lost_s(self, now_ms: int) -> float | None:
        """Since when none has come back, where that is too long; None: all is well, or the feed is
        not open and nothing can be said."""
        if self._online_ms is None:
            return None
        since_ms = max(self._online_ms, self.back_ms or 0)
        silent_ms = now_ms - since_ms
        lost_after_ms = max(LOST_AFTER_INTERVALS * self._every_ms, LOST_AFTER_MIN_S * 1000)
        return silent_ms / 1000 if silent_ms > lost_after_ms else None
