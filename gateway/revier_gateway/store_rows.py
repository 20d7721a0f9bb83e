# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How a unit of work becomes rows. Called inside the store's one transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from revier_gateway.work import QuarantineRow, Work

_pack = msgspec.msgpack.Encoder().encode


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    topic: str
    payload: bytes
    kind: str
    asset: str
    t_ms: int
    retain: int  # SQLite has no truths


def numbered(work: Work, first_row: int) -> list[OutboxRow]:
    return [
        OutboxRow(row_id, m.topic, m.payload, m.kind, m.asset, m.t_ms, int(m.retain))
        for row_id, m in enumerate(work.outbox, first_row)
    ]


def insert(db: sqlite3.Connection, work: Work, outbox: list[OutboxRow]) -> None:
    if work.seen:
        sql = "INSERT OR REPLACE INTO seen (key, at_ms, content) VALUES (?, ?, ?)"
        db.executemany(sql, [(key, *seen) for key, seen in work.seen.items()])
    if outbox:
        db.executemany(
            "INSERT INTO outbox (id, topic, payload, kind, asset, t_ms, retain)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            map(msgspec.structs.astuple, outbox),
        )
    if work.states:
        rows = [(dev_eui, _pack(state)) for dev_eui, state in work.states.items()]
        db.executemany("INSERT OR REPLACE INTO identity (dev_eui, state) VALUES (?, ?)", rows)
    if work.latest:
        latest = [(asset, t_ms, payload) for asset, (t_ms, payload) in work.latest.items()]
        db.executemany("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", latest)
    if work.history:
        db.executemany("INSERT OR REPLACE INTO history VALUES (?, ?, ?)", work.history)
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


def runs(row_ids: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive numbers: done rows mostly are one."""
    found: list[tuple[int, int]] = []
    for row_id in sorted(row_ids):
        if found and row_id <= found[-1][1] + 1:
            found[-1] = (found[-1][0], row_id)
        else:
            found.append((row_id, row_id))
    return found


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
