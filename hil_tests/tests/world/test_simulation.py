# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The whole world with real MicroPython nodes, against the stand-in over a real broker."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from revier_bench.broker import free_port, start_broker
from revier_bench.virtual_board import Nvs
from revier_bench.world.flash_board import FlashBoard
from revier_bench.world.fleet import DEMO_FLEET
from revier_bench.world.simulation import Settings, Simulation
from revier_bench.world.truth import from_json
from revier_inventory import load
from revier_payload.codec import decode

WORLD_S = 1500


class Stack:
    """Broker and stand-in network server of one run."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.mqtt_port, self.grpc_port = free_port(), free_port()
        self.token_file = folder / "token"
        self._broker = start_broker(folder / "broker", self.mqtt_port)
        self._server = subprocess.Popen(
            [sys.executable, "-m", "revier_bench.network_server", "--clock", "virtual",
             "--mqtt", f"127.0.0.1:{self.mqtt_port}", "--grpc", str(self.grpc_port),
             "--seed", "1", "--qos", "1", "--api-token-file", str(self.token_file)]
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while not self.token_file.exists() or not self.token_file.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(10)
        self._broker.stop()


@pytest.fixture(scope="module")
def build_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("build")


def run(folder: Path, build_dir: Path, seed: str) -> tuple[Simulation, list[tuple]]:
    stack = Stack(folder)
    lines: list[tuple] = []
    try:
        settings = Settings(
            mqtt=("127.0.0.1", stack.mqtt_port),
            grpc=f"127.0.0.1:{stack.grpc_port}",
            api_token=stack.token_file.read_text(),
            work_dir=folder / "work",
            inventory_dir=folder / "inventory",
            seed=seed,
            fleet=DEMO_FLEET.only(3),
            build_dir=build_dir,
        )
        with Simulation(settings, on_line=lambda *line: lines.append(line)) as world:
            world.provision()
            world.run_for(WORLD_S)
            return world, lines
    finally:
        stack.close()


@pytest.fixture(scope="module")
def first(tmp_path_factory, build_dir) -> tuple[Simulation, list[tuple], Path]:
    folder = tmp_path_factory.mktemp("first")
    world, lines = run(folder, build_dir, "7")
    return world, lines, folder


def test_all_nodes_join_and_their_readings_are_heard(first) -> None:
    world, lines, _ = first
    status = world.status()
    assert status.nodes_joined == 3, status
    assert all(node.joined for node in status.nodes)
    assert status.node_errors == 0, status.last_error
    assert status.readings_heard >= 5
    assert status.readings_measured >= status.readings_heard
    assert status.frames_sent >= status.frames_heard >= status.readings_heard
    assert {asset for asset, _, line in lines if line.startswith("revier joined")} == {
        node.asset for node in DEMO_FLEET.only(3).nodes
    }


def test_payloads_decode_and_carry_the_sequence_that_the_console_told(first) -> None:
    world, _, _ = first
    for uplink in world.truth.uplinks:
        if not uplink.is_reading:
            continue
        decoded = decode(uplink.f_port, uplink.payload)
        assert decoded.errors == decoded.warnings == []
        assert uplink.seq is not None
        bits = {10: 9, 20: 4, 21: 4, 30: 7}[uplink.f_port]
        assert decoded.values["seq"] == uplink.seq % (1 << bits)
    ports = {uplink.f_port for uplink in world.truth.uplinks}
    assert {1, 10, 21, 30} <= ports | {20}


def test_the_inventory_names_devices_assets_and_radio_gateways(first) -> None:
    world, _, folder = first
    files = {path.name: path.read_text() for path in (folder / "inventory").glob("*.toml")}
    inventory = load(files)
    for ready in world.ready:
        asset = inventory.asset_of(ready.dev_eui, world.settings.start)
        assert asset is not None
        assert asset.asset == ready.node.asset
        owner = inventory.owner_of(asset.ags)
        assert owner is not None
        assert inventory.may_write(owner.tenant_ids[0], owner.application_ids[0], asset.ags)
    assert len(inventory.radio_gateways) == 3


def test_keys_are_on_the_board_and_nowhere_in_the_inventory(first) -> None:
    world, _, folder = first
    text = "".join(path.read_text() for path in (folder / "inventory").glob("*.toml"))
    for ready in world.ready:
        assert Nvs(ready.flash_image).get("lorawan", "app_key") == ready.app_key
        assert ready.app_key.hex() not in text


def test_equal_seeds_repeat_the_run_and_others_do_not(first, tmp_path, build_dir) -> None:
    world, lines, _ = first
    again, lines_again = run(tmp_path / "again", build_dir, "7")
    assert lines_again == lines
    assert again.truth.uplinks == world.truth.uplinks
    other, _ = run(tmp_path / "other", build_dir, "8")
    assert other.truth.uplinks != world.truth.uplinks


def test_a_flash_board_reads_back_what_it_wrote(first, tmp_path, build_dir) -> None:
    world, _, _ = first
    from revier_bench.virtual_board import clone_image

    image = clone_image(world.ready[0].flash_image, tmp_path / "copy.img")
    board = FlashBoard(b"\x02RE\x00\x00\x09", image, build_dir)
    assert board.factory_mac() == b"\x02RE\x00\x00\x09"
    board.write_identity("025245fffe000009", "00" * 8, bytes(range(16)))
    board.write_node_json({"kind": "waste", "board": "heltec_v3", "interval_s": 60})
    state = board.state()
    assert (state.dev_eui, state.join_eui, state.has_app_key) == (
        "025245fffe000009",
        "00" * 8,
        True,
    )
    assert state.node_json == {"kind": "waste", "board": "heltec_v3", "interval_s": 60}
    assert Nvs(image).get("lorawan", "session") is None
    assert board.app_key_digest(b"a") != board.app_key_digest(b"b")


def test_the_command_line_runs_a_world(tmp_path, build_dir) -> None:
    stack = Stack(tmp_path)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "revier_bench.world", "--mqtt", f"127.0.0.1:{stack.mqtt_port}",
             "--grpc", f"127.0.0.1:{stack.grpc_port}", "--api-token-file", str(stack.token_file),
             "--seed", "3", "--hours", "0.2", "--live", "1", "--nodes", "1",
             "--build-dir", str(build_dir), "--truth", str(tmp_path / "truth.jsonl"),
             "--console", str(tmp_path / "console.txt")],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
    finally:
        stack.close()
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "finished"
    assert events[-1]["nodes_joined"] == 1
    truth = [from_json(json.loads(s)) for s in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert sum(uplink.is_reading for uplink in truth) == events[-1]["readings_heard"] >= 1
    assert "revier joined" in (tmp_path / "console.txt").read_text()
