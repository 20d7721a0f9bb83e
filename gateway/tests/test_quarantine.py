# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Quarantined rows on an operator's word: corrected and sent again, or removed; none is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.support import AIR, START, air_payload, uplink
from gateway.tests.test_service import gateway, ids, online
from iotcore import Broker
from typer.testing import CliRunner

from revier_gateway import quarantine
from revier_gateway.cli import app
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.quarantine import Answer, Desk, Request
from revier_gateway.store import Store, StoreError
from revier_gateway.watch.messages import availability_of
from revier_gateway.watch.rows import write_availability
from revier_gateway.watch.standing import Standing
from revier_gateway.work import QuarantineRow, Work
from revier_inventory import DevicePeriod, Inventory

TOPIC = "revier/v1/05562032/airquality/aq-0007"


def take(pipeline: Pipeline, store: Store, *events: Any) -> list[str]:
    """Each event as a message; the reason of each, empty where it was published."""
    work = Work(store)
    raws = [
        Message(support.topic(), event if isinstance(event, bytes) else support.to_bytes(event))
        for event in events
    ]
    outcomes = pipeline.handle_batch(raws, work)
    store.commit(work)
    return [outcome.reason for outcome in outcomes]


def do(pipeline: Pipeline, store: Store, action: Any, ids: Any = (), reason: str = "") -> Answer:
    answer = Answer()
    desk = Desk(pipeline, store, lambda *_: None)
    for _ in desk.steps(Request(action, tuple(ids), reason), answer):
        continue
    return answer


def observations(store: Store) -> list[dict[str, Any]]:
    rows = store.outbox_after(0, 10_000)
    return [msgspec.json.decode(row.payload) for row in rows if row.kind == "obs"]


def unknown(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [
        uplink(air_payload(n), f_cnt=n, at=START + timedelta(minutes=5 * n))
        for n in range(first, first + count)
    ]


def test_after_the_correction_every_event_is_published_once(
    pipeline: Pipeline, store: Store
) -> None:
    right = pipeline.inventory
    pipeline.inventory = Inventory()
    assert take(pipeline, store, *unknown(250)) == ["unknown_device"] * 250
    assert do(pipeline, store, "replay") == Answer(rows=250, stayed=250)
    assert len(store.quarantine()) == 250
    pipeline.inventory = right
    assert do(pipeline, store, "replay") == Answer(rows=250, published=250)
    assert store.quarantine() == []
    assert [message["seq"] for message in observations(store)] == [n % 256 for n in range(1, 251)]
    assert take(pipeline, store, *unknown(250)) == ["duplicate_frame"] * 250
    assert store.counters()["quarantine.replayed"] == 500


def test_an_event_that_came_again_meanwhile_is_not_published_twice(
    pipeline: Pipeline, store: Store
) -> None:
    right = pipeline.inventory
    pipeline.inventory = Inventory()
    take(pipeline, store, *unknown(2))
    pipeline.inventory = right
    take(pipeline, store, *unknown(1))
    assert do(pipeline, store, "replay") == Answer(rows=2, published=1, ignored=1)
    assert len(observations(store)) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tags": {"ags": support.OTHER_AGS}}, "foreign_ags"),
        ({"tags": {"ags": "00000000"}}, "unknown_ags"),
        ({"tags": {"ags": support.AGS, "asset": "a+b/#"}}, "invalid_asset"),
        ({"tenant": support.OTHER_TENANT}, "foreign_ags"),
    ],
)
def test_what_a_town_may_not_write_stays_until_the_inventory_says_otherwise(
    pipeline: Pipeline, store: Store, change: dict[str, Any], reason: str
) -> None:
    assert take(pipeline, store, uplink(air_payload(1), **change)) == [reason]
    assert do(pipeline, store, "replay") == Answer(rows=1, stayed=1)
    assert observations(store) == []


def test_a_device_that_was_given_to_another_town_s_asset(pipeline: Pipeline, store: Store) -> None:
    """The tenant may not write for it; corrected in the inventory, the reading is taken."""
    right = pipeline.inventory
    moved = [
        msgspec.structs.replace(asset, ags=support.OTHER_AGS) if asset.asset == "aq-0007" else asset
        for asset in right.assets
    ]
    pipeline.inventory = replace(right, assets=tuple(moved))
    assert take(pipeline, store, uplink(air_payload(1), tags={})) == ["foreign_ags"]
    pipeline.inventory = right
    assert do(pipeline, store, "replay") == Answer(rows=1, published=1)
    assert observations(store)[0]["asset"] == "urn:revier:05562032:airquality:aq-0007"


