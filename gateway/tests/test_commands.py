# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Requests, who may make them, and what the devices' events make of commands; no network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway.tests import support
from gateway.tests.support import (
    AGS,
    AIR,
    APPLICATION,
    OTHER_AGS,
    OTHER_TENANT,
    PARKING,
    START,
    TENANT,
    air_payload,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_gateway.commands import table
from revier_gateway.commands.fate import UPLINKS_MAX, Command
from revier_gateway.commands.room import place_of
from revier_gateway.commands.sending import NotSent, SendRefused
from revier_gateway.commands.settings import AGAIN_AFTER_MS, status_of
from revier_gateway.gaps.register import read
from revier_gateway.mqtt.link import Message
from revier_gateway.values import unix_ms
from revier_payload import backfill
from revier_payload.codec import encode
from revier_payload.configuration import entries, hash_of, pack

from .commands_bench import MINUTE, OTHERS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.hear()
    return made


def configuration_answer(command: Command, result: int = 1, setting: int = 0) -> bytes:
    config_hash = hash_of(pack(entries(command.data[1:])))
    values = {"request_hash": hash_of(command.data), "config_hash": config_hash}
    return encode(3, {**values, "result": result, "setting": setting})


def run(bench: Bench, **settings: int) -> Command:
    """Asked, queued and sent."""
    answer = bench.ask("configure", transaction="t1", asset="aq-0007", settings=settings)
    assert answer["status"] == "ok", answer
    bench.send()
    bench.about("txack", queueItemId="item-1", fCntDown=3, gatewayId=support.RADIO_GATEWAY)
    return bench.command(answer["data"]["id"])


def test_from_the_request_to_the_nodes_answer(bench: Bench) -> None:
    command = run(bench, interval=900)
    assert bench.responses[0][0] == f"revier/v1/{AGS}/_response/configure"
    assert bench.responses[0][1]["transaction"] == "t1"
    (taken,) = bench.sending.taken
    assert (taken[0].f_port, taken[0].data, taken[1]) == (2, b"\1\1\3\x84", APPLICATION)
    assert bench.ask("device", asset="aq-0007")["data"]["settings"] == "pending"
    bench.hear(configuration_answer(command), 3, 2)
    assert bench.command(command.id).state == "acknowledged"
    assert bench.states() == ["queued", "sent", "acknowledged"]
    assert bench.fates[-1]["topic"] == f"revier/v1/{AGS}/airquality/aq-0007/command"
    device = bench.ask("device", asset="aq-0007")["data"]
    assert (device["settings"], device["desired"]) == ("in_force", {"interval": 900})
    assert device["desired_hash"] == device["reported_hash"]


def test_the_node_refuses(bench: Bench) -> None:
    command = run(bench, interval=900)
    bench.hear(configuration_answer(command, 6, 1), 3, 2)
    end = bench.command(command.id)
    assert (end.state, end.reason) == ("failed", "refused_range interval")
    assert bench.ask("device", device=AIR)["data"]["settings"] == "refused"


def test_settings_that_went_away_are_sent_again(bench: Bench) -> None:
    command = run(bench, interval=900)
    bench.hear(configuration_answer(command), 3, 2)
    lost = encode(1, {"seq": 100, "config_hash": hash_of(b"")})
    bench.hear(lost, 1, 3)
    assert bench.ask("device", device=AIR)["data"]["settings"] == "differs"
    assert bench.room.tracker.open_of(AIR) == []  # not more than once a day
    bench.now += timedelta(milliseconds=AGAIN_AFTER_MS)
    bench.hear(lost, 1, 4)
    (again,) = bench.room.tracker.open_of(AIR)
    assert (again.data, again.origin) == (command.data, "settings")


def test_an_old_diagnosis_out_of_the_log_says_nothing_of_the_settings_now(bench: Bench) -> None:
    """It is new to the gateway, but the node has been configured since then."""
    old = encode(1, {"seq": 100, "config_hash": hash_of(b""), "status": 128})
    command = run(bench, interval=900)
    before = bench.now
    bench.now += 10 * MINUTE
    bench.hear(configuration_answer(command), 3, 9)
    for at, f_cnt in ((before - timedelta(hours=1), 7), (before, 8)):
        bench.hear(old, 1, f_cnt, at=at)
    assert bench.ask("device", device=AIR)["data"]["settings"] == "in_force"
    bench.hear(old, 1, 10)
    assert bench.ask("device", device=AIR)["data"]["settings"] == "refused"


def test_frames_from_before_a_command_are_no_news_of_it(bench: Bench) -> None:
    hour_ago = bench.now - timedelta(hours=1)
    command = run(bench, interval=900)
    bench.hear(configuration_answer(command), 3, 2, at=hour_ago)
    for f_cnt in range(3, 3 + 2 * UPLINKS_MAX):
        bench.hear(air_payload(f_cnt), 10, f_cnt, at=hour_ago)
    assert bench.command(command.id).state == "sent"
    assert bench.command(command.id).uplinks == 0
    bench.hear(configuration_answer(command), 3, 40)
    assert bench.command(command.id).state == "acknowledged"


def test_usual_frames_are_counted_while_a_command_is_under_way(bench: Bench) -> None:
    """Else a node that does not answer would be waited for until the command expires."""
    bench.hear(encode(1, {"seq": 100}), 1, 2)
    command = run(bench, interval=900)
    for n in range(UPLINKS_MAX):
        assert bench.command(command.id).uplinks == n
        bench.now += 5 * MINUTE
        bench.hear(air_payload(100 + n), 10, 3 + n)
    assert (bench.command(command.id).state, bench.states()[-1]) == ("waiting", "waiting")


def test_settings_that_the_node_died_of_are_not_sent_again(bench: Bench) -> None:
    command = run(bench, interval=900)
    bench.hear(configuration_answer(command), 3, 2)
    bench.now += timedelta(milliseconds=AGAIN_AFTER_MS)
    taken_back = {"seq": 100, "config_hash": hash_of(b""), "status": 128}
    bench.hear(encode(1, taken_back), 1, 3)
    bench.hear(encode(1, {**taken_back, "status": 0}), 1, 4)
    assert bench.room.tracker.open_of(AIR) == []
    assert bench.ask("device", device=AIR)["data"]["settings"] == "refused"


def test_values_with_their_units(bench: Bench) -> None:
    asked = bench.ask("configure", device=AIR, settings={"interval": "15 min", "report": "change"})
    assert asked["status"] == "ok"
    assert bench.ask("device", device=AIR)["data"]["desired"] == {"interval": 900, "report": 2}
    wrong = bench.ask("configure", device=AIR, settings={"interval": "15 parsec"})
    assert "interval must be" in wrong["error"]


def test_dropped_by_chirpstack(bench: Bench) -> None:
    command = run(bench, interval=900)
    body = {"transaction": "t2", "device": AIR, "f_port": 100, "data": "AAAA", "confirmed": True}
    asked = bench.ask("downlink", None, **body)
    bench.send()
    context = {"queue_item_id": "item-2", "max_payload_size": "51", "item_size": "100"}
    bench.about("log", code="DOWNLINK_PAYLOAD_SIZE", level="ERROR", context=context)
    end = bench.command(asked["data"]["id"])
    assert (end.state, end.reason) == ("failed", "payload_size (at most 51 B)")
    assert bench.command(command.id).state == "sent"
    third = bench.ask("downlink", None, **{**body, "transaction": "t3"})
    bench.send()
    bench.about("log", code="DOWNLINK_GATEWAY", level="ERROR", description="TOO_LATE")
    assert bench.command(third["data"]["id"]).reason == "radio gateway: TOO_LATE"
    bench.about("txack", queueItemId="item-3")
    bench.about("ack", queueItemId="item-3", acknowledged=False)
    again = bench.command(third["data"]["id"])
    assert (again.state, again.reason, again.item_id) == ("waiting", "not_acknowledged", "")
    bench.send()
    assert len(bench.sending.taken) == 3  # not at once
    bench.now += timedelta(minutes=11)
    bench.send()
    bench.about("log", code="EXPIRED", context={"queue_item_id": "item-4"})
    assert bench.command(third["data"]["id"]).state == "expired"


def test_a_txack_that_is_faster_than_the_answer_to_enqueue(bench: Bench) -> None:
    asked = bench.ask("configure", device=AIR, settings={"interval": 900})
    bench.about("txack", queueItemId="item-1")
    bench.send()
    assert bench.command(asked["data"]["id"]).state == "sent"


def test_out_of_reach_and_refused(bench: Bench) -> None:
    asked = bench.ask("configure", device=AIR, settings={"interval": 900})["data"]["id"]
    bench.sending.error = NotSent("no link")
    bench.send()
    assert (bench.command(asked).state, bench.command(asked).attempts) == ("waiting", 0)
    assert bench.room.due() == []
    bench.now += MINUTE
    bench.sending.error = SendRefused("the key is wrong")
    bench.send()
    assert (bench.command(asked).state, bench.command(asked).reason) == (
        "failed",
        "the key is wrong",
    )


def test_an_item_that_vanished_from_the_queue(bench: Bench) -> None:
    asked = bench.ask("configure", device=AIR, settings={"interval": 900})["data"]["id"]
    bench.send()
    asyncio.run(bench.room.reconcile(bench.sending))
    bench.sending.items.clear()
    asyncio.run(bench.room.reconcile(bench.sending))
    assert bench.command(asked).state == "queued"  # its txack may be on its way
    asyncio.run(bench.room.reconcile(bench.sending))
    assert (bench.command(asked).state, bench.command(asked).reason) == ("waiting", "vanished")


def test_our_own_timeout(bench: Bench) -> None:
    command = run(bench, interval=900)
    bench.now += timedelta(days=3)
    bench.room.elapse()
    assert bench.command(command.id).state == "failed"
    assert bench.room.tracker.all_open() == []


def test_everything_survives_a_restart(bench: Bench, tmp_path: Path) -> None:
    command = run(bench, interval=900)
    bench.store.close()
    again = Bench(tmp_path)
    assert [one.id for one in again.room.tracker.all_open()] == [command.id]
    again.hear(configuration_answer(command), 3, 2)
    assert again.command(command.id).state == "acknowledged"


def test_the_same_transaction_is_the_same_command(bench: Bench) -> None:
    body: dict[str, Any] = {"transaction": "t", "device": AIR, "settings": {"interval": 900}}
    first, second = bench.ask("configure", **body), bench.ask("configure", **body)
    assert first == second
    assert len(bench.room.tracker.all_open()) == 1
    other = bench.ask("backfill", transaction="t", device=AIR, first=1, count=2)
    assert other["status"] == "error"
    assert other["transaction"] == "t"


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("configure", {"device": AIR}, "name at least one"),
        ("configure", {"device": AIR, "settings": {"interval": 1}}, "interval"),
        ("configure", {"device": AIR, "settings": {"occupied_above": 3000}}, "parking"),
        ("configure", {"device": AIR, "settings": {"nonsense": 1}}, "nonsense"),
        ("configure", {"device": AIR, "wishes": {}}, "wishes"),
        ("configure", {"asset": "nowhere", "settings": {"interval": 900}}, "no such device"),
        ("configure", {"asset": "aq-0007", "device": PARKING}, "does not serve"),
        ("backfill", {"device": AIR, "first": 1, "count": 255}, "254"),
        ("downlink", {"device": AIR, "f_port": 9, "data": "AA=="}, "no such request"),
        ("reboot", {"device": AIR}, "no such request"),
    ],
)
def test_errors_name_what_is_wrong(
    bench: Bench, name: str, body: dict[str, Any], words: str
) -> None:
    answer = bench.ask(name, transaction="t", **body)
    assert (answer["status"], answer["transaction"]) == ("error", "t")
    assert words in answer["error"]
    assert bench.room.tracker.all_open() == []


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"transaction": 5}', b"x" * 20_000])
def test_what_is_no_request_is_answered_too(bench: Bench, payload: bytes) -> None:
    bench.room.answer([Message(f"revier/v1/{AGS}/_request/configure", payload)])
    assert bench.responses[-1][1]["status"] == "error"


