# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What was missed comes from ChirpStack's event log under the same ids; what does not is named."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gateway.tests import mosquitto, support
from gateway.tests.support import AIR, air_payload, diagnosis_payload
from hil_tests.tests.bridge import town
from hil_tests.tests.bridge.town import Town
from hil_tests.tests.network_server.simple_device import SimpleDevice

from revier_gateway.identity import Identity, reading_id

FIRST_SEQ = 100


@dataclass(slots=True)
class Scene:
    town: Town
    node: SimpleDevice
    listener: support.Listener
    config: Path
    source_port: int
    seq: int = FIRST_SEQ

    def run(self) -> Any:
        return town.gateway(self.config, self.listener, self.town.service.api_token)

    def begin(self) -> None:
        self.town.speak(self.node, diagnosis_payload(self.seq), 1)
        self.read()

    def read(self, heard: bool = True) -> None:
        data = air_payload(self.seq, pm25=3 * (self.seq % 50))
        self.seq += 1
        if heard:
            self.town.speak(self.node, data)
        else:
            self.node.uplink(data, 10)

    def ids(self) -> set[str]:
        """A killed gateway repeats what the feed's broker had not yet been seen to have."""
        return {message["id"] for message in self.listener.of_kind("obs")}

    def came(self, *seqs: int) -> None:
        wanted = {reading_id(AIR, "air", Identity(seq, "0")) for seq in seqs}
        town.until(lambda: self.ids() == wanted, "these readings and no other")

    def gap(self, number: int = 0) -> dict[str, Any]:
        town.until(lambda: len(self.listener.of_kind("gap")) > number, "a gap")
        return self.listener.of_kind("gap")[number]


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    history: int = getattr(request, "param", 100)
    with (
        support.broker(tmp_path / "source") as source,
        support.broker(tmp_path / "feed") as feed,
        support.listening(feed.port, "revier/v1/#") as listener,
        town.town(source.port, event_history=history) as made,
    ):
        path = town.config(tmp_path, source.port, feed.port, made.service.grpc_port)
        yield Scene(made, made.device(), listener, path, source.port)
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()


def gaps_listed(config: Path, *options: str) -> Any:
    command = [sys.executable, "-m", "revier_gateway.cli", "gaps", "--config", str(config)]
    done = subprocess.run(
        [*command, "--json", *options], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_stopped_while_twenty_uplinks_pass(scene: Scene) -> None:
    with scene.run():
        scene.begin()
        scene.came(FIRST_SEQ)
    town.forget(scene.source_port)
    for _ in range(20):
        scene.read()
    with scene.run():
        scene.came(*range(FIRST_SEQ, FIRST_SEQ + 21))
        scene.read()
        scene.came(*range(FIRST_SEQ, FIRST_SEQ + 22))
    assert scene.listener.of_kind("gap") == []
    assert gaps_listed(scene.config) == []


@pytest.mark.parametrize("scene", [10], indirect=True)
def test_a_log_too_short_is_named_with_its_cause(scene: Scene) -> None:
    with scene.run():
        scene.begin()
        scene.came(FIRST_SEQ)
    town.forget(scene.source_port)
    for _ in range(20):
        scene.read()
    with scene.run():
        gap = scene.gap()
    known = len(scene.ids())
    assert (gap["state"], gap["cause"], gap["frames"]) == ("missing", "gateway", 21 - known)
    assert gap["readings"] == 21 - known
    assert gap["seq"][0] == FIRST_SEQ + 1
    assert 21 - known >= 10
    (row,) = gaps_listed(scene.config, "--open")
    assert (row["id"], row["cause"]) == (gap["id"], "gateway")
    assert gaps_listed(scene.config, "--asset", "wc-0113") == []


def test_events_that_went_to_nobody_come_late_and_are_no_gap(scene: Scene) -> None:
    with scene.run():
        scene.begin()
        scene.came(FIRST_SEQ)
        scene.town.fault('{"lose_events": true}')
        for _ in range(3):
            scene.read()
        scene.town.fault('{"heal": true}')
        scene.read()
        scene.came(*range(FIRST_SEQ, FIRST_SEQ + 5))
    late = {message["seq"]: message["late"] for message in scene.listener.of_kind("obs")}
    assert late == {100: False, 101: True, 102: True, 103: True, 104: False}
    assert scene.listener.of_kind("gap") == []


def test_what_the_radio_lost_is_named(scene: Scene) -> None:
    with scene.run():
        scene.begin()
        scene.read(heard=False)
        scene.read(heard=False)
        scene.read()
        gap = scene.gap()
    assert (gap["state"], gap["cause"]) == ("missing", "radio")
    assert (gap["frames"], gap["readings"], gap["seq"]) == (2, 2, [101, 103])
    assert gap["asset"] == "urn:revier:05562032:airquality:aq-0007"


def test_frames_without_readings_are_no_missing_readings(scene: Scene) -> None:
    with scene.run():
        scene.begin()
        scene.node.uplink(b"", None)  # lost, and there was nothing in it
        scene.read()
        town.until(lambda: gaps_listed(scene.config), "the gap's row")
    (row,) = gaps_listed(scene.config)
    assert (row["state"], row["readings"], row["frames"]) == ("none", 0, 1)
    assert scene.listener.of_kind("gap") == []


@pytest.mark.mosquitto
def test_the_sources_broker_is_killed(tmp_path: Path) -> None:
    """Uplinks while it is dead; then it is back, and the network server publishes to nobody."""
    with (
        mosquitto.running(tmp_path / "source", "persistence false\n") as source,
        support.broker(tmp_path / "feed") as feed,
        support.listening(feed.port, "revier/v1/#") as listener,
        town.town(source.port, event_history=100) as made,
    ):
        path = town.config(tmp_path, source.port, feed.port, made.service.grpc_port)
        scene = Scene(made, made.device(), listener, path, source.port)
        with scene.run():
            scene.begin()
            scene.came(FIRST_SEQ)
            source.end(signal.SIGKILL)
            made.fault('{"lose_events": true}')
            for _ in range(5):
                scene.read()
            source.start()
            town.until(lambda: made.service.link.is_ready)
            for _ in range(3):
                scene.read()
            made.fault('{"heal": true}')
            scene.read()
            scene.came(*range(FIRST_SEQ, FIRST_SEQ + 10))
        assert listener.of_kind("gap") == []
