# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The whole program, as a process of its own, against a broker; and killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from gateway.tests import mosquitto, support
from gateway.tests.support import START, air_payload, uplink
from iotcore import Broker

from revier_bench.broker import free_port
from revier_gateway.store import Store

SOURCE_CLIENT = "revier-gateway-test-source"
FILTER = "application/+/device/+/event/+"


@contextmanager
def gateway(config: Path, log: str = "gateway.log") -> Iterator[subprocess.Popen[bytes]]:
    with (config.parent / log).open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "revier_gateway.cli", "run", "--config", str(config)],
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


def events(count: int, devices: int = 1) -> list[tuple[str, bytes]]:
    """A diagnosis, then readings, of real shape and size."""
    first = uplink(support.diagnosis_payload(100), f_port=1, f_cnt=0)
    made = [(support.topic(), support.to_bytes(first))]
    for n in range(1, count + 1):
        at = START + timedelta(minutes=n)
        event = uplink(air_payload(99 + n, pm25=n), f_cnt=n, at=at, object={"filler": "x" * 900})
        made.append((support.topic(), support.to_bytes(event)))
    return made


def online(listener: support.Listener) -> bool:
    """Says of itself that it is up and subscribed."""
    states = listener.of_kind("status")
    return bool(states) and (states[-1]["status"], states[-1].get("source")) == ("online", "online")


def ids(listener: support.Listener) -> Counter[str]:
    return Counter(message["id"] for message in listener.of_kind("obs"))


def test_event_in_feed_out_and_a_clean_end(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config) as process:
        support.wait_until(lambda: online(listener))
        support.publish(broker.port, events(20))
        support.wait_until(lambda: len(ids(listener)) == 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        support.wait_until(lambda: listener.of_kind("status")[-1]["reason"] == "stopped")
    messages = listener.of_kind("obs")
    assert [message["seq"] for message in messages] == list(range(100, 120))
    assert [message["m"]["pm25"]["q"] for message in messages] == [1] * 20
    log = (tmp_path / "gateway.log").read_text()
    assert "gateway has ended" in log
    assert "Traceback" not in log


def test_the_last_will_tells_of_a_kill(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    with support.listening(broker.port, "revier/v1/_gateway/+/status") as listener:
        with gateway(config) as process:
            support.wait_until(lambda: online(listener))
            process.kill()
        support.wait_until(lambda: listener.of_kind("status")[-1]["status"] == "offline")
        assert listener.of_kind("status")[-1]["reason"] == "connection lost"


def kill_in_mid_backlog(port: int, tmp_path: Path, count: int = 3000, kills: int = 3) -> None:
    """SIGKILL the process while it works; nothing lost, and no id stands for two readings."""
    config = support.gateway_toml(tmp_path, port, port, source="receive_max = 200")
    support.persistent_session(port, SOURCE_CLIENT, FILTER)
    support.publish(port, events(count))
    killed_at = []
    with support.listening(port, "revier/v1/+/+/+/obs") as listener:
        for number in range(kills):
            with gateway(config) as process:
                goal = (number + 1) * count // (kills + 2)
                support.wait_until(lambda goal=goal: len(listener.messages) >= goal, 60)
                process.kill()
                killed_at.append(len(ids(listener)))
        with gateway(config):
            support.wait_until(lambda: len(ids(listener)) >= count, 60)
            time.sleep(0.5)
    assert all(n < count for n in killed_at), killed_at
    assert len(ids(listener)) == count
    seqs: dict[str, set[tuple[int, float]]] = {}
    for message in listener.of_kind("obs"):
        seqs.setdefault(message["id"], set()).add((message["seq"], message["m"]["pm25"]["v"]))
    assert all(len(readings) == 1 for readings in seqs.values())
    assert sorted(seq for readings in seqs.values() for seq, _ in readings) == list(
        range(100, 100 + count)
    )
    store = Store(tmp_path / "data")
    assert store.counters()["published.readings"] == count
    assert not store.quarantine()
    store.close()


def test_killed_three_times_in_mid_backlog(broker: Broker, tmp_path: Path) -> None:
    kill_in_mid_backlog(broker.port, tmp_path)


@pytest.mark.mosquitto
@pytest.mark.usefixtures("each_mosquitto")
def test_killed_three_times_with_mosquitto(tmp_path: Path) -> None:
    with mosquitto.running(tmp_path / "broker", "max_queued_messages 0\n") as running:
        kill_in_mid_backlog(running.port, tmp_path)


def test_the_feed_s_broker_gone_and_back(broker: Broker, tmp_path: Path) -> None:
    feed_port = free_port()
    config = support.gateway_toml(tmp_path, broker.port, feed_port)
    with (
        support.broker(tmp_path / "feed") as feed,
        support.listening(feed.port, "revier/v1/+/+/+/+") as listener,
        gateway(config),
    ):
        support.wait_until(lambda: "subscribed" in (tmp_path / "gateway.log").read_text())
        support.publish(broker.port, events(50))
        time.sleep(1.0)
        assert not listener.messages
        with support.way(feed_port, feed.port):
            support.wait_until(lambda: len(ids(listener)) == 50)
            support.wait_until(lambda: bool(listener.of_kind("state")))
            log = (tmp_path / "gateway.log").read_text()
    assert list(ids(listener).values()) == [1] * 50
    assert listener.of_kind("state")[-1]["seq"] == 149
    warnings = [
        entry
        for entry in map(json.loads, log.splitlines())
        if entry["level"] == "warning" and entry.get("link") == "feed"
    ]
    assert len(warnings) == 1  # the log follows the outage, not the retry


def test_the_inventory_is_read_again_when_it_changes(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    folder = tmp_path / "inventory"
    saved = (folder / "devices.toml").read_text()
    (folder / "devices.toml").write_text("format = 1\n")
    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config):
        support.wait_until(lambda: online(listener))
        time.sleep(0.2)
        event = uplink(air_payload(1), f_cnt=1)
        support.publish(broker.port, [(support.topic(), support.to_bytes(event))])
        (folder / "devices.toml").write_text("not toml")
        support.wait_until(lambda: "inventory is wrong" in (tmp_path / "gateway.log").read_text())
        (folder / "devices.toml").write_text(saved)
        support.wait_until(lambda: "inventory read" in (tmp_path / "gateway.log").read_text())
        support.publish(broker.port, [(support.topic(), support.to_bytes(event))])
        support.wait_until(lambda: len(ids(listener)) == 1)
    store = Store(tmp_path / "data")
    assert [row.reason for _, row in store.quarantine()] == ["unknown_device"]
    store.close()


@pytest.mark.parametrize("damage", ["gone", "wrong"])
def test_a_bad_inventory_at_start_is_said_in_words(tmp_path: Path, damage: str) -> None:
    config = support.gateway_toml(tmp_path, 1, 1)
    file = tmp_path / "inventory" / "assets.toml"
    file.unlink() if damage == "gone" else file.write_text("[[asset]]\n")
    done = subprocess.run(
        [sys.executable, "-m", "revier_gateway.cli", "run", "-c", str(config)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert "assets.toml" in done.stderr
    assert "Traceback" not in done.stderr
