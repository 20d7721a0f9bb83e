# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Usual frames are 41 bytes in a journal, and nobody can tell: not after a kill, not by a copy that
comes late, not in what is told of a device."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway.tests import support
from gateway.tests.support import AIR, START, air_payload, diagnosis_payload, uplink
from gateway.tests.test_identity_whole_way import Node

from revier_gateway import retention, store_journal, usual_way
from revier_gateway.commands import devices
from revier_gateway.config import Retention
from revier_gateway.data_dir import FILE_NAME, open_to_read
from revier_gateway.gaps import missing
from revier_gateway.gaps.ledger import Ledger
from revier_gateway.mqtt.link import Message
from revier_gateway.outcomes import Outcome
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.usual_frame import unpack
from revier_gateway.values import unix_ms
from revier_gateway.work import Work

Told = tuple[str, str, tuple[bytes, ...]]


class Life(Node):
    """What a node sent in its life, as the broker brings it: some of it twice, some of it late."""

    def __init__(self, seed: int, loss: float) -> None:
        self.events: list[dict[str, Any]] = []
        super().__init__(seed, loss)

    def speak(self, data: bytes, f_port: int, seqs: Sequence[int], heard: bool) -> None:
        event = uplink(data, f_port, self.f_cnt, at=self.now, dev_addr=self.dev_addr)
        self.f_cnt += 1
        self.now += timedelta(seconds=2)
        if heard:
            self.events.append(event)
            if self.rng.random() < 0.1:
                late = self.events[-min(len(self.events), self.rng.randrange(1, 9))]
                self.events.append({**late, "deduplicationId": str(self.rng.random())})

    def live(self, turns: int, joins: int = 1) -> list[Message]:
        rare = [self.again, self.batch, self.backfill, self.diagnosis, self.power]
        rare += [self.join] * joins
        for _ in range(turns):
            self.read()
            if self.rng.random() < 0.15:
                self.rng.choice(rare)()
        return [Message(support.topic(), support.to_bytes(event)) for event in self.events]


class OddLife(Life):
    """And some of it is almost what is usual."""

    def speak(self, data: bytes, f_port: int, seqs: Sequence[int], heard: bool) -> None:
        super().speak(data, f_port, seqs, heard)
        if heard and self.rng.random() < 0.3:
            event = self.events.pop()
            odd = self.rng.choice((self.moved, self.of_another, self.early, self.leap, self.skewed))
            self.events.append(odd(event))

    def moved(self, event: dict[str, Any]) -> dict[str, Any]:
        another = {"ags": support.OTHER_AGS}
        places = {"tenantId": support.OTHER_TENANT, "applicationId": "another", "tags": another}
        key, value = self.rng.choice(list(places.items()))
        return {**event, "deviceInfo": {**event["deviceInfo"], key: value}}

    def of_another(self, event: dict[str, Any]) -> dict[str, Any]:
        """An address that was not heard before counts on."""
        return {**event, "devAddr": f"{self.rng.randrange(2**24):08x}"}

    def early(self, event: dict[str, Any]) -> dict[str, Any]:
        """By a clock of the network server that went back."""
        at = support.stamp(self.now - timedelta(minutes=self.rng.choice((3, 8, 200))))
        rx_info = [{**one, "gwTime": at, "nsTime": at} for one in event["rxInfo"]]
        return {**event, "time": at, "rxInfo": rx_info}

    def skewed(self, event: dict[str, Any]) -> dict[str, Any]:
        """By the clock of a radio gateway, which is off."""
        at = support.stamp(self.now + timedelta(seconds=self.rng.choice((-280, 280))))
        return {**event, "time": at, "rxInfo": [{**one, "gwTime": at} for one in event["rxInfo"]]}

    def leap(self, event: dict[str, Any]) -> dict[str, Any]:
        self.seq += self.rng.choice((1, 5, 20, 300, 600))
        return event


