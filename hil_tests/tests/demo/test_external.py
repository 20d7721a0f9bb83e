# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The demo before a network server with a clock of its own, as a real ChirpStack has.

The bench's stand-in takes its part here, in wall mode: no control topics, and nothing of the demo
started it.
"""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from rich.console import Console

from revier_bench.broker import free_port, start_broker
from revier_bench.demo.options import parse
from revier_bench.demo.run import JOINS_S_MAX, Run
from revier_bench.mqtt_client import PromptClient

REVIER_BENCH = str(Path(sys.executable).parent / "revier-bench")
READY_S_MAX = 20.0
CLOCK_DIFFERENCE_S_MAX = 1.0
RUN_S = 40.0
END_S_MAX = 90.0
pytestmark = pytest.mark.xdist_group("demo")


class External:
    """Broker, network server at wall speed, and what it published with the time of arrival."""

    def __init__(self, work_dir: Path, encoding: str) -> None:
        self.mqtt_port, self.grpc_port = free_port(), free_port()
        self.token_file = work_dir / "token"
        self.uplinks: list[tuple[datetime, bytes]] = []
        self._broker = start_broker(work_dir / "broker", self.mqtt_port)
        self._server = subprocess.Popen(
            [
                sys.executable, "-m", "revier_bench.network_server",
                "--mqtt", f"127.0.0.1:{self.mqtt_port}", "--grpc", str(self.grpc_port),
                "--clock", "wall", "--qos", "1", encoding, "--api-token-file", self.token_file,
            ]
        )  # fmt: skip
        deadline_s = time.monotonic() + READY_S_MAX
        while not self.token_file.exists():
            assert time.monotonic() < deadline_s, "the network server does not come up"
            time.sleep(0.05)
        self._client = PromptClient("listener")
        self._client.on_connect = lambda client, *_: client.subscribe("application/+/#", qos=1)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", self.mqtt_port)
        self._client.loop_start()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if message.topic.endswith("/event/up"):
            self.uplinks.append((datetime.now(UTC), message.payload))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._server.terminate()
        self._server.wait(10)
        self._broker.stop()


@pytest.fixture(params=["--json", "--protobuf"])
def external(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[External]:
    part = External(tmp_path, request.param)
    yield part
    part.close()


@pytest.fixture
def external_options(tmp_path: Path) -> dict[str, Any]:
    token_file = tmp_path / "token"
    token_file.write_text("t0ken")
    return {
        "network_server": "external",
        "mqtt": "127.0.0.1:1",
        "grpc": "127.0.0.1:2",
        "token_file": token_file,
    }


def demo(external: External, folder: Path, *options: str) -> str:
    """What it printed until a person pressed Ctrl-C, as the last node may join late."""
    process = subprocess.Popen(
        [
            REVIER_BENCH, "demo", "--headless", "--provisioned", "--network-server", "external",
            "--mqtt", f"127.0.0.1:{external.mqtt_port}",
            "--grpc", f"127.0.0.1:{external.grpc_port}",
            "--token-file", external.token_file, *options,
        ],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    printed: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            if line.startswith("the page:"):  # all boards are made: the world begins
                break
        time.sleep(RUN_S)
        process.send_signal(signal.SIGINT)
        return "".join(printed) + process.communicate(timeout=END_S_MAX)[0]
    finally:
        process.kill()


def count(output: str, label: str) -> int:
    found = re.search(rf"^\s*{label}\s+(\d+)", output, re.MULTILINE)
    assert found, output
    return int(found[1])


def test_nodes_join_and_their_readings_are_on_the_feed(external: External, tmp_path: Path) -> None:
    printed = demo(external, tmp_path, "--for", "10m", "--seed", "3")
    assert count(printed, "nodes joined") >= 8, printed
    assert count(printed, "readings measured") >= 4, printed
    assert count(printed, "feed messages") >= 4, printed
    assert count(printed, "missing") == 0, printed
    assert count(printed, "duplicated in effect") == 0, printed
    assert external.uplinks
    for arrived, payload in external.uplinks:
        if payload[:1] == b"{":
            lag_s = (arrived - _heard_at(json.loads(payload))).total_seconds()
            assert 0 <= lag_s < CLOCK_DIFFERENCE_S_MAX, "the world's clock is not the wall's"


def _heard_at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["rxInfo"][0]["gwTime"])


def test_a_network_server_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("t0ken")
    done = subprocess.run(
        [
            REVIER_BENCH, "demo", "--headless", "--for", "1s", "--network-server", "external",
            "--mqtt", f"127.0.0.1:{free_port()}", "--grpc", f"127.0.0.1:{free_port()}",
            "--token-file", token_file,
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "it does not answer" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


class SlowWorld:
    """Its only node joins at `joins_us`."""

    def __init__(self, joins_us: int) -> None:
        self.now_us = 0
        self.stopped = False
        self._joins_us = joins_us

    def run_for(self, seconds: float, pace: float | None = None) -> None:
        self.now_us += round(seconds * 1_000_000)

    def status(self) -> SimpleNamespace:
        return SimpleNamespace(nodes=["one"], nodes_joined=int(self.now_us >= self._joins_us))


@pytest.mark.parametrize(
    ("joins_s", "ends_s"), [(5, 60), (60, 60), (61, 65), (200, 200), (10_000, 60 + JOINS_S_MAX)]
)
def test_the_run_goes_on_until_the_last_node_is_in(
    joins_s: int, ends_s: float, external_options: dict[str, Any], tmp_path: Path
) -> None:
    run = Run(parse(**external_options, for_="60s"), tmp_path, Console())
    run.world = SlowWorld(joins_s * 1_000_000)  # type: ignore[assignment]
    run._run_world()
    assert run.world.now_us == ends_s * 1_000_000
