# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The frame counters of all devices: fed by the pipeline, kept in the store's one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from revier_gateway.decode import decoded
from revier_gateway.events import Event, JoinEvent, LogEvent
from revier_gateway.gaps import frames
from revier_gateway.gaps.frames import FrameState, Heard, Hole
from revier_gateway.identity import DeviceState
from revier_gateway.uplink import Uplink
from revier_gateway.values import unix_ms
from revier_gateway.work import Work

MINUTE_MS = 60_000
MINUTES_KEPT = 7 * 24 * 60
SEVERAL = "several"
DIAGNOSIS_PORT, BATCH_PORT, BACKFILL_PORT = 1, 11, 5
NEW_STRETCH = 1 << 20  # readings; ten years of an air node
SPEAKING_PORTS = (DIAGNOSIS_PORT, BATCH_PORT, BACKFILL_PORT)  # that tell of other frames
SEQ_LEAPT, F_CNT_LEAPT = 1 << 4, 1 << 5  # of a diagnosis's status
Said = Mapping[str, int | None]  # a diagnosis; empty: the frame is none
RETRANSMISSION = "UPLINK_F_CNT_RETRANSMISSION"


class Kept(Protocol):
    """What the ledger reads of the store."""

    @property
    def database(self) -> sqlite3.Connection: ...
    def frame_state(self, dev_eui: str) -> FrameState: ...