class Gateway:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pipeline = Pipeline(support.inventory(), "revier/v1", lambda: START)
        self._open()

    def _open(self) -> None:
        self.store = Store(self.folder)
        self.ledger = Ledger(self.store)
        self.pipeline.listen_to([self.ledger])

    def killed(self) -> None:
        self.store.abandon()
        self._open()

    def take(self, batch: Sequence[Message]) -> list[Told]:
        work = Work(self.store)
        outcomes = self.pipeline.handle_batch(batch, work)
        self.store.commit(work)
        return list(map(told, outcomes))

    def knows(self) -> tuple[object, ...]:
        """Of the device, as far as it comes from frames."""
        heard = self.store.heard()["device", AIR]
        return self.store.device_state(AIR), self.store.frame_state(AIR), heard


def refused(life: type[Life]) -> set[str]:
    return {"quarantined"} if life is OddLife else set()


def told(outcome: Outcome) -> Told:
    payloads = tuple(message.payload for message in outcome.messages)
    return outcome.kind, outcome.reason, payloads


def batches(messages: Sequence[Message], rng: random.Random) -> Iterator[Sequence[Message]]:
    at = 0
    while at < len(messages):
        size = rng.choice((1, 1, 2, 7))
        yield messages[at : at + size]
        at += size


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_journal, "PAGE_FRAMES", 4)
    monkeypatch.setattr(store_journal, "JOURNAL_FRAMES_MAX", 10)
    monkeypatch.setattr(store_journal, "TRIM_EVERY_ROWS", 3)


@pytest.mark.parametrize("life", [Life, OddLife])
@pytest.mark.parametrize("seed", range(12))
def test_a_killed_gateway_knows_what_one_knows_that_looks_closely_at_every_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, life: type[Life]
) -> None:
    messages = life(seed, loss=0.1 * (seed % 3)).live(150)
    rng = random.Random(seed)
    with monkeypatch.context() as every:
        every.setattr(usual_way, "follow", lambda *_: ())
        one = Gateway(tmp_path / "one")
        wanted = [(one.take([message])[0], one.knows()) for message in messages]
    monkeypatch.setattr(store_journal, "PAGE_FRAMES", rng.choice((4, 32)))
    monkeypatch.setattr(store_journal, "JOURNAL_FRAMES_MAX", rng.choice((6, 1000)))
    monkeypatch.setattr(store_journal, "TRIM_EVERY_ROWS", 3)
    other = Gateway(tmp_path / "other")
    at = 0
    for batch in batches(messages, rng):
        outcomes = other.take(batch)
        assert outcomes == [outcome for outcome, _ in wanted[at : at + len(batch)]]
        at += len(batch)
        if rng.random() < 0.2:
            other.killed()
        assert other.knows() == wanted[at - 1][1]
    assert {kind for (kind, _, _), _ in wanted} == {"published", "ignored", *refused(life)}
    other.killed()
    assert other.knows() == one.knows()
    for gateway in (one, other):
        gateway.store.close()


@pytest.mark.parametrize("life", [Life, OddLife])
@pytest.mark.parametrize("seed", range(12))
def test_a_life_that_is_told_again_is_known(tmp_path: Path, seed: int, life: type[Life]) -> None:
    """As ChirpStack's event log tells it, with more sessions than are remembered."""
    messages = life(seed, loss=0.1 * (seed % 3)).live(200, joins=3)
    gateway = Gateway(tmp_path)
    for message in messages:
        gateway.take([message])
    knows = gateway.knows()
    gateway.killed()
    again = [outcome for message in messages for outcome in gateway.take([message])]
    assert {kind for kind, _, _ in again} == {"ignored", *refused(life)}
    if life is Life:  # what was refused is heard anew: it may be accepted now
        assert gateway.knows() == knows
    gateway.store.close()


def usual_life(count: int) -> list[Message]:
    """A diagnosis, then so many readings."""
    events = [uplink(diagnosis_payload(0), 1, 0, at=START)]
    for n in range(count):
        at = START + timedelta(minutes=5 * (n + 1))
        events.append(uplink(air_payload(n % 512), 10, n + 1, at=at))
    return [Message(support.topic(), support.to_bytes(event)) for event in events]


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return store.database.execute(sql).fetchall()


