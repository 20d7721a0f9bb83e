# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The watch on a real store, with a clock of ours: written, told, and found again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.support import START, air_payload, uplink
from typer.testing import CliRunner

from revier_gateway import config
from revier_gateway.alerts.book import Alert
from revier_gateway.cli import app
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store, StoreError
from revier_gateway.watch import assets, journal
from revier_gateway.watch import keeper as keepers
from revier_gateway.watch.keeper import LOOK_EVERY_S, Keeper
from revier_gateway.watch.messages import Canary
from revier_gateway.work import Work


class Bench:
    """One gateway with its inventory of three assets, of which the air node speaks."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.path = support.gateway_toml(folder, 1, 1)
        text = self.path.read_text()
        text += "".join(f"\n[{table}]\n{keys}\n" for table, keys in more.items())
        self.path.write_text(text)
        self.config = config.load(self.path)
        self.store = Store(self.config.data_dir)
        self.now = START
        self.woken = 0
        self.f_cnt = 0
        self.pipeline = Pipeline(support.inventory(), "revier/v1", clock=lambda: self.now)
        self.open()

    def open(self) -> None:
        inventory = support.inventory()
        self.keeper = Keeper(self.config, self.store, inventory, self.wake, lambda: self.now)

    def wake(self) -> None:
        self.woken += 1

    def connect(self) -> None:
        for name in ("source", "feed", "canary"):
            self.keeper.set_link(name, True)

    def uplink(self, at: datetime | None = None, **changes: Any) -> None:
        self.f_cnt += 1
        event = uplink(air_payload(self.f_cnt, **changes), f_cnt=self.f_cnt, at=at or self.now)
        work = Work(self.store)
        self.pipeline.handle(Message(support.topic(), support.to_bytes(event)), work)
        self.store.commit(work)
        self.keeper.committed(work)

    def minutes(self, minutes: int, speaking: bool = True, canary: bool = True) -> None:
        for minute in range(minutes):
            if speaking and minute % 5 == 0:
                self.uplink()
            for _ in range(int(60 / LOOK_EVERY_S)):
                self.now += timedelta(seconds=LOOK_EVERY_S)
                self.keeper.look()
                for message in self.taken("canary") if canary else ():
                    self.keeper.canary_came_back(Canary(**message))

    def taken(self, kind: str) -> list[dict[str, Any]]:
        """What the feed would have sent, of this kind; it leaves the outbox."""
        rows = [row for row in self.store.outbox_after(0, 10_000) if row.kind == kind]
        self.store.done([row.id for row in rows])
        self.store.settle()
        return [json.loads(row.payload) for row in rows]

    def raised(self) -> set[str]:
        return {alert.rule for alert in self.keeper.alerts()}

    def close(self) -> None:
        self.keeper.finish()
        self.store.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.connect()
    yield made
    made.close()


def test_a_change_of_standing_is_published_once_and_retained(bench: Bench) -> None:
    bench.minutes(30)
    told = [(m["asset"].split(":")[-1], m["state"]) for m in bench.taken("availability")]
    assert sorted(told) == [
        ("aq-0007", "online"),
        ("ps-r12-03", "unknown"),
        ("wc-0113", "unknown"),
    ]
    assert bench.woken > 0
    bench.minutes(45, speaking=False)
    (late, offline) = bench.taken("availability")
    assert (late["state"], offline["state"]) == ("late", "offline")
    assert offline["last_seen"] == "2026-05-04T07:25:00.000Z"
    assert bench.raised() == {"asset-offline"}


def test_a_look_in_small_steps_is_a_whole_look(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (
        (keepers, "ASSETS_PER_STEP"),
        (keepers, "ROWS_PER_WRITE"),
        (assets, "ASSETS_PER_STEP"),
        (journal, "SLOW_ROWS"),
    ):
        monkeypatch.setattr(module, name, 1)
    bench.minutes(10)
    told = {m["asset"].split(":")[-1]: m["state"] for m in bench.taken("availability")}
    assert told == {"aq-0007": "online", "ps-r12-03": "unknown", "wc-0113": "unknown"}
    bench.now += timedelta(seconds=journal.SLOW_EVERY_S)
    steps = 0
    for _ in bench.keeper.steps():  # events come between
        steps += 1
        if steps % 3 == 0:
            bench.uplink(pm25=steps)
    assert steps >= len(support.inventory().assets) * 2
    bench.keeper.finish()
    db = bench.store.database
    assert db.execute("SELECT count(*) FROM daily").fetchone() == (3,)
    assert db.execute("SELECT dev_eui FROM watch_device").fetchall() == [(support.AIR,)]
    sql = "SELECT readings FROM daily WHERE asset = 'aq-0007'"
    assert db.execute(sql).fetchone() == (bench.f_cnt,)


def test_a_restart_tells_nothing_anew(bench: Bench) -> None:
    bench.minutes(30)
    bench.minutes(45, speaking=False)
    bench.taken("availability")
    bench.keeper.finish()
    bench.now += timedelta(hours=3)
    bench.open()
    bench.keeper.look()
    assert bench.taken("availability") == []
    assert "asset-offline" in bench.raised()
    bench.connect()
    bench.minutes(1)
    (back,) = bench.taken("availability")
    assert back["state"] == "online"
    assert bench.raised() == set()


def test_what_was_pending_when_the_gateway_ended_begins_anew(bench: Bench) -> None:
    """A connection that is made a moment after the start is no outage since the last run."""
    bench.keeper.set_link("source", False)
    bench.minutes(1, speaking=False)
    assert bench.raised() == set()
    bench.keeper.finish()
    bench.now += timedelta(hours=1)
    bench.open()
    bench.keeper.set_link("source", False)
    bench.keeper.look()
    assert bench.raised() == set()
    bench.connect()
    bench.minutes(2)
    assert bench.raised() == set()


def test_a_lost_canary_is_an_alarm_and_its_return_ends_it(bench: Bench) -> None:
    bench.minutes(5)
    assert bench.keeper.canary.round_trip_s is not None
    assert bench.keeper.is_healthy()
    bench.minutes(5, canary=False)
    assert bench.raised() == {"canary-lost"}
    assert not bench.keeper.is_healthy()
    bench.minutes(3)
    assert bench.raised() == set()


def test_a_reader_that_the_broker_does_not_let_in_is_the_same_alarm(bench: Bench) -> None:
    """Brokers that refuse a subscription (Mosquitto grants it and keeps silent)."""
    bench.keeper.set_link("canary", False)
    bench.minutes(5, canary=False)
    assert bench.raised() == {"canary-lost"}


def test_a_canary_of_another_run_proves_nothing(bench: Bench) -> None:
    bench.minutes(1, canary=False)
    (canary, *_) = bench.taken("canary")
    bench.keeper.canary_came_back(Canary(**{**canary, "run": "another"}))
    assert bench.keeper.canary.back_ms is None


def test_a_mast_that_is_down_is_not_the_gateway_s_death(bench: Bench) -> None:
    bench.minutes(1)
    alert = Alert("radio-gateway-offline", support.RADIO_GATEWAY, "raised", 0, 0, "25 min")
    bench.keeper._journal.book = {(alert.rule, alert.subject): alert}
    assert bench.keeper.is_healthy()
    alert = Alert("source-silent", "", "raised", 0, 0, "25 min")
    bench.keeper._journal.book = {(alert.rule, alert.subject): alert}
    assert not bench.keeper.is_healthy()


def test_a_feed_that_is_down_is_one_alert(bench: Bench) -> None:
    bench.minutes(5)
    bench.keeper.around.link_lost("feed", "refused: not authorized")
    bench.keeper.set_link("feed", False)
    bench.minutes(20)
    assert bench.raised() == {"feed-down"}
    (alert,) = bench.keeper.alerts()
    assert alert.detail == "refused: not authorized"


def test_a_low_battery_is_told_and_known_after_a_restart(bench: Bench) -> None:
    bench.uplink(battery=2900)
    bench.minutes(6, speaking=False)
    bench.uplink(battery=2900)
    bench.minutes(1, speaking=False)
    assert bench.raised() == {"battery-low"}
    bench.keeper.finish()
    bench.open()
    bench.connect()
    bench.keeper.look()
    assert bench.raised() == {"battery-low"}


def test_a_clock_that_is_off(bench: Bench) -> None:
    bench.minutes(15)
    assert bench.raised() == set()
    for _ in range(15):
        bench.uplink(at=bench.now + timedelta(seconds=30))
        bench.minutes(1, speaking=False)
    assert bench.raised() == {"clock-skew"}


def test_a_store_that_takes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_work: Work) -> None:
        raise StoreError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "commit", full)
        bench.minutes(1, speaking=False, canary=False)
        assert bench.raised() == {"disk-full"}
        assert bench.keeper.ready()["store_writable"] is False
    bench.minutes(3)
    assert bench.raised() == set()
    assert all(bench.keeper.ready().values())
    told = [message["state"] for message in bench.taken("availability")]
    assert "online" in told  # what the full store did not take came with the next look


def test_what_is_held_back_for_the_reserve_is_an_alarm(bench: Bench) -> None:
    """The store would still take it: [gateway] disk_reserve_mb says no."""
    bench.minutes(1)
    bench.keeper.around.held_back = "900 MB are free in /data: less than [gateway] disk_reserve_mb"
    bench.minutes(1, speaking=False)
    assert bench.raised() == {"disk-full"}
    assert bench.keeper.ready()["store_writable"] is False
    bench.keeper.around.held_back = ""
    bench.minutes(3)
    assert bench.raised() == set()


def test_the_watch_s_settings_change_at_work(bench: Bench) -> None:
    """What was late by the interval of before is not late by a longer one."""
    bench.minutes(30)
    bench.minutes(20, speaking=False)
    assert bench.keeper.standing("aq-0007").state == "late"
    watch = msgspec.structs.replace(
        bench.config.watch, air_interval_s=1800.0, canary_every_s=0.0, battery_low_v=3.7
    )
    bench.keeper.set_config(msgspec.structs.replace(bench.config, watch=watch))
    assert bench.keeper.standing("aq-0007").state == "online"
    bench.taken("canary")
    bench.minutes(10, canary=False)
    assert bench.taken("canary") == []
    assert bench.raised() == {"battery-low"}
    bench.keeper.set_config(bench.config)
    bench.minutes(1, speaking=False)
    assert bench.keeper.canary.round_trip_s is not None


@contextmanager
def webhook(answers: list[int]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Takes what is posted, and answers with one status after the other, the last one for ever."""
    got: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], got
    finally:
        server.shutdown()
        server.server_close()


