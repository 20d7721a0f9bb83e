# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What becomes of quarantined rows on an operator's word: the way through the line again, or away.

An event goes through the pipeline as when it came, with the time at which it came; if it is refused
again its row stays, with the reason of now. A feed message goes back to the end of the outbox.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import structlog

from revier_gateway import operator_requests
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import FeedMessage, Outcome
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store, StoreError
from revier_gateway.store_rows import read_quarantine, remove_quarantined
from revier_gateway.values import unix_ms
from revier_gateway.watch.messages import AVAILABILITY
from revier_gateway.work import QuarantineRow, Work

ROWS_PER_TRANSACTION = 100
LOOK_EVERY_S = 0.25
RETAINED = ("state", AVAILABILITY)

log = structlog.get_logger("revier.gateway.quarantine")

Committed = Callable[[Work, Sequence[Outcome]], None]
Numbered = tuple[int, QuarantineRow]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows by number, or all of a reason, or (with neither) all."""

    action: Literal["replay", "drop"]
    ids: tuple[int, ...] = ()
    reason: str = ""


class Answer(msgspec.Struct):
    """How many rows there were, and what became of them."""

    rows: int = 0
    published: int = 0
    ignored: int = 0  # known already, or nothing to publish
    stayed: int = 0  # refused again
    to_feed: int = 0
    dropped: int = 0
    error: str = ""


class Desk:
    """Does what requests ask for, in small transactions between those of the source."""

    def __init__(self, pipeline: Pipeline, store: Store, committed: Committed) -> None:
        self._pipeline = pipeline
        self._store = store
        self._committed = committed

    async def serve(self) -> None:
        """Take the requests of commands, for ever."""
        while True:
            for number, by, content in operator_requests.waiting(
                self._store.database, operator_requests.QUARANTINE
            ):
                try:
                    await self._serve_one(number, by, content)
                except StoreError as error:
                    log.debug("an operator's request waits for the disk", why=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _serve_one(self, number: int, by: str, content: bytes) -> None:
        answer = Answer()
        try:
            request = msgspec.json.decode(content, type=Request)
        except msgspec.MsgspecError as error:
            answer.error = f"The gateway does not know this request: {error}"
        else:
            for _ in self.steps(request, answer):
                await asyncio.sleep(0)
        log.info("quarantine", by=by, request=content.decode(), answer=msgspec.to_builtins(answer))
        work = Work(self._store)
        work.changes.append(operator_requests.answered(number, msgspec.json.encode(answer)))
        self._store.commit(work)

    def steps(self, request: Request, answer: Answer) -> Iterator[None]:
        """Fills the answer; stops after each transaction. Raises StoreError."""
        for rows in _chosen(self._store.database, request):
            if request.action == "drop":
                self._drop(rows, answer)
            else:
                self._replay(rows, answer)
            answer.rows += len(rows)
            yield

    def _drop(self, rows: Sequence[Numbered], answer: Answer) -> None:
        work = Work(self._store)
        work.counters["quarantine.dropped"] += len(rows)
        _remove([number for number, _ in rows], work)
        self._store.commit(work)
        answer.dropped += len(rows)
        self._committed(work, [])

    def _replay(self, rows: Sequence[Numbered], answer: Answer) -> None:
        self._store.check_room()
        work = Work(self._store)
        work.counters["quarantine.replayed"] += len(rows)
        gone, outcomes, overtaken = [], [], 0
        for number, row in rows:
            if row.leg == "feed":
                message = _feed_message(row)
                gone.append(number)
                if _is_overtaken(message, self._store.database):
                    overtaken += 1
                else:
                    work.outbox.append(message)
                continue
            raw = Message(row.topic, row.payload)
            outcome = self._pipeline.handle(raw, work, datetime.fromisoformat(row.at))
            outcomes.append(outcome)
            if (outcome.kind, outcome.reason) != ("quarantined", row.reason):
                gone.append(number)
        _remove(gone, work)
        self._store.commit(work)
        kinds = [outcome.kind for outcome in outcomes]
        answer.to_feed += sum(row.leg == "feed" for _, row in rows) - overtaken
        answer.ignored += overtaken
        answer.published += kinds.count("published")
        answer.ignored += kinds.count("ignored")
        answer.stayed += kinds.count("quarantined")
        self._committed(work, outcomes)


def _chosen(db: sqlite3.Connection, request: Request) -> Iterator[list[Numbered]]:
    """Rows that are there now; what is refused again gets a later number and is not met twice."""
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM quarantine").fetchone()
    wanted = sorted(set(request.ids))
    done = 0
    while True:
        if wanted:
            some, wanted = wanted[:ROWS_PER_TRANSACTION], wanted[ROWS_PER_TRANSACTION:]
            rows = read_quarantine(db, f"id IN ({','.join('?' * len(some))}) ORDER BY id", some)
        elif request.ids:
            return
        else:
            rows = read_quarantine(
                db,
                "id > ? AND id <= ? AND (? = '' OR reason = ?) ORDER BY id LIMIT ?",
                (done, last, request.reason, request.reason, ROWS_PER_TRANSACTION),
            )
            if not rows:
                return
        if rows:
            done = rows[-1][0]
            yield rows


def _remove(numbers: Sequence[int], work: Work) -> None:
    rows = [(number,) for number in numbers]
    work.changes.append(lambda db: remove_quarantined(db, rows))


class _Dated(msgspec.Struct):
    t: datetime | None = None
    since: datetime | None = None  # of an availability


def _feed_message(row: QuarantineRow) -> FeedMessage:
    """As it was in the outbox; its topic names kind and asset, its content the time."""
    levels = ["", *row.topic.split("/")]
    try:
        dated = msgspec.json.decode(row.payload, type=_Dated)
    except msgspec.MsgspecError:
        dated = _Dated()
    at = dated.t or dated.since
    t_ms = 0 if at is None else unix_ms(at)
    kind, asset = levels[-1], levels[-2]
    return FeedMessage(row.topic, row.payload, kind, asset, t_ms, kind in RETAINED)


def _is_overtaken(message: FeedMessage, db: sqlite3.Connection) -> bool:
    """A retained word that a later one has replaced (of states the publisher knows it)."""
    if message.kind != AVAILABILITY:
        return False
    sql = "SELECT since_ms FROM availability WHERE asset = ?"
    newest = db.execute(sql, (message.asset,)).fetchone()
    return newest is not None and newest[0] > message.t_ms