def test_a_retained_request_is_not_taken_at_each_start(bench: Bench) -> None:
    body = json.dumps({"device": AIR, "settings": {"interval": 900}}).encode()
    bench.room.answer([Message(f"revier/v1/{AGS}/_request/configure", body, retain=True)])
    assert bench.responses == []


@settings(max_examples=50)
@given(
    origin=st.sampled_from([AGS, OTHER_AGS, "05999999", "00000000"]),
    name=st.sampled_from(["configure", "backfill", "device", "command", "downlink"]),
    target=st.sampled_from([AIR, PARKING, OTHERS, "ffffffffffffffff", ""]),
    asset=st.sampled_from(["", "aq-0007", "aq-herten", "ps-r12-03"]),
    tenants=st.tuples(*[st.sampled_from([TENANT, OTHER_TENANT])] * 2),
)
def test_no_town_touches_anothers_device(
    tmp_path_factory: pytest.TempPathFactory,
    origin: str,
    name: str,
    target: str,
    asset: str,
    tenants: tuple[str, str],
) -> None:
    """Whatever it names, whatever the other's devices are tagged with."""
    bench = Bench(tmp_path_factory.mktemp("towns"))
    bench.hear(tenant=tenants[0], tags={"ags": origin})
    bench.hear(dev_eui=OTHERS, tenant=tenants[1], tags={"ags": origin})
    known = [
        bench.ask("configure", None, device=one, settings={"interval": 900})["data"]["id"]
        for one in (AIR, OTHERS)
    ]
    before = len(bench.room.tracker.all_open())
    body: dict[str, Any] = {"device": target, "asset": asset}
    if name == "configure":
        body["settings"] = {"interval": 1200}
    if name == "backfill":
        body |= {"first": 1, "count": 1}
    if name == "downlink":
        body |= {"f_port": 9, "data": "AA=="}
    if name == "command":
        body = {"id": known[target == OTHERS]}
    answer = bench.ask(name, origin, **body)
    own = {AGS: (AIR, TENANT, tenants[0]), OTHER_AGS: (OTHERS, OTHER_TENANT, tenants[1])}
    mine, owner, tenant = own.get(origin, ("", "-", ""))
    if answer["status"] == "ok":
        assert owner == tenant
        assert answer["data"]["device"] == mine
    new = bench.room.tracker.all_open()[before:] if before else []
    touched = {one.dev_eui for one in bench.room.tracker.all_open() if one.id not in known}
    assert touched <= {mine}, (answer, new)
    bench.store.close()


