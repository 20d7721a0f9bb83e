# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A node's life through the whole pipeline: alone, again, as a batch, backfilled; hundreds of lost
frames, joins, power cuts, a counter that restarts. One reading has one id, one id has one reading.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.memory_store import Memory
from gateway.tests.support import START, air_payload, uplink
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.work import Work
from revier_payload import air_batch, backfill
from revier_payload.codec import encode

INTERVAL_S = 300
LEASE = 128


class Node:
    """An air node as the design has it, on an air that loses frames; and what the feed got."""

    def __init__(self, seed: int, loss: float) -> None:
        self.rng = random.Random(seed)
        self.loss = loss
        self.now = START
        self.pipeline = Pipeline(support.inventory(), "revier/v1", lambda: self.now)
        self.store = Memory()
        self.log: list[tuple[int, int, bytes]] = []  # every reading: seq, Unix time, payload
        self.newest: tuple[int, int, bytes] | None = None
        self.seq = self.rng.randrange(2**20)
        self.f_cnt = 0
        self.dev_addr = "01020304"
        self.batching = False
        self.ids: dict[int, set[str]] = {}
        self.owners: dict[str, set[int]] = {}
        self.join(heard=True)

    def speak(self, data: bytes, f_port: int, seqs: Sequence[int], heard: bool) -> None:
        """One frame. seqs: the readings in it."""
        event = uplink(data, f_port, self.f_cnt, at=self.now, dev_addr=self.dev_addr)
        self.f_cnt += 1
        self.now += timedelta(seconds=2)
        if not heard:
            return
        work = Work(self.store)
        outcome = self.pipeline.handle(Message(support.topic(), support.to_bytes(event)), work)
        assert outcome.kind != "quarantined", outcome
        self.store.commit(work)
        for message in outcome.messages:
            if message.kind == "obs":
                self.note(msgspec.json.decode(message.payload), seqs)

    def note(self, observation: dict[str, Any], seqs: Sequence[int]) -> None:
        if "epoch" in observation["prov"]:
            (true,) = seqs
        else:
            true = observation["seq"]
            assert true in seqs
        self.ids.setdefault(true, set()).add(observation["id"])
        self.owners.setdefault(observation["id"], set()).add(true)

    def is_heard(self) -> bool:
        return self.rng.random() >= self.loss

    def measure(self) -> tuple[int, int, bytes]:
        self.now += timedelta(seconds=INTERVAL_S)
        unlike = {"pm25": 3 * self.rng.randrange(60), "pm10": 3 * self.rng.randrange(60)}
        reading = (self.seq, int(self.now.timestamp()), air_payload(self.seq, **unlike))
        self.seq += 1
        self.newest = reading
        self.log.append(reading)
        return reading

    def read(self) -> None:
        reading = self.measure()
        self.speak(reading[2], 10, [reading[0]], self.is_heard())

    def again(self) -> None:
        """The newest reading in one more frame; a node that lost power or joined knows none."""
        if self.newest is not None:
            self.speak(self.newest[2], 10, [self.newest[0]], self.is_heard())

    def batch(self) -> None:
        if not self.batching:
            self.batching = True  # another way of reporting: said by a diagnosis that is answered
            self.diagnosis(heard=True)
        block = [self.measure() for _ in range(12)]
        self.send_batch(block)
        if self.rng.random() < 0.3:
            self.send_batch(block)

    def send_batch(self, block: list[tuple[int, int, bytes]]) -> None:
        head: dict[str, int | None] = {"seq": block[0][0], "time": block[0][1]}
        head |= {"interval": INTERVAL_S, "battery": 3600, "status": 0}
        samples = [air_batch.codes_of(10, payload) for _, _, payload in block]
        data = air_batch.encode(head, samples, self.rng.choice((36, 45, 51, 115)))
        self.speak(data, 11, [seq for seq, _, _ in block], self.is_heard())

    def backfill(self) -> None:
        """Any stretch of what was measured, heard before or not."""
        if not self.log:
            return
        first = self.rng.randrange(len(self.log))
        records = [(seq, t, 10, payload) for seq, t, payload in self.log[first : first + 14]]
        data, count = backfill.encode(records, self.rng.choice((51, 115, 222)))
        self.speak(data, 5, [record[0] for record in records[:count]], self.is_heard())

    def diagnosis(self, heard: bool | None = None) -> None:
        data = encode(1, {"seq": self.seq, "status": 64 if self.batching else 0})
        self.speak(data, 1, [], self.is_heard() if heard is None else heard)

    def join(self, heard: bool | None = None) -> None:
        self.now += timedelta(seconds=90)
        self.newest = None
        self.dev_addr = f"{self.rng.getrandbits(32):08x}"
        self.f_cnt = 0
        self.diagnosis(heard)

    def power(self) -> None:
        """Both counters go on from the ends of their leases, f_cnt beyond it so that it never
        leaps less; what waited for a batch is lost."""
        self.seq += self.rng.randrange(LEASE)
        self.f_cnt += LEASE + self.rng.randrange(LEASE)
        self.newest = None
        self.diagnosis()

    def abp(self) -> None:
        """A counter that restarts under the same address: the node itself never does that, but
        whoever provisions it anew, and the tool for that waits until a frame was heard."""
        self.newest = None
        self.now += timedelta(seconds=90)
        self.f_cnt = 0
        self.diagnosis(heard=True)

    def storm(self) -> None:
        """More than 256 frames in a row that nobody hears."""
        for _ in range(self.rng.randrange(257, 700)):
            reading = self.measure()
            self.speak(reading[2], 10, [reading[0]], heard=False)

    def lose_batches(self) -> None:
        if self.batching:
            self.newest = None
            for _ in range(self.rng.randrange(257, 300)):
                self.f_cnt += 1
                self.now += timedelta(hours=1)
                self.seq += 12


STEPS = ("read",) * 8 + ("again", "again", "batch", "batch", "backfill", "backfill", "diagnosis")
RARE = ("join", "power", "abp", "storm", "lose_batches")


def check(node: Node) -> None:
    assert all(len(readings) == 1 for readings in node.owners.values()), "two readings share an id"
    assert all(len(ids) == 1 for ids in node.ids.values()), "a reading has two ids"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(STEPS + RARE), min_size=1, max_size=60),
    st.integers(0, 2**32),
    st.floats(0, 0.6),
)
def test_one_reading_one_id(steps: Sequence[str], seed: int, loss: float) -> None:
    node = Node(seed, loss)
    for step in steps:
        getattr(node, step)()
    check(node)


@pytest.mark.parametrize("trouble", RARE)
def test_through_each_trouble(trouble: str) -> None:
    """Alone, again, trouble, alone, again, a batch, and then all of it backfilled, twice."""
    node = Node(7, 0.0)
    for step in ("read", "again", "batch", trouble, "read", "again", "read", "batch"):
        getattr(node, step)()
    published = len(node.owners)
    for _ in range(2):
        left = [(seq, t, 10, payload) for seq, t, payload in node.log]
        while left:
            data, count = backfill.encode(left[:14], 222)
            node.speak(data, 5, [record[0] for record in left[:count]], heard=True)
            left = left[count:]
    check(node)
    assert len(node.owners) == len(node.log) >= published
    assert set(node.ids) == {seq for seq, _, _ in node.log}


def test_the_clock_is_utc() -> None:
    assert datetime.fromtimestamp(int(START.timestamp()), UTC) == START
