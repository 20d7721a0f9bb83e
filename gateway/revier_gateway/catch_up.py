# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""After an outage: how fast the outbox may be emptied, how long it takes, and what goes first.

A broker queues only so many messages for a slow subscriber and drops the rest while every PUBACK
says success (measured with Mosquitto 2.0.11 and a subscriber that handles 500 messages/s: 1,885 of
20,000 arrived). So a long outbox is emptied at a pace that consumers bear. What a consumer needs at
once does not wait for its turn: alarms, then the newest state of each asset.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from revier_gateway.feed_messages import topic_of
from revier_gateway.outcomes import FeedMessage
from revier_gateway.store import Store

BEHIND_ROWS = 4000  # so many rows that wait are a catch-up at any pace
BEHIND_S = 2.0  # and so are this many seconds' worth
CAUGHT_UP_SHARE = 0.25  # of the rows with which it began to be one
BURST_S = 0.1
ALARMS_AHEAD_MAX = 1000
STATES_EVERY_S = 10.0
LOOK_AGAIN_S = 0.5

Turn = Literal["", "began", "ended"]


class CatchUp:
    """Time is an argument, in seconds of any clock that does not go back."""

    def __init__(self, per_s: int = 0) -> None:
        """per_s: messages per second while behind; 0: as fast as the broker answers."""
        self.per_s = per_s
        self.behind = False
        self.waiting = 0
        self._tokens = 0.0
        self._filled_s = 0.0
        self._began_s = 0.0
        self._began_rows = 0
        self._now_s = 0.0

    def look(self, waiting: int, now_s: float) -> Turn:
        """So many rows wait now."""
        self.waiting, self._now_s = waiting, now_s
        limit = min(BEHIND_ROWS, round(BEHIND_S * self.per_s)) if self.per_s else BEHIND_ROWS
        if not self.behind and waiting > limit:
            self.behind = True
            self._began_s, self._began_rows = now_s, waiting
            self._filled_s, self._tokens = now_s, 0.0
            return "began"
        if self.behind and waiting <= CAUGHT_UP_SHARE * limit:
            self.behind = False
            return "ended"
        return ""

    def room(self, window: int, now_s: float) -> int:
        """How many messages may go now, of as many as the window has room for."""
        if not self.behind or not self.per_s:
            return window
        burst = max(1.0, BURST_S * self.per_s)
        self._tokens = min(burst, self._tokens + (now_s - self._filled_s) * self.per_s)
        self._filled_s = now_s
        return min(window, int(self._tokens))

    def sent(self, messages: int) -> None:
        self._tokens -= messages

    @property
    def wait_s(self) -> float | None:
        """When to ask again although nothing has happened; None: not before something does."""
        if not self.behind:
            return None
        return max(BURST_S / 2, 1 / self.per_s) if self.per_s else LOOK_AGAIN_S

    @property
    def elapsed_s(self) -> float:
        return self._now_s - self._began_s

    @property
    def left_s(self) -> float | None:
        """By how the outbox has shrunk so far; at first by the pace; None where nobody knows."""
        if not self.behind:
            return None
        gone = self._began_rows - self.waiting
        if gone > 0 and self.elapsed_s > 1.0:
            return self.waiting * self.elapsed_s / gone
        return self.waiting / self.per_s if self.per_s else None


class _Subject(msgspec.Struct):
    asset: str  # urn:revier:{ags}:{domain}:{asset}


class Ahead:
    """Rows that go before their turn, and the memory that they have gone."""

    def __init__(self, store: Store, root: str) -> None:
        """root: of the feed's topics; empty: no states."""
        self._store = store
        self._root = root
        self._usable = True
        self.link_begins()

    def link_begins(self) -> None:
        self._rows: deque[FeedMessage] = deque()  # alarms
        self._states: dict[str, None] = {}  # assets, in order
        self._early = 0
        self._alarms: set[int] = set()
        self._last_alarm = 0
        self._stated: dict[str, int] = {}  # the time of the state that the broker has
        self._taken: dict[str, int] = {}
        self._states_s: float | None = None
        self._since_ms: int | None = None

    def link_lost(self, flight: list[FeedMessage]) -> None:
        """If it was by one of ours, the rows in their turn find out which."""
        if any(row.id < 0 for row in flight):
            self._usable = False

    def caught_up(self) -> None:
        self._usable = True
        self._rows.clear()
        self._states.clear()
        self._states_s = self._since_ms = None

    def fill(self, cursor: int, now_s: float) -> None:
        """cursor: the row that went last in its turn."""
        if not self._usable:
            return
        self._alarms = {row_id for row_id in self._alarms if row_id > cursor}
        after = max(cursor, self._last_alarm)
        alarms = self._store.alarms_after(after, ALARMS_AHEAD_MAX - len(self._alarms))
        if alarms:
            self._last_alarm = alarms[-1].id
            self._alarms.update(row.id for row in alarms)
            self._rows.extendleft(reversed(alarms))
        if self._root and (self._states_s is None or now_s - self._states_s > STATES_EVERY_S):
            self._states_s = now_s
            self._fill_states(cursor)

    def _fill_states(self, cursor: int) -> None:
        """An asset whose newest observation is older than the first row that waits has none there,
        or is a late one, which comes in its turn."""
        if self._since_ms is None:
            first = self._store.outbox_first(cursor)
            if first is None:
                return
            self._since_ms = first.t_ms
        for asset, t_ms, _ in self._store.newest(self._since_ms):
            if self._taken.get(asset, -1) < t_ms:
                self._taken[asset] = t_ms
                self._states[asset] = None

    def take(self, limit: int) -> list[FeedMessage]:
        rows = [self._rows.popleft() for _ in range(min(limit, len(self._rows)))]
        if not self._states:
            return rows
        with self._store.reading():
            while self._states and len(rows) < limit:
                asset = next(iter(self._states))
                del self._states[asset]
                row = self._state_of(asset)
                if row is not None:
                    rows.append(row)
        return rows

    def _state_of(self, asset: str) -> FeedMessage | None:
        """As it is now: 10,000 of them are not to wait in memory."""
        t_ms, payload = self._store.latest_ms(asset), self._store.newest_payload(asset)
        topic = _state_topic(self._root, payload)
        if t_ms is None or not topic:
            return None
        self._taken[asset] = t_ms
        self._early += 1
        return FeedMessage(topic, payload, "state", asset, t_ms, True, -self._early)

    def done(self, row: FeedMessage) -> None:
        """The broker has it."""
        if row.id < 0:
            self._stated[row.asset] = max(row.t_ms, self._stated.get(row.asset, -1))

    @property
    def some_went(self) -> bool:
        return bool(self._alarms)

    def has_gone(self, row: FeedMessage) -> bool:
        """An alarm, now come to its turn, that was sent before; it is answered for itself."""
        if row.id in self._alarms:
            self._alarms.discard(row.id)
            return True
        return False

    def is_overtaken(self, row: FeedMessage) -> bool:
        """A state that the broker has, or that a newer one will replace."""
        newest_ms = self._store.latest_ms(row.asset)
        older = newest_ms is not None and row.t_ms < newest_ms
        return older or row.t_ms <= self._stated.get(row.asset, -1)


def _state_topic(root: str, payload: bytes) -> str:
    try:
        _, _, ags, domain, asset = msgspec.json.decode(payload, type=_Subject).asset.split(":")
    except (msgspec.MsgspecError, ValueError):
        return ""
    return topic_of(root, ags, domain, asset, "state")