def test_topics() -> None:
    assert place_of("r", f"r/{AGS}/_request/configure") == (
        AGS,
        "configure",
        f"r/{AGS}/_response/configure",
    )
    assert place_of("r", "r/_gateway/kreis/request/device") == (
        "admin",
        "device",
        "r/_gateway/kreis/response/device",
    )
    for wrong in (f"r/{AGS}/_request/a/b", "r/_gateway/_request/x", f"r/{AGS}x/_request/y", "q/z"):
        assert place_of("r", wrong) is None


# -- the node's memory


def lost(bench: Bench, seqs: Iterable[int]) -> None:
    """Readings that nobody heard, between two that were."""
    some = list(seqs)
    bench.hear(support.diagnosis_payload(100), 1, 2)
    bench.hear(air_payload(100), 10, 3)
    bench.now += 10 * MINUTE
    bench.hear(air_payload(some[-1] + 1), 10, 4 + len(some))
    bench.now += 2 * MINUTE
    now_ms = unix_ms(bench.now)
    bench.store.commit(bench.gaps.register.declare(AIR, None, now_ms, now_ms))


def ask_node(bench: Bench) -> list[Command]:
    for work in bench.room._node_log.ask(unix_ms(bench.now)):
        bench.store.commit(work)
    return [one for one in bench.room.tracker.all_open() if one.kind == "backfill"]


