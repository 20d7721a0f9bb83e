# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How a unit of work becomes rows. Called inside the store's one transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from revier_gateway.outcomes import FeedMessage
from revier_gateway.work import QuarantineRow, Work

# A row of the table message, its columns in this order.
COLUMNS = "id, asset, t_ms, kind, retain, state, kept, topic, payload"
StoredRow = list[int | str | bytes]
KIND, STATE = 3, 5  # places in it


def numbered(work: Work, first_row: int) -> tuple[list[FeedMessage], list[StoredRow]]:
    """The messages that are to be sent, now with their numbers, and the rows that stand for them:
    an observation and the state that repeats it share one."""
    stored: list[StoredRow] = []
    history = iter(work.history)
    kept = next(history, None)
    observed: FeedMessage | None = None  # what the last row keeps
    for row_id, m in enumerate(work.outbox, first_row):
        m.id = row_id
        payload, kind = m.payload, m.kind
        if (
            observed is not None
            and payload is observed.payload
            and kind == "state"
            and m.topic == state_topic(observed.topic)
        ):
            stored[-1][STATE] = 1
            observed = None
            continue
        stays = 0
        observed = None
        if kept is not None and payload is kept[2] and kind == "obs":
            stays, observed = 1, m
            kept = next(history, None)
        retain = 1 if m.retain else 0
        stored.append([row_id, m.asset, m.t_ms, kind, retain, 0, stays, m.topic, payload])
    assert kept is None, "an observation of the history is not among the messages, in order"
    return work.outbox, stored


def messages_in(rows: Iterable[tuple[Any, ...]]) -> list[FeedMessage]:
    """Of stored rows."""
    found: list[FeedMessage] = []
    for row_id, asset, t_ms, kind, retain, state, _, topic, payload in rows:
        found.append(FeedMessage(topic, payload, kind, asset, t_ms, bool(retain), row_id))
        if state:
            at = state_topic(topic)
            found.append(FeedMessage(at, payload, "state", asset, t_ms, True, row_id + 1))
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


_PUT_EAR = """
INSERT INTO ear VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
  last_ms = max(last_ms, excluded.last_ms), frames = frames + excluded.frames
"""


def insert(db: sqlite3.Connection, work: Work, messages: Sequence[StoredRow]) -> None:
    if work.seen:
        sql = "INSERT OR REPLACE INTO seen (key, at_ms, content) VALUES (?, ?, ?)"
        db.executemany(sql, [(key, at_ms, content) for key, (at_ms, content) in work.seen.items()])
    if messages:
        marks = ",".join("?" * len(messages[0]))
        db.executemany(f"INSERT INTO message ({COLUMNS}) VALUES ({marks})", messages)  # noqa: S608
    if work.quarantine:
        _insert_quarantine(db, work.quarantine)
    if heard := work.heard.radio_gateways:
        db.executemany(_PUT_EAR, [(name, *one) for name, one in heard.items()])
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