def test_an_asset_that_two_devices_claim(pipeline: Pipeline, store: Store) -> None:
    """A second device with the tag of the first; it is taken when the inventory gives it the asset,
    and readings from before still belong to the first."""
    right = pipeline.inventory
    second = "70b3d57ed00000aa"
    tags = {"ags": support.AGS, "asset": "aq-0007"}
    claims = uplink(air_payload(1), dev_eui=second, tags=tags)
    assert take(pipeline, store, claims) == ["asset_taken"]
    assert take(pipeline, store, uplink(air_payload(1), dev_eui=AIR, tags=tags)) == [""]
    assert do(pipeline, store, "replay") == Answer(rows=1, stayed=1)
    swapped = tuple(
        msgspec.structs.replace(period, until=START) if period.dev_eui == AIR else period
        for period in right.periods
    )
    new = DevicePeriod(dev_eui=second, asset="aq-0007", since=START)
    pipeline.inventory = replace(right, periods=(*swapped, new))
    assert do(pipeline, store, "replay") == Answer(rows=1, published=1)
    assert [message["device"][-16:] for message in observations(store)] == [AIR, second]


def test_a_tag_that_lags_behind_the_inventory_is_no_claim(pipeline: Pipeline, store: Store) -> None:
    event = uplink(air_payload(1), tags={"ags": support.AGS, "asset": "aq-0001"})
    assert take(pipeline, store, event) == [""]
    assert observations(store)[0]["asset"].endswith(":aq-0007")


def test_an_event_keeps_the_time_at_which_it_came(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = uplink(air_payload(1))
    del event["rxInfo"][0]["nsTime"]  # as ChirpStack before 4.6: then our clock says when it came
    right = pipeline.inventory
    pipeline.inventory = Inventory()
    take(pipeline, store, event)
    pipeline.inventory = right
    monkeypatch.setattr(pipeline, "clock", lambda: START + timedelta(days=3))
    do(pipeline, store, "replay")
    assert observations(store)[0]["rx"] == "2026-05-04T07:00:00.000Z"


def test_another_reason_replaces_the_row(pipeline: Pipeline, store: Store) -> None:
    right = pipeline.inventory
    pipeline.inventory = Inventory()
    take(pipeline, store, uplink(air_payload(1), tenant=support.OTHER_TENANT))
    pipeline.inventory = right
    assert do(pipeline, store, "replay") == Answer(rows=1, stayed=1)
    ((_, row),) = store.quarantine()
    assert (row.reason, row.at) == ("foreign_ags", "2026-05-04T07:00:00.000Z")


def test_a_feed_message_goes_back_to_the_outbox(pipeline: Pipeline, store: Store) -> None:
    payload = b'{"t":"2026-05-04T07:00:00.000Z","m":{}}'
    work = Work(store)
    for kind in ("obs", "state"):
        row = QuarantineRow("2026-05-04T07:00:01.000Z", "feed", "refused", "0x87",
                            f"{TOPIC}/{kind}", payload)  # fmt: skip
        work.quarantine.append(row)
    store.commit(work)
    assert do(pipeline, store, "replay") == Answer(rows=2, to_feed=2)
    rows = [(row.topic, row.payload, row.asset, row.t_ms, row.retain)
            for row in store.outbox_after(0, 9)]  # fmt: skip
    t_ms = int(START.timestamp() * 1000)
    assert rows == [
        (f"{TOPIC}/obs", payload, "aq-0007", t_ms, 0),
        (f"{TOPIC}/state", payload, "aq-0007", t_ms, 1),
    ]


def test_an_availability_stays_retained_and_does_not_go_back(
    pipeline: Pipeline, store: Store
) -> None:
    (asset, *_) = support.inventory().assets
    work = Work(store)
    for minute in (1, 9):
        at = START + timedelta(minutes=minute)
        made = availability_of(asset, Standing("late"), at, None, "revier/v1")
        work.quarantine.append(
            QuarantineRow("2026-05-04T07:00:01.000Z", "feed", "refused", "0x87",
                          made.topic, made.payload)
        )  # fmt: skip
    newest_ms = int((START + timedelta(minutes=5)).timestamp() * 1000)
    now = {"aq-0007": Standing("online")}
    work.changes.append(lambda db: write_availability(db, now, newest_ms))
    store.commit(work)
    assert do(pipeline, store, "replay") == Answer(rows=2, to_feed=1, ignored=1)
    (row,) = store.outbox_after(0, 9)
    assert (row.kind, row.asset, row.retain) == ("availability", "aq-0007", 1)
    assert b"07:09" in row.payload
    assert store.quarantine() == []


def test_ids_and_reasons_choose(pipeline: Pipeline, store: Store) -> None:
    take(pipeline, store, b"{", b"\x0a\xff\xff", b'{"a":', uplink(b"\x01", f_port=99))
    reasons = {number: row.reason for number, row in store.quarantine()}
    assert sorted(reasons.values()) == ["bad_json", "bad_json", "bad_protobuf", "unknown_f_port"]
    assert do(pipeline, store, "drop", reason="bad_json") == Answer(rows=2, dropped=2)
    left = [number for number, _ in store.quarantine()]
    assert do(pipeline, store, "drop", ids=[left[0], 999]) == Answer(rows=1, dropped=1)
    assert [number for number, _ in store.quarantine()] == left[1:]
    assert do(pipeline, store, "drop") == Answer(rows=1, dropped=1)
    assert store.counters()["quarantine.dropped"] == 4


def test_a_disk_that_does_not_take_it_removes_nothing(pipeline: Pipeline, store: Store) -> None:
    right = pipeline.inventory
    pipeline.inventory = Inventory()
    take(pipeline, store, *unknown(3))
    pipeline.inventory = right
    store.database.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError):
        do(pipeline, store, "replay")
    store.database.execute("PRAGMA query_only=OFF")
    assert len(store.quarantine()) == 3
    assert do(pipeline, store, "replay") == Answer(rows=3, published=3)