def test_the_node_is_asked_and_what_it_has_not_is_confirmed(bench: Bench) -> None:
    lost(bench, range(101, 105))
    (command,) = ask_node(bench)
    assert backfill.ranges(command.data) == [(101, 5)] or backfill.ranges(command.data) == [
        (101, 4)
    ]
    assert ask_node(bench) == [command]  # one at a time
    bench.send()
    bench.about("txack", queueItemId="item-1")
    records = [(seq, int(START.timestamp()) + seq, 10, air_payload(seq)) for seq in (101, 102)]
    data, count = backfill.encode(records, 222)
    assert count == 2
    bench.hear(data, 5, 9)
    for f_cnt in range(10, 10 + 8):
        bench.hear(b"", 0, f_cnt)
    assert bench.command(command.id).state == "acknowledged"
    (row,) = read(bench.store.database, "")
    assert (row.state, row.readings, row.confirmed, row.rev) == ("missing", 2, 1, 1)
    bench.now += timedelta(days=2)
    assert ask_node(bench) == []


def test_the_node_is_not_asked_too_often(bench: Bench) -> None:
    lost(bench, [101])
    for _ in range(2):
        (command,) = ask_node(bench)
        bench.now += timedelta(hours=1)
        done = bench.store.database
        done.execute("UPDATE commands SET ended_ms = 1, state = 'failed'")
        bench.room.tracker._open.clear()
    assert ask_node(bench) == []
    bench.now += timedelta(days=1)
    assert len(ask_node(bench)) == 1
    assert command.origin == "gaps"


def test_settings_status_of_a_device_that_nobody_configured(bench: Bench) -> None:
    assert status_of(table.settings(bench.store.database, AIR)) == "unknown"
    bench.hear(encode(1, {"seq": 100, "config_hash": hash_of(b"")}), 1, 3)
    assert status_of(table.settings(bench.store.database, AIR)) == "none"
