# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The commands under way: the pipeline tells what was heard, the tracker what it means for them."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from revier_gateway import events
from revier_gateway.commands import fate, settings, table
from revier_gateway.commands.fate import Command
from revier_gateway.commands.making import new_command
from revier_gateway.decode import decoded
from revier_gateway.events import AckEvent, LogEvent, TxAckEvent
from revier_gateway.uplink import CLOCK_DIFFERENCE_MAX_MS, Uplink
from revier_gateway.work import Work
from revier_payload.downlinks import outcome_of

DIAGNOSIS_PORT, ANSWER_PORT, BACKFILL_PORT = 1, 3, 5
REVERTED = 1 << 7  # of a diagnosis's status: settings_reverted
EARLY_MAX = 200  # words about items whose id ChirpStack has not yet told us
NOT_TRANSMITTED = "DOWNLINK_GATEWAY"

Told = Callable[[Command, Work], None]


class Tracker:
    """told: is called for each change that somebody may want to know."""

    def __init__(self, db: sqlite3.Connection, told: Told) -> None:
        self._db = db
        self._told = told
        self._open: dict[str, dict[str, Command]] = {}  # by device and id, as the disk has them
        self._early: OrderedDict[str, fate.Event] = OrderedDict()
        self._remember({one.id: one for one in table.commands(db, "WHERE ended_ms IS NULL")})

    def open_of(self, dev_eui: str, work: Work | None = None) -> list[Command]:
        """Oldest first."""
        mine = dict(self._open.get(dev_eui, {}))
        if work is not None:
            mine |= {one.id: one for one in work.commands.values() if one.dev_eui == dev_eui}
        open_ = [one for one in mine.values() if not fate.is_over(one)]
        return sorted(open_, key=lambda one: one.created_ms)

    def all_open(self) -> list[Command]:
        return [one for some in self._open.values() for one in some.values()]

    def set(self, command: Command, work: Work) -> None:
        """The command from now on, when the work is committed."""
        mine = work.commands
        if not mine:  # without the work, which would otherwise be in a circle
            work.changes.append(lambda db: table.put(db, list(mine.values())))
            work.afterwards.append(lambda: self._remember(mine))
        mine[command.id] = command

    def advance(self, command: Command, event: fate.Event, now_ms: int, work: Work) -> None:
        after = fate.advance(command, event, now_ms)
        if isinstance(event, fate.Enqueued) and event.item_id in self._early:
            after = fate.advance(after, self._early.pop(event.item_id), now_ms)
        if after == command:
            return
        self.set(after, work)
        if (after.state, after.reason) != (command.state, command.reason):
            work.counters[f"commands.{after.state}"] += 1
            self._told(after, work)

    def is_wanted(self, event: events.Event) -> bool:
        """Is it, out of a log, news of a command under way?"""
        return any(one.item_id == item_of(event) for one in self.open_of(_dev_eui_of(event)))

    # -- the pipeline's listener

    def listen(self, what: Uplink | events.Event, now_ms: int, work: Work) -> None:
        if isinstance(what, Uplink):
            speaks = what.f_port in (ANSWER_PORT, DIAGNOSIS_PORT)
            if speaks or not self.let_pass(what, work):
                self._hear(what, now_ms, work)
            return
        dev_eui = _dev_eui_of(what)
        open_ = self.open_of(dev_eui, work)
        if not open_:
            return
        if isinstance(what, LogEvent) and what.code == NOT_TRANSMITTED:
            for one in open_:
                self.advance(one, fate.NotTransmitted(what.description[:80]), now_ms, work)
            return
        item_id, event = item_of(what), word_of(what)
        if not item_id or event is None:
            return
        known = [one for one in open_ if one.item_id == item_id]
        for one in known:
            self.advance(one, event, now_ms, work)
        if not known:
            self._early[item_id] = event
            if len(self._early) > EARLY_MAX:
                self._early.popitem(last=False)

    def let_pass(self, up: Uplink, work: Work) -> bool:
        """Where no command of the device is under way."""
        return not (up.dev_eui in self._open or work.commands)

    def _hear(self, up: Uplink, now_ms: int, work: Work) -> None:
        if up.f_port == ANSWER_PORT:
            self._answer(up, now_ms, work)
        elif up.f_port == DIAGNOSIS_PORT:
            self._diagnosis(up, now_ms, work)
        if self.let_pass(up, work):
            return
        for one in self._asked_before(up, work):
            answers = up.f_port == BACKFILL_PORT and one.kind == "backfill"
            event = fate.Answered(is_last=False) if answers else fate.Heard()
            self.advance(one, event, now_ms, work)

    def _asked_before(self, up: Uplink, work: Work) -> list[Command]:
        """Commands of which the frame may be news: it may be old, out of ChirpStack's log."""
        latest_ms = up.counted_ms + CLOCK_DIFFERENCE_MAX_MS
        return [one for one in self.open_of(up.dev_eui, work) if one.created_ms <= latest_ms]

    def _answer(self, up: Uplink, now_ms: int, work: Work) -> None:
        for one in self._asked_before(up, work):
            outcome = outcome_of(one.data, up.data) if one.kind == "configure" else None
            if outcome is None:
                continue
            refusal = "" if outcome.applied else f"{outcome.result} {outcome.setting}".strip()
            self.advance(one, fate.Answered(refusal), now_ms, work)
            reply = partial(
                settings.answered,
                command=one.id,
                config_hash=outcome.config_hash,
                refusal=refusal,
                at_ms=up.counted_ms,
            )
            change_settings(work, up.dev_eui, reply)

    def _diagnosis(self, up: Uplink, now_ms: int, work: Work) -> None:
        values = decoded(up).values
        config_hash = values.get("config_hash")
        if config_hash is None:
            return
        report = partial(
            settings.reported,
            config_hash=config_hash,
            is_reverted=bool((values.get("status") or 0) & REVERTED),
            at_ms=up.counted_ms,
        )
        change_settings(work, up.dev_eui, report)
        now = report(table.settings(self._db, up.dev_eui))
        is_asked = any(one.kind == "configure" for one in self.open_of(up.dev_eui, work))
        if settings.is_to_be_sent_again(now, now_ms) and not is_asked:
            data = settings.whole_downlink(now)
            made = new_command(up.dev_eui, "configure", data, now_ms, origin="settings")
            self.set(made, work)
            renew = partial(settings.sent_again, command=made.id, at_ms=now_ms)
            change_settings(work, up.dev_eui, renew)

    def _remember(self, commands: dict[str, Command]) -> None:
        for one in commands.values():
            mine = self._open.setdefault(one.dev_eui, {})
            if fate.is_over(one):
                mine.pop(one.id, None)
            else:
                mine[one.id] = one
            if not mine:
                del self._open[one.dev_eui]


def change_settings(
    work: Work, dev_eui: str, change: Callable[[settings.Settings], settings.Settings]
) -> None:
    """Read and written within the transaction: two of them may come in one batch."""

    def write(db: sqlite3.Connection) -> None:
        table.put_settings(db, dev_eui, change(table.settings(db, dev_eui)))

    work.changes.append(write)


def item_of(event: events.Event) -> str:
    """The queue item that the event is about; empty: none."""
    if isinstance(event, AckEvent | TxAckEvent):
        return event.queue_item_id
    return event.context.get("queue_item_id", "") if isinstance(event, LogEvent) else ""


def word_of(event: events.Event) -> fate.Event | None:
    """What the event says of it."""
    if isinstance(event, TxAckEvent):
        return fate.Sent()
    if isinstance(event, AckEvent):
        return fate.Acknowledged(event.acknowledged)
    if isinstance(event, LogEvent):
        largest = event.context.get("max_payload_size", "")
        return fate.Dropped(event.code, f"(at most {largest[:5]} B)" if largest else "")
    return None


def _dev_eui_of(event: events.Event) -> str:
    return event.device_info.dev_eui