# -- the commands


def call(config: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["quarantine", *words, "-c", str(config)])


@pytest.fixture(params=["running", "stopped"])
def beside(request: pytest.FixtureRequest, broker: Broker, tmp_path: Path) -> Callable[[Path], Any]:
    """A gateway that runs, or none."""
    from contextlib import nullcontext

    return gateway if request.param == "running" else lambda _: nullcontext()


def test_replay_and_drop_by_command(
    broker: Broker, tmp_path: Path, beside: Callable[[Path], Any]
) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    pipeline = Pipeline(Inventory(), "revier/v1", lambda: START)
    store = Store(tmp_path / "data")
    take(pipeline, store, *unknown(30), b"{", b'{"b')
    store.close()
    with support.listening(broker.port, "revier/v1/#") as listener, beside(config) as process:
        if process is not None:
            support.wait_until(lambda: online(listener))
        replayed = call(config, "replay", "--all", "--json")
        assert replayed.exit_code == 3, replayed.output
        assert json.loads(replayed.stdout) == {
            "rows": 32, "published": 30, "ignored": 0, "stayed": 2,
            "to_feed": 0, "dropped": 0, "error": "",
        }  # fmt: skip
        first = json.loads(call(config, "list", "--json").stdout)[0]["id"]
        assert "1 rows: 1 removed" in call(config, "drop", str(first)).output
        dropped = call(config, "drop", "--reason", "bad_json", "--yes")
        assert "1 rows: 1 removed" in dropped.output
        assert "No such rows" in call(config, "replay", str(first)).output
        if process is not None:
            support.wait_until(lambda: len(ids(listener)) == 30)
    store = Store(tmp_path / "data")
    assert not store.quarantine()
    assert store.device_state(AIR).sessions[0].newest_f_cnt == 30
    store.close()


def test_a_request_outlives_a_restart(broker: Broker, tmp_path: Path) -> None:
    from revier_gateway import operator_requests
    from revier_gateway.data_dir import DataDirError

    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    pipeline = Pipeline(Inventory(), "revier/v1", lambda: START)
    store = Store(tmp_path / "data")
    take(pipeline, store, *unknown(3))
    content = msgspec.json.encode(Request("replay"))
    with pytest.raises(operator_requests.NoAnswer, match="Request 1 stands"):
        operator_requests.ask(store.path, "quarantine", "ada", content, "now", 0.2)
    store.abandon()
    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config):
        support.wait_until(lambda: len(ids(listener)) == 3)
    log = (tmp_path / "gateway.log").read_text()
    assert '"by": "ada"' in log
    with pytest.raises(DataDirError):
        operator_requests.ask(tmp_path / "none" / "x", "quarantine", "ada", content, "now", 0.2)


def test_a_request_of_a_newer_command_is_answered(pipeline: Pipeline, store: Store) -> None:
    import asyncio

    from revier_gateway import operator_requests

    with pytest.raises(operator_requests.NoAnswer):
        operator_requests.ask(store.path, "quarantine", "ada", b'{"action":"explode"}', "now", 0.1)
    desk = Desk(pipeline, store, lambda *_: None)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(desk.serve(), 3 * quarantine.LOOK_EVERY_S))
    (answer,) = store.database.execute("SELECT answer FROM operator_requests").fetchone()
    assert "does not know this request" in json.loads(answer)["error"]
    assert operator_requests.waiting(store.database, "quarantine") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["replay"], "Say which rows"),
        (["replay", "1", "--all"], "Say which rows"),
        (["drop", "--reason", "nonsense"], "known are bad_json"),
        (["drop", "--all"], "for ever?"),
    ],
)
def test_what_is_asked_badly_changes_nothing(
    tmp_path: Path, pipeline: Pipeline, words: list[str], told: str
) -> None:
    config = support.gateway_toml(tmp_path, 1, 1)
    store = Store(tmp_path / "data")
    take(pipeline, store, b"{")
    store.close()
    result = call(config, *words)
    assert result.exit_code != 0
    assert told in result.output
    store = Store(tmp_path / "data")
    assert len(store.quarantine()) == 1
    store.close()