def test_it_is_told_by_webhook_again_until_it_is_taken(tmp_path: Path) -> None:
    with webhook([500, 200]) as (port, got):
        bench = Bench(tmp_path, alerts=f'to = ["json://127.0.0.1:{port}/"]\nlanguage = "en"')
        bench.connect()
        bench.minutes(5)
        asyncio.run(bench.keeper.tell_now())
        assert got == []
        bench.minutes(4, canary=False)
        for _ in range(3):
            asyncio.run(bench.keeper.tell_now())
        assert len(got) == 2
        assert got[1]["title"].startswith("Revier test: Failure: The canary has not come back")
        assert "docs/runbooks/canary-lost.md" in got[1]["message"]
        bench.minutes(3)
        asyncio.run(bench.keeper.tell_now())
        assert len(got) == 3
        assert "Over" in got[2]["title"]
        bench.close()


def test_an_address_that_is_none_is_said_without_telling_it(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError) as error:
        Bench(tmp_path, alerts='to = ["nosuchway://user:secret@host"]')
    assert "address 1" in str(error.value)
    assert "secret" not in str(error.value)


def test_a_maintenance_window_by_command(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.minutes(30)
    bench.minutes(45, speaking=False)
    base = ["--config", str(bench.path)]

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["alerts", *words, *base], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    def at(moment: datetime) -> None:
        monkeypatch.setattr("revier_gateway.cli.alerts.time.time", moment.timestamp)

    at(bench.now)
    assert "asset-offline" in run("list")
    assert "Window 1 until" in run("silence", "--rule", "asset-offline", "--for", "2h")
    assert "silenced" in run("list")
    asyncio.run(bench.keeper.tell_now())
    assert [alert.told for alert in bench.keeper.alerts()] == [False]
    assert "Window 1 is over" in run("unsilence", "1")
    asyncio.run(bench.keeper.tell_now())
    assert [alert.told for alert in bench.keeper.alerts()] == [True]
    wrong = CliRunner().invoke(app, ["alerts", "silence", "--for", "2w", *base])
    assert wrong.exit_code == 2
    assert "min, h or d" in wrong.output


def test_the_days_for_the_reports(bench: Bench) -> None:
    bench.minutes(60)
    bench.minutes(60, speaking=False)
    bench.keeper.finish()
    row = bench.store.database.execute(
        "SELECT readings, seq_newest, online_s, deaf_s, watched_s, battery_v, dev_eui FROM daily"
        " WHERE asset = 'aq-0007' AND day = '2026-05-04'"
    ).fetchone()
    readings, _, online_s, deaf_s, watched_s, battery_v, dev_eui = row
    assert (readings, battery_v, dev_eui) == (12, 3.6, support.AIR)
    assert watched_s == pytest.approx(7200, abs=30)
    assert online_s == pytest.approx(5100, abs=120)  # offline half an hour after the last frame
    assert deaf_s == 0
