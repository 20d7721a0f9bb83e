# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How a unit of work becomes rows. Called inside the store's one transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from revier_gateway.work import QuarantineRow, Work

_pack = msgspec.msgpack.Encoder().encode


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    """One message that waits for the feed's broker."""

    id: int
    topic: str
    payload: bytes
    kind: str
    asset: str
    t_ms: int
    retain: int  # SQLite has no truths


# A row of the table message, its columns in this order.
COLUMNS = "id, asset, t_ms, kind, retain, state, kept, topic, payload"
StoredRow = list[int | str | bytes]
KIND, STATE = 3, 5  # places in it


def numbered(work: Work, first_row: int) -> tuple[list[OutboxRow], list[StoredRow]]:
    """The messages that are to be sent, and the rows that stand for them: an observation and the
    state that repeats it share one."""
    waiting: list[OutboxRow] = []
    stored: list[StoredRow] = []
    history = iter(work.history)
    kept = next(history, None)
    observed: bytes | None = None  # what the last row keeps
    for row_id, m in enumerate(work.outbox, first_row):
        topic, payload, kind, asset, t_ms, retain = m.topic, m.payload, m.kind, m.asset, m.t_ms, 0
        if m.retain:
            retain = 1
        waiting.append(OutboxRow(row_id, topic, payload, kind, asset, t_ms, retain))
        if payload is observed and kind == "state" and topic == state_topic(waiting[-2].topic):
            stored[-1][STATE] = 1
            observed = None
            continue
        stays = kept is not None and payload is kept[2] and kind == "obs"
        observed = payload if stays else None
        if stays:
            kept = next(history, None)
        stored.append([row_id, asset, t_ms, kind, retain, 0, int(stays), topic, payload])
    assert kept is None, "an observation of the history is not among the messages, in order"
    return waiting, stored


def messages_in(rows: Iterable[tuple[Any, ...]]) -> list[OutboxRow]:
    """Of stored rows."""
    found: list[OutboxRow] = []
    for row_id, asset, t_ms, kind, retain, state, _, topic, payload in rows:
        found.append(OutboxRow(row_id, topic, payload, kind, asset, t_ms, retain))
        if state:
            state_at = state_topic(topic)
            found.append(OutboxRow(row_id + 1, state_at, payload, "state", asset, t_ms, 1))
    return found


def state_topic(topic: str) -> str:
    """Of the observation's."""
    return topic[:-3] + "state"


# One step down the index for each asset.
_NEWEST = """
WITH RECURSIVE known (asset) AS (
  SELECT min(asset) FROM message WHERE kept = 1 AND asset > ?
  UNION ALL
  SELECT (SELECT min(asset) FROM message WHERE kept = 1 AND asset > known.asset)
    FROM known WHERE known.asset IS NOT NULL
  LIMIT ?
)
SELECT asset, t_ms, id, payload FROM message WHERE id IN (
  SELECT (SELECT id FROM message WHERE kept = 1 AND asset = known.asset
          ORDER BY t_ms DESC, id DESC LIMIT 1) FROM known WHERE asset IS NOT NULL
) ORDER BY asset
"""


def newest_of_each(
    db: sqlite3.Connection, after: str = "", limit: int = -1
) -> list[tuple[str, int, int, bytes]]:
    """Asset, time, id and message of its newest observation; for assets after that name."""
    return db.execute(_NEWEST, (after, limit)).fetchall()


def insert(db: sqlite3.Connection, work: Work, messages: Sequence[StoredRow]) -> None:
    if work.seen:
        sql = "INSERT OR REPLACE INTO seen (key, at_ms, content) VALUES (?, ?, ?)"
        db.executemany(sql, [(key, *seen) for key, seen in work.seen.items()])
    if messages:
        marks = ",".join("?" * len(messages[0]))
        db.executemany(f"INSERT INTO message ({COLUMNS}) VALUES ({marks})", messages)  # noqa: S608
    if work.states:
        rows = [(dev_eui, _pack(state)) for dev_eui, state in work.states.items()]
        db.executemany("INSERT OR REPLACE INTO identity (dev_eui, state) VALUES (?, ?)", rows)
    if work.quarantine:
        _insert_quarantine(db, work.quarantine)
    if work.heard:
        db.executemany(
            "INSERT INTO heard VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " last_ms = max(last_ms, excluded.last_ms), frames = frames + excluded.frames",
            [(*key, *value) for key, value in work.heard.items()],
        )
    for change in work.changes:
        change(db)
    if work.counters:
        db.executemany(
            "INSERT INTO counters VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET value = value + excluded.value",
            work.counters.items(),
        )


def read_quarantine(
    db: sqlite3.Connection,
    where: str = "1 ORDER BY id DESC LIMIT 1000",
    arguments: Sequence[object] = (),
) -> list[tuple[int, QuarantineRow]]:
    """Rows with their numbers; where is SQL of ours, with ? for what comes from elsewhere."""
    sql = f"SELECT id, at, leg, reason, detail, topic, payload FROM quarantine WHERE {where}"  # noqa: S608
    return [(row[0], QuarantineRow(*row[1:])) for row in db.execute(sql, arguments)]


def remove_quarantined(db: sqlite3.Connection, rows: Sequence[tuple[int]]) -> None:
    db.executemany("DELETE FROM quarantine WHERE id = ?", rows)


def _insert_quarantine(db: sqlite3.Connection, rows: Sequence[QuarantineRow]) -> None:
    """An event that the broker repeats after a kill is the same row again."""
    db.executemany(
        "INSERT OR IGNORE INTO quarantine (at, leg, reason, detail, topic, payload, digest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (row.at, row.leg, row.reason, row.detail, row.topic, row.payload, _digest(row))
            for row in rows
        ],
    )


def _digest(row: QuarantineRow) -> bytes:
    head = f"{row.leg}/{row.reason}/{row.topic}/".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(head + row.payload, digest_size=16).digest()
