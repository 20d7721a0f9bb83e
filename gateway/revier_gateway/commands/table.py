# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Commands and settings as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from revier_gateway.commands.fate import Command
from revier_gateway.commands.settings import Settings
from revier_gateway.operator_requests import COMMANDS
from revier_gateway.values import instant_of_ms

KEPT_MS = 400 * 86_400_000
REQUESTS_KEPT_MS = 86_400_000
COLUMNS = ", ".join(Command.__struct_fields__)
_BOOLS = ("confirmed", "answers", "answered")  # SQLite has no truths

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Settings).decode


def commands(db: sqlite3.Connection, where: str, values: Sequence[object] = ()) -> list[Command]:
    """where: SQL of ours, with marks for the values."""
    rows = db.execute(f"SELECT {COLUMNS} FROM commands {where}", values)  # noqa: S608
    return [_command(row) for row in rows]


def _command(row: Sequence[object]) -> Command:
    fields = dict(zip(Command.__struct_fields__, row, strict=True))
    fields.update({name: bool(fields[name]) for name in _BOOLS})
    return Command(**fields)  # type: ignore[arg-type]


def put(db: sqlite3.Connection, made: Sequence[Command]) -> None:
    marks = ", ".join("?" * len(Command.__struct_fields__))
    sql = f"INSERT OR REPLACE INTO commands ({COLUMNS}) VALUES ({marks})"  # noqa: S608
    db.executemany(sql, map(msgspec.structs.astuple, made))


def settings(db: sqlite3.Connection, dev_eui: str) -> Settings:
    row = db.execute("SELECT state FROM settings WHERE dev_eui = ?", (dev_eui,)).fetchone()
    return _unpack(row[0]) if row else Settings()


def put_settings(db: sqlite3.Connection, dev_eui: str, made: Settings) -> None:
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (dev_eui, _pack(made)))


def tidy(db: sqlite3.Connection, now_ms: int) -> None:
    db.execute("DELETE FROM commands WHERE ended_ms < ?", (now_ms - KEPT_MS,))
    oldest = instant_of_ms(now_ms - REQUESTS_KEPT_MS)
    db.execute("DELETE FROM operator_requests WHERE room = ? AND at < ?", (COMMANDS, oldest))