def test_a_usual_frame_writes_neither_its_devices_row_nor_keys(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    first, *readings = usual_life(20)
    gateway.take([first])
    before = rows(gateway.store, "SELECT * FROM device"), rows(gateway.store, "SELECT * FROM seen")
    for reading in readings:
        assert gateway.take([reading])[0][0] == "published"
    after = rows(gateway.store, "SELECT * FROM device"), rows(gateway.store, "SELECT * FROM seen")
    assert after == before
    records = b"".join(one for (one,) in rows(gateway.store, "SELECT records FROM journal"))
    assert [one.seq for one in unpack(records)] == list(range(20))
    assert gateway.store.heard()["device", AIR][1] == 21
    gateway.store.close()


@pytest.mark.usefixtures("small")
def test_pages_are_written_and_the_journal_stays_short(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    for message in usual_life(41):
        gateway.take([message])
    pages = rows(gateway.store, "SELECT seq_first, seq_last, length(records) FROM usual")
    assert pages == [(n, n + 3, 4 * 41) for n in range(0, 40, 4)]
    assert len(rows(gateway.store, "SELECT 1 FROM journal")) <= 8
    gateway.killed()
    assert rows(gateway.store, "SELECT length(records) FROM journal") == [(0,)]
    assert rows(gateway.store, "SELECT max(seq_last) FROM usual") == [(40,)]
    gateway.store.close()


@pytest.mark.usefixtures("small")
def test_a_silent_device_does_not_hold_the_journal(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    for message in usual_life(1):
        gateway.take([message])
    at = START + timedelta(hours=1)
    other = support.PARKING
    payloads = [(1, diagnosis_payload(0))]
    payloads += [(20, support.encode(20, {"seq": n, "state": 1 + n % 2})) for n in range(14)]
    for n, (f_port, data) in enumerate(payloads):
        event = uplink(data, f_port, n, other, at=at + timedelta(minutes=n), dev_addr="00000002")
        gateway.take([Message(support.topic(other), support.to_bytes(event))])
    (oldest,) = rows(gateway.store, "SELECT min(id) FROM journal")[0]
    assert oldest > 1
    assert rows(gateway.store, "SELECT count(*) FROM usual WHERE seq_last = 0")[0] == (1,)
    gateway.store.close()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("age", [1, 3, 9])
@pytest.mark.parametrize("kill", [False, True])
def test_a_late_copy_of_a_usual_frame_is_known(tmp_path: Path, age: int, kill: bool) -> None:
    """In the journal, in a page, and after a kill."""
    gateway = Gateway(tmp_path)
    messages = usual_life(12)
    for message in messages:
        gateway.take([message])
    if kill:
        gateway.killed()
    assert gateway.take([messages[-age]]) == [("ignored", "duplicate_frame", ())]
    assert gateway.store.heard()["device", AIR][1] == 13
    gateway.store.close()


def test_a_usual_frame_that_a_wrong_clock_makes_older_is_no_state(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    first, second, third = (json.loads(message.payload) for message in usual_life(2))
    for event, off_s in ((second, 280), (third, -280)):
        at = datetime.fromisoformat(event["time"]) + timedelta(seconds=off_s)
        event["time"] = event["rxInfo"][0]["gwTime"] = support.stamp(at)
    before = rows(gateway.store, "SELECT * FROM device")
    found = []
    for event in (first, second, third):
        message = Message(support.topic(), support.to_bytes(event))
        (outcome,) = gateway.take([message])
        found.append(len(outcome[2]))
        before = before or rows(gateway.store, "SELECT * FROM device")
    assert found == [0, 2, 1]
    assert rows(gateway.store, "SELECT * FROM device") == before, "they were no usual frames"
    gateway.store.close()


@pytest.mark.parametrize("kill", [False, True])
def test_a_counter_that_restarted_within_the_hour_brings_no_copy(
    tmp_path: Path, kill: bool
) -> None:
    gateway = Gateway(tmp_path)
    for message in usual_life(4):
        gateway.take([message])
    if kill:
        gateway.killed()
    event = uplink(air_payload(300), 10, 2, at=START + timedelta(minutes=35))
    (outcome,) = gateway.take([Message(support.topic(), support.to_bytes(event))])
    assert outcome[0] == "published"
    gateway.store.close()


def test_a_copy_in_the_same_batch_is_known(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    messages = usual_life(3)
    outcomes = gateway.take([*messages, messages[-2], messages[-1]])
    assert [reason for _, reason, _ in outcomes[-2:]] == ["duplicate_frame"] * 2
    gateway.store.close()


@pytest.mark.usefixtures("small")
def test_their_readings_are_not_missing(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    messages = usual_life(12)
    for message in [*messages[:7], *messages[9:]]:  # the readings 6 and 7 are lost
        gateway.take([message])
    assert missing.sequences(gateway.store, AIR, "air", 0, 11) == [6, 7]
    gateway.store.close()


@pytest.mark.usefixtures("small")
def test_another_program_is_told_what_the_gateway_knows(tmp_path: Path) -> None:
    """After each frame: in the journal, or just put into a page."""
    gateway = Gateway(tmp_path)
    for message in usual_life(10):
        gateway.take([message])
        with closing(open_to_read(gateway.store.path)) as db:
            device = store_journal.device_now(db, AIR)
        assert device is not None
        assert (device.identity, device.frames, (device.last_ms, device.heard)) == gateway.knows()
    gateway.store.close()


def test_another_program_is_told_of_now(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    for message in usual_life(9):
        gateway.take([message])
    with closing(open_to_read(gateway.store.path)) as db:
        device = store_journal.device_now(db, AIR)
        told = devices.record(db, support.inventory(), AIR, START)
    assert device is not None
    assert (device.identity, device.frames, (device.last_ms, device.heard)) == gateway.knows()
    assert (told["frames"], told["f_cnt"]) == (10, 9)
    assert told["last_heard"] == "2026-05-04T07:45:00.000Z"
    gateway.store.close()


@pytest.mark.usefixtures("small")
def test_pages_are_forgotten_after_their_deadline(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    for message in usual_life(24):
        gateway.take([message])
    days = Retention().seen_days
    now_ms = unix_ms(START) + (days * 24 * 60 + 5 * 12) * 60_000  # the first twelve are older
    for _ in retention.steps(gateway.store, Retention(), now_ms):
        pass
    assert rows(gateway.store, "SELECT min(seq_first), count(*) FROM usual") == [(8, 4)]
    gateway.store.close()


def test_a_disk_that_does_not_take_it_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    first, second, third = usual_life(2)
    gateway.take([first])
    gateway.store.database.execute("PRAGMA query_only=ON")
    with pytest.raises(Exception, match="readonly"):
        gateway.take([second])
    gateway.store.database.execute("PRAGMA query_only=OFF")
    assert [kind for kind, _, _ in gateway.take([second, third])] == ["published"] * 2
    knows = gateway.knows()
    gateway.killed()
    assert gateway.knows() == knows
    gateway.store.close()


def test_states_leave_the_memory_only_when_their_rows_are_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from revier_gateway import store_devices

    monkeypatch.setattr(store_devices, "KNOWN_MAX", 0)
    gateway = Gateway(tmp_path)
    for message in usual_life(6):
        gateway.take([message])
    assert rows(gateway.store, "SELECT sum(length(records)) FROM journal") == [(6 * 41,)]
    at = START + timedelta(hours=1)
    event = uplink(diagnosis_payload(0), 1, 0, support.PARKING, at=at, dev_addr="00000002")
    gateway.take([Message(support.topic(support.PARKING), support.to_bytes(event))])
    knows = gateway.knows()
    gateway.killed()
    assert gateway.knows() == knows
    assert missing.sequences(gateway.store, AIR, "air", 0, 5) == []
    gateway.store.close()


def test_the_journal_of_a_gateway_that_ended_is_put_away_at_once(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    for message in usual_life(9):
        gateway.take([message])
    knows = gateway.knows()
    gateway.store.close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as db:
        store_journal.put_away(db)
        store_journal.put_away(db)  # the second time there is nothing to do
        (heard,) = db.execute("SELECT heard FROM device").fetchone()
    assert heard == 10
    again = Gateway(tmp_path)
    assert again.knows() == knows
    again.store.close()
