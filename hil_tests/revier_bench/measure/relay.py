# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""relay: event in -> committed row -> one feed message acknowledged, per second on this machine.

A backlog of 20,000 events of 2 kB waits at a broker under a persistent session. Ours takes it with
the gateway's own session, store (WAL, synchronous=FULL) and publisher; the peer is a plain paho
relay as people write one (automatic acknowledgement, nothing durable). Both decode the JSON and
publish 400 bytes at QoS 1 through the same broker, one after the other, each in its own process.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from revier_bench.broker import free_port
from revier_bench.measure import gateway_broker, gateway_peers, gateway_town

BUDGET_PER_S = 40_000
DEVICES = 200
ROUNDS = 99
EVENTS = DEVICES * (1 + ROUNDS)
FEED_BYTES = 400
RUNS = 3


def measure() -> dict[str, Any]:
    """Median of three runs of each, interleaved; about 20 s."""
    ours: list[dict[str, float]] = []
    plain: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="revier-relay-") as folder:
        for number in range(RUNS):
            ours.append(_one("ours", number, Path(folder)))
            plain.append(_one("paho", number, Path(folder)))
    value = statistics.median(run["per_s"] for run in ours)
    peer = statistics.median(run["per_s"] for run in plain)
    broker = gateway_broker.broker_name()
    return {
        "name": "relay",
        "value": round(value),
        "unit": "messages/s",
        "budget": f">= {BUDGET_PER_S}",
        "holds": value >= BUDGET_PER_S,
        "n": {
            "events": EVENTS,
            "event_bytes": gateway_town.EVENT_BYTES,
            "runs": RUNS,
            "cpus": os.cpu_count(),
        },
        "peer": {"paho relay, automatic acknowledgement": round(peer), "broker": broker},
        "rows": [
            _row("revier gateway, durable", ours, broker),
            _row("paho, not durable", plain, broker),
        ],
    }


def _row(name: str, runs: Sequence[dict[str, float]], broker: str) -> dict[str, Any]:
    return {
        "relay": name,
        "messages_per_s": round(statistics.median(run["per_s"] for run in runs)),
        "cpu_us_per_message": round(statistics.median(run["cpu_us"] for run in runs), 1),
        "runs": [round(run["per_s"]) for run in runs],
        "broker": broker,
    }


def _one(relay: str, number: int, folder: Path) -> dict[str, float]:
    """One relay drains one backlog, in a process of its own, from a fresh broker."""
    port = free_port()
    client_id = f"relay-{relay}"
    with gateway_broker.broker(folder, port):
        gateway_broker.backlog(port, client_id, gateway_town.events(DEVICES, ROUNDS))
        if relay == "ours":
            arguments = [__name__, str(port), client_id, str(folder / str(number))]
        else:
            arguments = [gateway_peers.__name__, relay, str(port), client_id, str(EVENTS)]
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the {relay} relay failed:\n{done.stderr[-2000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    return {"per_s": EVENTS / result["seconds"], "cpu_us": result["cpu_s"] / EVENTS * 1e6}


async def _relay_ours(port: int, client_id: str, work_dir: Path) -> dict[str, float]:
    """The gateway's source, store and feed, with a handler that decodes and makes one message."""
    from revier_gateway.feed import Publisher
    from revier_gateway.mqtt.link import LinkSettings
    from revier_gateway.mqtt.session import connect
    from revier_gateway.service import tune_memory
    from revier_gateway.source import Intake
    from revier_gateway.store import Store

    store = Store(work_dir)
    publisher = Publisher(store)
    intake = Intake(gateway_broker.FILTER, 1, _handle, store, lambda *_: publisher.wake())
    tune_memory()
    started_s, cpu_s = time.perf_counter(), time.process_time()
    source = await connect(
        LinkSettings(
            "127.0.0.1",
            port,
            client_id,
            session_expiry_s=3600,
            receive_max=gateway_broker.RECEIVE_MAX,
        )
    )
    feed = await connect(
        LinkSettings("127.0.0.1", port, "relay-feed", clean_start=True, window_max=2000)
    )
    tasks = [asyncio.create_task(intake.use(source)), asyncio.create_task(publisher.use(feed))]
    while publisher.delivered < EVENTS:
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(0.005)
    result = {"seconds": time.perf_counter() - started_s, "cpu_s": time.process_time() - cpu_s}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store.settle()
    assert store.outbox_rows() == 0, store.outbox_rows()
    store.close()
    return result


def _handle(batch: Sequence[Any], work: Any) -> list[Any]:
    import hashlib

    from revier_gateway import events
    from revier_gateway.outcomes import FeedMessage

    made = []
    for raw in batch:
        event = events.parse(events.name_in_topic(raw.topic), raw.payload)
        assert isinstance(event, events.UplinkEvent)
        eui = event.device_info.dev_eui
        key = hashlib.blake2b(f"{eui}/{event.f_cnt}".encode(), digest_size=16).digest()
        body = b'{"id":"%s","f_cnt":%d}' % (event.deduplication_id.encode(), event.f_cnt)
        feed = FeedMessage(f"feed/{eui}/obs", body.ljust(FEED_BYTES), "obs", eui, 0)
        made.append((key, feed))
    work.ask_seen([key for key, _ in made])
    for key, feed in made:
        if work.seen_before(key) is None:
            work.seen[key] = (0, 0)
            work.outbox.append(feed)
    return []


if __name__ == "__main__":
    _port, _client_id, _work_dir = sys.argv[1:]
    _timed = asyncio.run(_relay_ours(int(_port), _client_id, Path(_work_dir)))
    sys.stdout.write(json.dumps(_timed) + "\n")
