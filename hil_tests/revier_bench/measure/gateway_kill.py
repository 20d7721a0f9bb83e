# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""gateway-kill: 20,000 readings wait; the bridge is killed twice, the feed's broker goes and comes.

SIGKILL at two random points of the work, and a restart of the feed's broker between (Mosquitto,
which keeps its sessions; the embedded broker cannot, then that part is left out and said). An
independent subscriber with a persistent session counts: a reading that never comes is lost; an id
that stands for two readings, or a reading under two ids, is a duplicate in effect. The peers do the
same work with one broker and two kills.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from revier_bench.broker import free_port
from revier_bench.measure import gateway_broker, gateway_child, gateway_peers, gateway_town

DEVICES = 500
ROUNDS = 40
READINGS = DEVICES * ROUNDS
SEEDS = range(1)
PEERS = ("paho", "aiomqtt")
QUIET_S = 10.0  # nothing new for so long: nothing more will come
LIMIT_S = 600.0
BROKER_AWAY_S = 2.0
OURS, THEIRS = "revier/v1/+/+/+/obs", "feed/+/obs"


def measure(seeds: range = SEEDS) -> dict[str, Any]:
    """One round for each seed; about a minute."""
    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="revier-kill-") as folder:
            rows.append(_ours(Path(folder), seed))
            rows += [_peer(name, Path(folder), seed) for name in PEERS]
    ours = [row for row in rows if row["bridge"] == "revier gateway"]
    wrong = sum(row["lost"] + row["duplicates_in_effect"] for row in ours)
    lost = {name: sum(row["lost"] for row in rows if row["bridge"] == name) for name in PEERS}
    return {
        "name": "gateway-kill",
        "value": wrong,
        "unit": "readings lost or duplicated in effect",
        "budget": "0",
        "holds": wrong == 0,
        "n": {
            "readings": READINGS * len(seeds),
            "kills": sum(row["kills"] for row in ours),
            "feed_broker_restarts": sum(row["broker_restarts"] for row in ours),
            "repeats": sum(row["repeats"] for row in ours),
        },
        "peer": {f"{name}, lost": count for name, count in lost.items()},
        "rows": rows,
    }


class Subscriber:
    """Counts observations by the reading that each is of; paho, with a session that stays."""

    def __init__(self, port: int, topic: str) -> None:
        self.ids: dict[tuple[str, int], set[str]] = {}
        self.messages = 0
        self._client, properties = gateway_broker.client("independent", expiry_s=3600)
        self._topic = topic
        self._subscribed = threading.Event()
        self._client.on_message = self._count
        self._client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port, clean_start=False, properties=properties)
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise TimeoutError("the independent subscriber cannot subscribe")

    def _count(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        body = json.loads(message.payload)
        frame = body.get("prov", body)
        eui = frame.get("dev_eui") or message.topic.split("/")[1]
        if frame["f_cnt"] > 0:  # a peer passes the diagnoses on, too
            self.ids.setdefault((eui, frame["f_cnt"]), set()).add(body["id"])
            self.messages += 1

    def wait(self, condition: Callable[[int], bool]) -> bool:
        """Until so many readings are there; False when no more come."""
        seen, since_s = -1, time.monotonic()
        end_s = since_s + LIMIT_S
        while not condition(len(self.ids)):
            if self.messages != seen:
                seen, since_s = self.messages, time.monotonic()
            if time.monotonic() > min(since_s + QUIET_S, end_s):
                return False
            time.sleep(0.01)
        return True

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def row(self, bridge: str, kills: int, broker_restarts: int = 0) -> dict[str, Any]:
        all_ids = [one for ids in self.ids.values() for one in ids]
        return {
            "bridge": bridge,
            "kills": kills,
            "broker_restarts": broker_restarts,
            "lost": READINGS - len(self.ids),
            "duplicates_in_effect": len(all_ids) - len(self.ids) + len(all_ids) - len(set(all_ids)),
            "repeats": self.messages - len(self.ids),
        }


def _ours(folder: Path, seed: int) -> dict[str, Any]:
    source_port, feed_port = free_port(), free_port()
    has_mosquitto = gateway_broker.mosquitto_path() is not None
    config = gateway_child.write_config(folder, "bench", source_port, DEVICES, feed_port)
    command = [sys.executable, "-m", "revier_gateway.cli", "run", "-c", str(config)]
    points = _points(seed, 3)
    with gateway_broker.broker(_made(folder / "source"), source_port):
        gateway_broker.backlog(
            source_port,
            gateway_child.source_client_id("bench"),
            gateway_town.events(DEVICES, ROUNDS),
        )
        with _feed_broker(_made(folder / "feed"), feed_port, has_mosquitto) as restart:
            subscriber = Subscriber(feed_port, OURS)
            _run_until(command, subscriber, points[0])
            with _started(command) as process:
                subscriber.wait(lambda count: count >= points[1])
                restarts = restart()
                subscriber.wait(lambda count: count >= points[2])
                process.kill()
            _run_until(command, subscriber, READINGS)
            subscriber.wait(lambda _: False)  # whatever else may come
            subscriber.close()
    return subscriber.row("revier gateway", 2, restarts)


def _peer(name: str, folder: Path, seed: int) -> dict[str, Any]:
    port = free_port()
    events = READINGS + DEVICES
    command = [sys.executable, "-m", gateway_peers.__name__, name, str(port), name, str(events)]
    points = _points(seed, 2)
    with gateway_broker.broker(_made(folder / name), port):
        gateway_broker.backlog(port, name, gateway_town.events(DEVICES, ROUNDS))
        subscriber = Subscriber(port, THEIRS)
        for point in points:
            _run_until(command, subscriber, point)
        _run_until(command, subscriber, READINGS)
        subscriber.close()
    return subscriber.row(name, len(points))


def _points(seed: int, count: int) -> list[int]:
    """How many readings have come when something happens."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, not a secret
    return sorted(chance.sample(range(READINGS // 20, READINGS * 19 // 20), count))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _run_until(command: list[str], subscriber: Subscriber, readings: int) -> None:
    """Start the bridge; kill it when so many readings have come, or no more do."""
    with _started(command):
        subscriber.wait(lambda count: count >= readings)


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


@contextmanager
def _feed_broker(folder: Path, port: int, persistent: bool) -> Iterator[Callable[[], int]]:
    """The broker; and what stops it, waits, and starts it again where it can keep its sessions."""
    running = [gateway_broker.broker(folder, port, persistent=persistent)]
    running[0].__enter__()

    def restart() -> int:
        if not persistent:
            return 0
        running.pop().__exit__(None, None, None)
        time.sleep(BROKER_AWAY_S)
        running.append(gateway_broker.broker(folder, port, persistent=True))
        running[0].__enter__()
        return 1

    try:
        yield restart
    finally:
        running[0].__exit__(None, None, None)
