# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway's measurements: small runs of the real thing, and what makes them not hold."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from structlog.testing import CapturingLogger

from revier_bench.broker import free_port
from revier_bench.measure import (
    decode_fuzz,
    gateway_broker,
    gateway_kill,
    gateway_latency,
    gateway_memory,
    gateway_node_red,
    gateway_peers,
    gateway_throughput,
    gateway_town,
)
from revier_gateway import decode, pipeline
from revier_gateway.mqtt.link import LinkSettings, Message
from revier_gateway.mqtt.session import connect
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.work import Work


def test_every_reading_of_the_town_is_published(tmp_path: Path) -> None:
    store = Store(tmp_path)
    work = Work(store)
    events = [Message(*event) for event in gateway_town.events(20, 30)]
    outcomes = Pipeline(gateway_town.inventory(20), "revier/v1").handle_batch(events, work)
    assert work.counters["published.readings"] == 20 * 30
    assert [outcome.reason for outcome in outcomes if outcome.kind != "published"] == [
        "diagnosis"
    ] * 20
    ids = {json.loads(row.payload)["id"] for row in work.outbox if row.kind == "obs"}
    assert len(ids) == 20 * 30
    assert len(events[20].payload) == gateway_town.EVENT_BYTES
    store.close()


def test_a_small_fuzz_holds() -> None:
    result = decode_fuzz.measure(1_000)
    assert result["holds"], result
    assert len(result["rows"]) > 10
    events = {row["outcome"]: row["events"] for row in result["rows"]}
    assert events["published"] > 20, "the whole ones, and damage that does no harm, go all the way"


def test_a_decoder_that_raises_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise IndexError("a defect")

    monkeypatch.setattr(decode, "read", fail)
    monkeypatch.setattr(pipeline, "log", CapturingLogger())
    result = decode_fuzz.measure(1_000)
    assert not result["holds"]
    assert result["value"] == result["n"]["defects"] > 0


class Counted(gateway_kill.Subscriber):
    def __init__(self, ids: dict[tuple[str, int], set[str]], messages: int) -> None:
        self.ids = ids
        self.messages = messages


@pytest.mark.parametrize(
    ("ids", "messages", "lost", "duplicates", "repeats"),
    [
        ({("a", 1): {"x"}, ("a", 2): {"y"}}, 5, 0, 0, 3),
        ({("a", 1): {"x"}}, 1, 1, 0, 0),
        ({("a", 1): {"x", "z"}, ("a", 2): {"y"}}, 3, 0, 1, 1),
        ({("a", 1): {"x"}, ("a", 2): {"x"}}, 2, 0, 1, 0),
    ],
    ids=["whole", "one lost", "two ids for one reading", "one id for two readings"],
)
def test_what_a_kill_cost(
    ids: dict[tuple[str, int], set[str]],
    messages: int,
    lost: int,
    duplicates: int,
    repeats: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway_kill, "READINGS", 2)
    row = Counted(ids, messages).row("x", 2)
    assert (row["lost"], row["duplicates_in_effect"], row["repeats"]) == (lost, duplicates, repeats)


def test_kills_come_within_the_work_and_in_order() -> None:
    for seed in range(50):
        points = gateway_kill._points(seed, 3)
        assert points == sorted(set(points))
        assert 0 < points[0] < points[-1] < gateway_kill.READINGS


@pytest.mark.parametrize(("p99_ms", "holds"), [(7.0, True), (7.1, False)])
def test_the_latency_is_judged_by_the_flushes_of_the_run(p99_ms: float, holds: bool) -> None:
    waits_ms = [1.0] * 98 + [p99_ms] * 2
    result = gateway_latency._result(waits_ms, [0.5] * 98 + [1.0] * 2)
    assert result["holds"] is holds
    assert result["n"]["p50_ms"] == 1.0
    assert gateway_latency.quantile([3.0, 1.0, 2.0], 0.5) == 2.0


