# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The watch's tables: read at start, changed inside the store's one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

import msgspec

from revier_gateway.alerts.book import Alert, Book, Incident, Silence
from revier_gateway.watch.assets import Memory, Speaker
from revier_gateway.watch.deafness import Period
from revier_gateway.watch.habit import Habit
from revier_gateway.watch.standing import Standing
from revier_gateway.work import DEVICE

FIRST, ALIVE = "first", "alive"
KEPT_MONTHS = 24

_pack = msgspec.msgpack.Encoder().encode
_unpack_alert = msgspec.msgpack.Decoder(Alert).decode


class Day(msgspec.Struct):
    """What is added to one asset's day."""

    readings: int = 0
    seq_newest: int | None = None
    dev_eui: str = ""
    online_s: float = 0.0
    deaf_s: float = 0.0
    watched_s: float = 0.0
    battery_v: float | None = None


def read_memory(db: sqlite3.Connection) -> Memory:
    memory = Memory()
    for role, name, last_ms in db.execute("SELECT role, name, last_ms FROM heard"):
        if role == DEVICE:
            memory.devices[name] = Speaker(last_ms)
        else:
            memory.radio_gateways[name] = last_ms
    for dev_eui, habit, gateways in db.execute("SELECT dev_eui, habit, gateways FROM watch_device"):
        speaker = memory.devices.setdefault(dev_eui, Speaker())
        speaker.habit, speaker.path = Habit(habit), tuple(gateways.split())
    sql = "SELECT scope, cause, from_ms, until_ms FROM watch_deaf"
    memory.periods = [Period(*row) for row in db.execute(sql)]
    marks = dict(db.execute("SELECT name, at_ms FROM watch_mark"))
    memory.first_ms, memory.alive_ms = marks.get(FIRST), marks.get(ALIVE)
    return memory


def read_availability(db: sqlite3.Connection) -> dict[str, Standing]:
    rows = db.execute("SELECT asset, state, cause FROM availability")
    return {asset: Standing(state, cause) for asset, state, cause in rows}


def read_batteries(db: sqlite3.Connection) -> dict[str, float]:
    """Voltage by asset, of the newest day that has one."""
    sql = "SELECT asset, battery_v FROM daily WHERE battery_v IS NOT NULL ORDER BY day"
    return dict(db.execute(sql).fetchall())


def read_book(db: sqlite3.Connection) -> Book:
    alerts = [_unpack_alert(row[0]) for row in db.execute("SELECT alert FROM alert")]
    return {(alert.rule, alert.subject): alert for alert in alerts}


def read_silences(db: sqlite3.Connection, now_ms: int) -> list[Silence]:
    """Those that are not over."""
    sql = "SELECT id, rule, subject, since_ms, until_ms, why FROM silence WHERE until_ms > ?"
    return [Silence(*row) for row in db.execute(sql, (now_ms,))]


def write_marks(db: sqlite3.Connection, first_ms: int, alive_ms: int) -> None:
    rows = [(FIRST, first_ms), (ALIVE, alive_ms)]
    db.executemany("INSERT OR REPLACE INTO watch_mark VALUES (?, ?)", rows)


def write_devices(
    db: sqlite3.Connection, devices: Iterable[tuple[str, bytes, tuple[str, ...]]]
) -> None:
    rows = [(dev_eui, habit, " ".join(gateways)) for dev_eui, habit, gateways in devices]
    db.executemany("INSERT OR REPLACE INTO watch_device VALUES (?, ?, ?)", rows)


def write_deafness(db: sqlite3.Connection, periods: Iterable[Period]) -> None:
    db.execute("DELETE FROM watch_deaf")
    rows = [msgspec.structs.astuple(period) for period in periods]
    db.executemany("INSERT OR REPLACE INTO watch_deaf VALUES (?, ?, ?, ?)", rows)


def write_availability(
    db: sqlite3.Connection, standings: Mapping[str, Standing], since_ms: int
) -> None:
    rows = [(name, one.state, one.cause, since_ms) for name, one in standings.items()]
    db.executemany("INSERT OR REPLACE INTO availability VALUES (?, ?, ?, ?)", rows)


def write_book(db: sqlite3.Connection, book: Book, incidents: Iterable[Incident]) -> None:
    db.execute("DELETE FROM alert")
    rows = [(alert.rule, alert.subject, _pack(alert)) for alert in book.values()]
    db.executemany("INSERT INTO alert VALUES (?, ?, ?)", rows)
    db.executemany(
        "INSERT INTO incident (rule, subject, since_ms, cleared_ms, detail) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET cleared_ms = excluded.cleared_ms, detail = excluded.detail",
        [msgspec.structs.astuple(incident) for incident in incidents],
    )


def write_days(db: sqlite3.Connection, days: Mapping[tuple[str, str], Day]) -> None:
    """days: by day and asset."""
    db.executemany(
        "INSERT INTO daily (day, asset, readings, seq_newest, dev_eui, online_s, deaf_s, watched_s,"
        " battery_v) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " readings = readings + excluded.readings,"
        " seq_newest = coalesce(excluded.seq_newest, seq_newest),"
        " dev_eui = CASE excluded.dev_eui WHEN '' THEN dev_eui ELSE excluded.dev_eui END,"
        " online_s = online_s + excluded.online_s, deaf_s = deaf_s + excluded.deaf_s,"
        " watched_s = watched_s + excluded.watched_s,"
        " battery_v = min(coalesce(excluded.battery_v, battery_v),"
        " coalesce(battery_v, excluded.battery_v))",
        [
            (day, asset, one.readings, one.seq_newest, one.dev_eui, round(one.online_s),
             round(one.deaf_s), round(one.watched_s), one.battery_v)
            for (day, asset), one in days.items()
        ],
    )  # fmt: skip


def forget(db: sqlite3.Connection, now_ms: int) -> None:
    """What is older than the reports go back."""
    months = f"-{KEPT_MONTHS} months"
    db.execute("DELETE FROM daily WHERE day < date(? / 1000, 'unixepoch', ?)", (now_ms, months))
    db.execute(
        "DELETE FROM incident WHERE cleared_ms / 1000 <"
        " CAST(strftime('%s', ? / 1000, 'unixepoch', ?) AS INTEGER)",
        (now_ms, months),
    )
    db.execute("DELETE FROM silence WHERE until_ms < ?", (now_ms,))
