# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""gateway-latency: from the publishing of an event to the arrival of its observation, at 1,000/s.

One process publishes paced events and reads the feed; the gateway and the broker work beside it.
Every observation waits for a flush of the disk, so the flushes of the same folder are timed in the
same run, and the budget is told in them.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from revier_bench.broker import free_port
from revier_bench.measure import gateway_broker, gateway_child, gateway_town
from revier_gateway.mqtt.link import Link, LinkSettings, Outgoing
from revier_gateway.mqtt.session import connect

BUDGET_MS = 5.0  # and two flushes, of which p99 counts
RATE_PER_S = 1_000
DEVICES = 1_000
ROUNDS = 10
UPLINKS = DEVICES * ROUNDS
TICK_S = 0.005  # events that are due go out together
FLUSH_EVERY_S = 0.05
SETTLE_S = 60.0


class _Frame(msgspec.Struct):
    dev_eui: str
    f_cnt: int


class _Observation(msgspec.Struct):
    prov: _Frame


_frame_of = msgspec.json.Decoder(_Observation).decode


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """About twenty seconds."""
    with tempfile.TemporaryDirectory(prefix="revier-latency-") as text:
        folder = Path(text)
        port = free_port()
        config = gateway_child.write_config(folder, "bench", port, DEVICES)
        with gateway_broker.broker(folder, port):
            readings = DEVICES * rounds
            command = [sys.executable, "-m", gateway_child.__name__, str(config), str(readings)]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as gateway:
                try:
                    waits_ms, flushes_ms = asyncio.run(_watch(port, folder, rounds))
                finally:
                    gateway.terminate()
    return _result(waits_ms, flushes_ms)


def _result(waits_ms: Sequence[float], flushes_ms: Sequence[float]) -> dict[str, Any]:
    p99 = quantile(waits_ms, 0.99)
    flush_p99 = quantile(flushes_ms, 0.99)
    budget = BUDGET_MS + 2 * flush_p99
    return {
        "name": "gateway-latency",
        "value": round(p99, 2),
        "unit": "ms, p99",
        "budget": f"<= {BUDGET_MS:g} ms + 2 x fsync p99 = {budget:.2f} ms",
        "holds": p99 <= budget,
        "n": {
            "uplinks": len(waits_ms),
            "per_s": RATE_PER_S,
            "p50_ms": round(quantile(waits_ms, 0.5), 2),
            "p99_ms": round(p99, 2),
            "max_ms": round(max(waits_ms), 2),
            "fsync_p50_ms": round(quantile(flushes_ms, 0.5), 2),
            "fsync_p99_ms": round(flush_p99, 2),
            "fsyncs": len(flushes_ms),
            "cpus": os.cpu_count(),
        },
        "peer": {"broker": gateway_broker.broker_name()},
    }


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _watch(port: int, folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each event's way, and of each flush."""
    source = await connect(LinkSettings("127.0.0.1", port, "latency-source", window_max=65_000))
    feed = await connect(LinkSettings("127.0.0.1", port, "latency-feed", receive_max=65_000))
    await feed.subscribe(["revier/v1/_gateway/+/status"])
    while b'"source":"online"' not in (await feed.receive())[-1].payload:
        pass
    await feed.subscribe(["revier/v1/+/+/+/obs"])
    sent_s: dict[tuple[str, int], float] = {}
    waits_ms: list[float] = []
    flushes_ms: list[float] = []
    async with (
        asyncio.timeout(SETTLE_S + rounds * DEVICES / RATE_PER_S),
        asyncio.TaskGroup() as group,
    ):
        flushing = group.create_task(_flush_often(folder, flushes_ms))
        group.create_task(_publish(source, rounds, sent_s))
        await _receive(feed, rounds * DEVICES, sent_s, waits_ms)
        flushing.cancel()
    return waits_ms, flushes_ms


async def _publish(link: Link, rounds: int, sent_s: dict[tuple[str, int], float]) -> None:
    """The diagnoses at once, then the readings by the clock."""
    events = [Outgoing(*event) for event in gateway_town.events(DEVICES, rounds)]
    link.publish(events[:DEVICES])
    await asyncio.sleep(2.0)
    events = events[DEVICES:]
    started_s = time.perf_counter()
    done = 0
    while done < len(events):
        due = min(len(events), int((time.perf_counter() - started_s) * RATE_PER_S))
        for number in range(done, due):
            key = (gateway_town.dev_eui(number % DEVICES), number // DEVICES + 1)
            sent_s[key] = time.perf_counter()
        if due > done:
            link.publish(events[done:due])
            done = due
        await asyncio.sleep(TICK_S)


async def _receive(
    link: Link, count: int, sent_s: dict[tuple[str, int], float], waits_ms: list[float]
) -> None:
    while len(waits_ms) < count:
        messages = await link.receive()
        now_s = time.perf_counter()
        link.acknowledge(messages)
        for message in messages:
            if message.topic.endswith("/obs"):
                frame = _frame_of(message.payload).prov
                begun_s = sent_s.pop((frame.dev_eui, frame.f_cnt))
                waits_ms.append((now_s - begun_s) * 1000)


async def _flush_often(folder: Path, flushes_ms: list[float]) -> None:
    """Beside the gateway's own flushes, in a thread: this loop must not wait for the disk."""
    with (folder / "flushed").open("wb", buffering=0) as file:
        while True:
            flushes_ms.append(await asyncio.to_thread(_flush, file))
            await asyncio.sleep(FLUSH_EVERY_S)


def _flush(file: Any) -> float:
    file.write(bytes(4096))
    begun_s = time.perf_counter()
    os.fsync(file.fileno())
    return (time.perf_counter() - begun_s) * 1000