@pytest.mark.parametrize(
    ("small_mb", "large_mb", "holds"),
    [(170.0, 200.0, True), (180.0, 201.0, False), (100.0, 121.0, False)],
)
def test_the_memory_is_judged_twice(
    small_mb: float, large_mb: float, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def peak(folder: Path, _uplinks: int) -> dict[str, float]:
        return {"peak_mb": small_mb if folder.name == "small" else large_mb, "seconds": 1.0}

    monkeypatch.setattr(gateway_memory, "_peak", peak)
    assert gateway_memory.measure()["holds"] is holds


@pytest.mark.parametrize(
    ("per_s", "cpu_us", "holds"),
    [(15_000.0, 45.0, True), (14_999.0, 45.0, False), (15_000.0, 45.1, False)],
)
def test_the_throughput_is_judged_by_rate_and_by_cpu(
    per_s: float, cpu_us: float, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"per_s": per_s, "cpu_us": cpu_us, "disk_kb": 2.5}
    monkeypatch.setattr(gateway_throughput, "_one", lambda *_: found)
    assert gateway_throughput.measure()["holds"] is holds


@pytest.mark.parametrize(
    ("paho_per_s", "paho_cpu_us", "holds"),
    [(4_345.0, 227.0, True), (4_346.0, 227.0, False), (4_345.0, 226.0, False)],
)
def test_on_a_slower_machine_it_is_judged_by_paho_of_the_same_run(
    paho_per_s: float, paho_cpu_us: float, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one(name: str, *_: object) -> dict[str, float]:
        ours = name == gateway_throughput.OURS
        per_s, cpu_us = (7_500.0, 90.0) if ours else (paho_per_s, paho_cpu_us)
        return {"per_s": per_s, "cpu_us": cpu_us, "disk_kb": 2.5}

    monkeypatch.setattr(gateway_throughput, "_one", one)
    result = gateway_throughput.measure()
    assert result["holds"] is holds
    assert not result["n"]["holds_here"]


def test_the_peers_pass_the_same_small_message_on() -> None:
    (_, event), *_ = gateway_town.events(1, 0)
    topic, payload = gateway_peers.feed_message(event)
    assert topic == f"feed/{gateway_town.dev_eui(0)}/obs"
    assert len(payload) == gateway_peers.FEED_BYTES
    assert json.loads(payload)["f_cnt"] == 0


def test_the_flow_of_node_red_is_whole() -> None:
    nodes = gateway_node_red._flow(1883, "peer", 10)
    names = {node["id"] for node in nodes}
    for node in nodes:
        targets = [name for port in node.get("wires", []) for name in port]
        assert names >= {*targets, *node.get("scope", []), node.get("broker", "flow")} - {
            "127.0.0.1"
        }


def test_a_peer_that_does_not_finish_is_told_and_judges_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def one(name: str, *_: object) -> dict[str, float]:
        if name == "aiomqtt":
            raise gateway_throughput.BridgeError("not finished within 90 s")
        return {"per_s": 15_000.0, "cpu_us": 45.0, "disk_kb": 2.5}

    monkeypatch.setattr(gateway_throughput, "_one", one)
    result = gateway_throughput.measure()
    assert result["holds"]
    assert result["peer"]["aiomqtt"] == "not finished within 90 s"
    assert "paho, messages/s" in result["peer"]
    assert [row["bridge"] for row in result["rows"]][:2] == [gateway_throughput.OURS, "paho"]


def test_a_backlog_waits_whole_and_in_order(tmp_path: Path) -> None:
    port = free_port()
    made = list(gateway_town.events(3, 400))
    with gateway_broker.broker(tmp_path, port):
        gateway_broker.backlog(port, "later", made)

        async def take() -> list[tuple[str, bytes]]:
            link = await connect(LinkSettings("127.0.0.1", port, "later", session_expiry_s=60))
            got: list[tuple[str, bytes]] = []
            while len(got) < len(made):
                batch = await link.receive()
                link.acknowledge(batch)
                got += [(message.topic, message.payload) for message in batch]
            await link.close()
            return got

        assert asyncio.run(take()) == made
    assert {len(payload) for _, payload in made} == {gateway_town.EVENT_BYTES}
