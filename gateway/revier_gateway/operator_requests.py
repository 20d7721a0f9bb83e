# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""How a command reaches the gateway that runs: by a row that the gateway takes and answers.

The row is all that the command writes; what it asks for is done by the gateway, the one writer. A
request outlives a restart: it is done once the gateway can.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from revier_gateway.data_dir import DataDirError
from revier_gateway.work import Change

QUARANTINE, COMMANDS = "quarantine", "commands"  # rooms that answer
BUSY_MS = 30_000
LOOK_EVERY_S = 0.1
AT_ONCE_MAX = 100


class NoAnswer(Exception):  # noqa: N818 - the request stands
    """The gateway has not answered yet; the text says what comes of the request."""


def ask(
    database: Path,
    room: str,
    by: str,
    request: bytes,
    at: str,
    wait_s: float,
    sleep: Callable[[float], None] = time.sleep,
) -> bytes:
    """Leave the request and wait for its answer. Raises DataDirError, NoAnswer."""
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as db:
            db.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            sql = "INSERT INTO operator_requests (room, at, by, request) VALUES (?, ?, ?, ?)"
            number = db.execute(sql, (room, at, by, request.decode())).lastrowid
            for _ in range(round(wait_s / LOOK_EVERY_S)):
                answer = _answer(db, number)
                if answer is not None:
                    return answer
                sleep(LOOK_EVERY_S)
    except sqlite3.Error as error:
        raise DataDirError(f"{database}: {error}. Make room, or correct its rights.") from None
    raise NoAnswer(
        f"The gateway has not answered within {wait_s:g} s. Request {number} stands: it is done as "
        "soon as the gateway can. Look at the gateway's log."
    )


def _answer(db: sqlite3.Connection, number: int | None) -> bytes | None:
    sql = "SELECT answer FROM operator_requests WHERE id = ?"
    (answer,) = db.execute(sql, (number,)).fetchone()
    return None if answer is None else str(answer).encode()


def waiting(db: sqlite3.Connection, room: str) -> list[tuple[int, str, bytes]]:
    """Number, operator and content of the room's oldest requests without an answer, in order."""
    sql = (
        "SELECT id, by, request FROM operator_requests WHERE room = ? AND answer IS NULL"
        " ORDER BY id LIMIT ?"
    )
    rows = db.execute(sql, (room, AT_ONCE_MAX)).fetchall()
    return [(number, by, request.encode()) for number, by, request in rows]


def answered(number: int, answer: bytes) -> Change:
    def change(db: sqlite3.Connection) -> None:
        sql = "UPDATE operator_requests SET answer = ? WHERE id = ?"
        db.execute(sql, (answer.decode(), number))

    return change