class Ledger:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._minutes: dict[int, str] = {}  # who was heard in which minute

    def state(self, dev_eui: str, work: Work | None = None) -> FrameState:
        return self._kept.frame_state(dev_eui) if work is None else work.frame_state(dev_eui)

    def set(self, dev_eui: str, state: FrameState, work: Work) -> None:
        """The state from now on, when the work is committed."""
        work.set_frame_state(dev_eui, state)

    def noticed_before(self, at_ms: int, limit: int) -> list[str]:
        """Devices with a hole that was noticed by then and is not declared, oldest first."""
        sql = "SELECT dev_eui FROM frames WHERE noticed_ms <= ? ORDER BY noticed_ms LIMIT ?"
        return [dev_eui for (dev_eui,) in self._kept.database.execute(sql, (at_ms, limit))]

    # -- the pipeline's listener

    def listen(self, what: Uplink | Event, now_ms: int, work: Work) -> None:
        if isinstance(what, Uplink):
            self._hear(what, now_ms, work)
        elif isinstance(what, JoinEvent) and what.time is not None:
            dev_eui = what.device_info.dev_eui
            state = frames.join(self.state(dev_eui, work), what.dev_addr, unix_ms(what.time))
            self.set(dev_eui, state, work)
        elif isinstance(what, LogEvent) and what.code == RETRANSMISSION:
            self._served(what, work)

    def let_pass(self, up: Uplink, _: Work) -> bool:
        """Usual frames are counted by what is kept of them (known.py)."""
        self._note_minute(up.dev_eui, up.counted_ms)
        return True

    def _hear(self, up: Uplink, now_ms: int, work: Work) -> None:
        dev_eui, at_ms = up.dev_eui, up.counted_ms
        self._note_minute(dev_eui, at_ms)
        state, device = work.frame_state(dev_eui), up.device
        owner = (device.tenant_id, device.application_id)
        usual = None
        if owner == (state.tenant_id, state.application_id):
            usual = frames.usual(state, up.dev_addr, up.f_cnt, at_ms)
        if usual is None:
            heard = frames.hear(state, up.dev_addr, up.f_cnt, at_ms, now_ms)
        elif up.f_port not in SPEAKING_PORTS and not usual.sessions[-1].holes:
            self.set(dev_eui, usual, work)
            return
        else:
            heard = Heard(usual, "new")
        state = heard.state
        said = decoded(up).values if up.f_port == DIAGNOSIS_PORT else {}
        if said and heard.verdict == "new":
            state = _look_back(state, up, said, work.device_state(up.dev_eui), now_ms)
        if (said.get("status") or 0) & F_CNT_LEAPT:
            state = frames.leapt(state, up.dev_addr, up.f_cnt)
        if state.sessions[-1].holes and heard.verdict != "filled":
            state = self._look_closer(state, up, work)
        if at_ms > state.received_ms or not state.application_id:
            sessions, newest_ms = state.sessions, max(at_ms, state.received_ms)
            state = FrameState(sessions, *owner, newest_ms)
        self.set(dev_eui, state, work)
        if heard.gap:
            work.changes.append(lambda db: _fill(db, heard.gap, now_ms))
        if up.f_port in (BATCH_PORT, BACKFILL_PORT):
            work.changes.append(lambda db: _look(db, up.dev_eui, now_ms))

    def _look_closer(self, state: FrameState, up: Uplink, work: Work) -> FrameState:
        """The identities are those of the frames before this one: where it parts a hole in two, the
        next one tells which readings lie on either side."""
        known = frames.with_sequences(state, work.device_state(up.dev_eui))
        for before, after in zip(state.holes, known.holes, strict=True):
            if after.gap and after is not before:
                work.changes.append(partial(_learn, after))
        return known

    def _served(self, event: LogEvent, work: Work) -> None:
        text = event.context.get("f_cnt_up", "")
        dev_eui = event.device_info.dev_eui
        state = self.state(dev_eui, work)
        if text.isascii() and text.isdigit() and state.holes:
            self.set(dev_eui, frames.served(state, int(text)), work)

    def others_heard(self, dev_eui: str, after_ms: int, before_ms: int) -> bool:
        """Since the start: was any other device heard in a whole minute between?"""
        minutes = range(after_ms // MINUTE_MS + 1, before_ms // MINUTE_MS)
        if len(minutes) > MINUTES_KEPT:
            return False
        return any(self._minutes.get(minute, dev_eui) != dev_eui for minute in minutes)

    def _note_minute(self, dev_eui: str, at_ms: int) -> None:
        minute = at_ms // MINUTE_MS
        if self._minutes.get(minute) == SEVERAL:
            return
        if self._minutes.setdefault(minute, dev_eui) != dev_eui:
            self._minutes[minute] = SEVERAL
        elif len(self._minutes) > MINUTES_KEPT:
            del self._minutes[next(iter(self._minutes))]


def _look_back(
    state: FrameState, up: Uplink, said: Said, device: DeviceState, now_ms: int
) -> FrameState:
    """Of a session in which no reading was heard yet: what was taken before it began? Of a board
    that was provisioned anew, and so began a new stretch of the sequence, nobody can say."""
    next_seq, first = said.get("seq"), device.newest_seq + 1
    is_new = not any(known.dev_addr == up.dev_addr for known in device.sessions)
    if not is_new or first <= 0 or next_seq is None or not 0 < next_seq - first < NEW_STRETCH:
        return state
    leapt = bool((said.get("status") or 0) & SEQ_LEAPT)
    return frames.rejoined(state, up.dev_addr, (first, next_seq - 1), now_ms, leapt=leapt)


def _fill(db: sqlite3.Connection, gap: int, now_ms: int) -> None:
    sql = "UPDATE gaps SET frames = frames - 1, look_ms = ? WHERE number = ? AND frames > 0"
    db.execute(sql, (now_ms, gap))


def _learn(hole: Hole, db: sqlite3.Connection) -> None:
    """A hole that was filled in its middle is two, of one gap."""
    sql = (
        "UPDATE gaps SET seq_first = min(coalesce(seq_first, ?1), ?1),"
        " seq_last = max(coalesce(seq_last, ?2), ?2), look_ms = 0 WHERE number = ?3"
    )
    db.execute(sql, (hole.seq_first, hole.seq_last, hole.gap))


def _look(db: sqlite3.Connection, dev_eui: str, now_ms: int) -> None:
    sql = "UPDATE gaps SET look_ms = ? WHERE dev_eui = ? AND state = 'missing'"
    db.execute(sql, (now_ms, dev_eui))
