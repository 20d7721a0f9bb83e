# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""ChirpStack's leg: acknowledged is what is on the disk; what hinders that is said."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from gateway.tests import support
from gateway.tests.support import air_payload, uplink
from structlog.testing import capture_logs

from revier_gateway import event_topic, source
from revier_gateway.mqtt.link import LinkLost, Message
from revier_gateway.outcomes import Outcome
from revier_gateway.pipeline import Pipeline
from revier_gateway.source import Intake
from revier_gateway.store import Store
from revier_gateway.work import Work

FILTER = "application/+/device/+/event/+"


# -- the topic


@pytest.mark.parametrize(
    ("text", "topic_filter", "topic", "name"),
    [
        (FILTER, FILTER, "application/1/device/2/event/up", "up"),
        (
            "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}",
            FILTER,
            "application/1/device/2/event/up",
            "up",
        ),
        ("{{event}}/{{ dev_eui }}", "+/+", "join/0102", "join"),
        ("kreis/ev-{{event}}/x{{dev_eui}}", "kreis/+/+", "kreis/ev-up/x01", "up"),
        ("kreis/ev-{{event}}/x{{dev_eui}}", "kreis/+/+", "kreis/up/x01", ""),
        ("$share/g/a/{{event}}", "$share/g/a/+", "a/up", "up"),
        ("$share/g/" + FILTER, "$share/g/" + FILTER, "application/1/device/2/event/up", "up"),
        ("+/{{event}}", "+/+", "any/up", "up"),
        ("a.b/{{event}}", "a.b/+", "a.b/up", "up"),
        ("a.b/{{event}}", "a.b/+", "axb/up", ""),
        ("kreis/#", "kreis/#", "kreis/a/b/event/up", "up"),
    ],
)
def test_an_event_topic(text: str, topic_filter: str, topic: str, name: str) -> None:
    parsed = event_topic.parse(text)
    assert parsed.filter == topic_filter
    assert parsed.name_of(topic) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a/{{dev_eui}}", "{{event}} once"),
        ("{{event}}/{{event}}", "{{event}} once"),
        ("a/{{tenant}}/{{event}}", "ChirpStack has {{application_id}}, {{dev_eui}}, {{event}}"),
        ("a/{event}/{{event}}", "neither"),
        ("a/#/b", "at the end"),
        ("a+/b", "whole level"),
        ("", "no topic"),
    ],
)
def test_an_event_topic_that_cannot_be(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        event_topic.parse(text)
    assert why in str(caught.value)


def test_ids_come_from_the_payload(store: Store) -> None:
    topic = event_topic.parse("{{event}}/{{dev_eui}}")
    pipeline = Pipeline(support.inventory(), "revier/v1", name_of=topic.name_of)
    payload = support.to_bytes(uplink(air_payload(1)))
    outcome = pipeline.handle(Message("up/ffffffffffffffff", payload), Work(store))
    assert outcome.messages[0].asset == "aq-0007"
    other = pipeline.handle(Message("up/x/y", payload), Work(store))
    assert (other.kind, other.reason) == ("ignored", "unknown_event")


# -- the intake


class Broker:
    """A link in a list: hands out what it was given, remembers what was acknowledged."""

    session_present = True
    message_bytes_max = None
    window = 0

    def __init__(self, batches: Sequence[Sequence[Message]], granted: int = 1) -> None:
        self.batches = [list(batch) for batch in batches]
        self.granted = granted
        self.acknowledged: list[int | None] = []

    async def subscribe(self, topic_filters: Sequence[str], qos: int = 1) -> list[int]:
        return [self.granted] * len(topic_filters)

    async def receive(self) -> list[Message]:
        if not self.batches:
            await asyncio.sleep(0.05)
            raise LinkLost("no more")
        return self.batches.pop(0)

    def receive_now(self) -> list[Message]:
        return []

    def acknowledge(self, messages: Sequence[Message]) -> None:
        self.acknowledged += [message.packet_id for message in messages]

    def publish(self, messages: Any) -> list[int]:
        raise AssertionError

    async def acks(self) -> Any:
        raise AssertionError

    async def close(self) -> None: ...


def numbered(payloads: Sequence[bytes], first: int = 1) -> list[Message]:
    return [
        Message(support.topic(), payload, packet_id=first + n) for n, payload in enumerate(payloads)
    ]


def readings(count: int, first: int = 1) -> list[bytes]:
    return [support.to_bytes(uplink(air_payload(n), f_cnt=n)) for n in range(first, first + count)]


def use(intake: Intake, broker: Broker, *more: Coroutine[Any, Any, None]) -> None:
    async def work() -> None:
        others = [asyncio.create_task(one) for one in more]
        with pytest.raises(LinkLost):
            await intake.use(broker)
        await asyncio.gather(*others)

    asyncio.run(asyncio.wait_for(work(), 30))


def intake_of(
    pipeline: Pipeline, store: Store, trouble: Callable[[str], None] = lambda _: None
) -> Intake:
    return Intake(FILTER, 1, pipeline.handle_batch, store, lambda *_: None, trouble)


def test_acknowledged_is_what_is_on_the_disk(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker([numbered(readings(5)), numbered(readings(5, 6), 6)])
    commit = store.commit

    def looking(work: Work) -> None:
        assert len(broker.acknowledged) in (0, 5)
        commit(work)
        rows = store.database.execute("SELECT count(*) FROM outbox WHERE kind = 'obs'").fetchone()
        assert rows == (len(broker.acknowledged) + 5,)

    monkeypatch.setattr(store, "commit", looking)
    use(intake_of(pipeline, store), broker)
    assert broker.acknowledged == list(range(1, 11))


def test_a_disk_that_does_not_take_it_is_said_once_and_waited_for(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "STORE_RETRY_S", 0.02)
    broker = Broker([numbered(readings(5))])
    troubles: list[str] = []

    async def repair() -> None:
        await asyncio.sleep(0.2)
        assert broker.acknowledged == []
        store.database.execute("PRAGMA query_only=OFF")

    store.database.execute("PRAGMA query_only=ON")
    with capture_logs() as logs:
        use(intake_of(pipeline, store, troubles.append), broker, repair())
    assert broker.acknowledged == [1, 2, 3, 4, 5]
    assert [why != "" for why in troubles] == [True, False]
    assert "readonly" in troubles[0]
    levels = [(entry["log_level"], entry["event"]) for entry in logs]
    assert levels[1:] == [
        ("error", "the store does not take it: nothing is acknowledged"),
        ("info", "the store takes it again"),
    ]


def test_the_reserve_of_the_disk_is_not_touched(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "STORE_RETRY_S", 0.02)
    store = Store(tmp_path / "data", reserve_bytes=10**18)
    broker = Broker([numbered(readings(5))])
    troubles: list[str] = []

    async def repair() -> None:
        await asyncio.sleep(0.1)
        assert broker.acknowledged == []
        store.reserve_bytes = 1

    use(intake_of(pipeline, store, troubles.append), broker, repair())
    assert "disk_reserve_mb" in troubles[0]
    assert broker.acknowledged == [1, 2, 3, 4, 5]
    store.close()


def test_a_disk_that_cannot_be_read_is_no_fault_of_the_event(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "STORE_RETRY_S", 0.02)
    answers = iter([sqlite3.OperationalError("disk I/O error")])
    seen_before = store.seen_before

    def flaky(key: bytes) -> Any:
        for error in answers:
            raise error
        return seen_before(key)

    monkeypatch.setattr(store, "seen_before", flaky)
    broker = Broker([numbered(readings(2))])
    use(intake_of(pipeline, store), broker)
    assert broker.acknowledged == [1, 2]
    assert store.quarantine() == []


def test_a_message_that_the_store_chokes_on_stalls_nothing(
    pipeline: Pipeline, store: Store
) -> None:
    """A defect of ours that no stage caught: that message goes to quarantine, the others go on."""

    def handle(batch: Sequence[Message], work: Work) -> list[Outcome]:
        outcomes = pipeline.handle_batch(batch, work)
        if any(message.payload == b"poison" for message in batch):
            work.seen[b"x"] = (10**30, 0)  # SQLite has 64 bits
        return outcomes

    broker = Broker([numbered([*readings(3), b"poison", *readings(3, 4)])])
    intake = Intake(FILTER, 1, handle, store, lambda *_: None)
    use(intake, broker)
    assert broker.acknowledged == list(range(1, 8))
    ((_, row),) = store.quarantine()
    assert (row.reason, row.payload) == ("internal_error", b"poison")
    assert "OverflowError" in row.detail
    assert store.counters()["published.readings"] == 6


@pytest.mark.parametrize(("granted", "warnings"), [(1, 0), (0, 1)])
def test_a_lesser_grant_is_a_warning(
    pipeline: Pipeline, store: Store, granted: int, warnings: int
) -> None:
    with capture_logs() as logs:
        use(intake_of(pipeline, store), Broker([], granted))
    assert [entry["log_level"] for entry in logs].count("warning") == warnings
    assert ("grants QoS 0 only" in str(logs)) is bool(warnings)


def test_events_with_qos_0_are_taken_counted_and_warned_of_once(
    pipeline: Pipeline, store: Store
) -> None:
    batches = [[Message(support.topic(), payload)] for payload in readings(3)]
    with capture_logs() as logs:
        use(intake_of(pipeline, store), Broker(batches))
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert "qos = 1 in [integration.mqtt]" in warning["cure"]
    assert store.counters()["source.qos0"] == 3
    assert store.counters()["published.readings"] == 3


def test_what_comes_out_of_the_event_log_says_nothing_of_chirpstack_s_qos(
    pipeline: Pipeline, store: Store
) -> None:
    with capture_logs() as logs:
        batch = [Message(support.topic(), payload) for payload in readings(3)]
        asyncio.run(intake_of(pipeline, store).take(batch))
    assert [entry for entry in logs if entry["log_level"] == "warning"] == []
    assert "source.qos0" not in store.counters()
    assert store.counters()["published.readings"] == 3
