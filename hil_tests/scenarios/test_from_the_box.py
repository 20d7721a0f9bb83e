# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board with nothing but firmware becomes a proven node: real REPL, real MAC, the network server
by gRPC only. Then every trace is searched for its key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from provisioning.tests.provision.keys_in import found_in, pdf_streams

from revier_bench.virtual_board import Nvs
from revier_bench.workshop.reset_button import ResetButton
from revier_bench.world.simulation import Settings
from revier_provision import inventory_files
from revier_provision.ledger.files import verify

from .conftest import Pump
from .unboxed import UnboxedWorld, one_node, write_site

if TYPE_CHECKING:
    from .conftest import Bench, Network

pytestmark = pytest.mark.pty

PACE = 30.0  # world seconds a second: waits are short, and a day is longer than any test
COMMAND = [sys.executable, "-c", "from revier_provision.cli import main; main()"]


@dataclass
class Unboxed:
    world: UnboxedWorld
    port: str
    folder: Path
    site: Path
    button: ResetButton
    lines: list[str]  # of the board's console
    said: bytes = b""  # by all commands
    given: bytes = b""  # to all commands and their children

    def run(self, *arguments: object, code: int = 0) -> str:
        command = [*COMMAND, *map(str, arguments)]
        environment = dict(os.environ) | {"REVIER_BY": "Änne", "REVIER_SITE": str(self.site)}
        self.given += repr((command, sorted(environment.items()))).encode()
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.folder, env=environment,
        ) as child:  # fmt: skip
            self.given += Path(f"/proc/{child.pid}/cmdline").read_bytes()
            with self.button.pressed():
                out, err = child.communicate(timeout=240)
        self.said += out + err
        assert child.returncode == code, (out + err).decode()
        return (out if code == 0 else out + err).decode()


@pytest.fixture
def embedded_services() -> str:
    """The board's line belongs to revier-provision here."""
    return ""


@pytest.fixture
def port() -> None:
    return None


@pytest.fixture
def unboxed(bench: Bench, network: Network, build_dir: Path, tmp_path: Path) -> Iterator[Unboxed]:
    settings = Settings(
        mqtt=network.mqtt, grpc=network.grpc, api_token=network.token,
        work_dir=tmp_path / "world", inventory_dir=tmp_path / "desk" / "inventory",
        seed=bench.seed, start=bench.start, build_dir=build_dir,
    )  # fmt: skip
    with UnboxedWorld(one_node(settings)) as world:
        world.provision()
        (board,) = world.boards.values()
        port = board.attach_pty()
        desk = tmp_path / "desk"
        site = write_site(desk, network.grpc, network.token, world.node.board)
        lines: list[str] = []
        assert world.kernel is not None
        button = ResetButton(world.kernel, board, lines)
        made = Unboxed(world, port, desk, site, button, lines)
        heard = board.on_console_line

        def hear(t_us: int, line: str) -> None:
            made.lines.append(line)
            if heard is not None:
                heard(t_us, line)

        board.on_console_line = hear
        pump = Pump(lambda: world.run_for(86_400, pace=PACE), world.stop)
        yield made
        pump.close()


def test_one_command_proves_a_node_and_no_trace_holds_its_key(
    unboxed: Unboxed, network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    made: dict[str, Any] = json.loads(
        unboxed.run("node", "--port", unboxed.port, "--virtual", "--yes", "--json")
    )
    world = unboxed.world
    assert made["record"]["dev_eui"] == world.dev_eui
    assert made["record"]["asset"] == world.node.asset
    assert [part["fault"] for part in made["parts"]] == [""] * len(made["parts"])
    states = {step["step"]: step["state"] for step in made["steps"]}
    assert states["prove join and first reading"] == "done"
    proof = made["proof"]
    assert proof["f_port"] == 10
    assert proof["radio"]["rssi_dbm"] < 0
    assert proof["radio"]["margin_db"] > 0
    assert "pm25" in proof["values"]
    join = network.wait_for("join")
    assert join["deviceInfo"]["tags"] == {"asset": world.node.asset, "ags": world.node.ags}
    assert join["devAddr"] == proof["dev_addr"]

    again = json.loads(unboxed.run("node", "--port", unboxed.port, "--virtual", "--json"))
    assert again["proven_before"] is not None
    assert again["record"]["steps"] == []

    key = Nvs(world.flash).get("lorawan", "app_key")
    assert isinstance(key, bytes)
    unboxed.run("status", "--inventory", "inventory")
    unboxed.run("ledger", "show", "inventory/ledger", "--json")
    assert_no_key(unboxed, key, caplog.text)
    (chain,) = verify(unboxed.folder / "inventory" / "ledger").values()
    assert [record.event for record in chain.records] == ["key-reserved", "provisioned"]
    (period,) = inventory_files.read(unboxed.folder / "inventory").periods
    assert period.dev_eui == world.dev_eui


def assert_no_key(unboxed: Unboxed, key: bytes, log: str) -> None:
    places = {
        "terminal": unboxed.said,
        "arguments and environment": unboxed.given,
        "log": log.encode(),
        "the board's console": json.dumps(unboxed.lines).encode(),
    }
    for path in unboxed.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            places[path.name] = data + (pdf_streams(data) if path.suffix == ".pdf" else b"")
    kinds = {Path(name).suffix for name in places}
    assert {".jsonl", ".head", ".svg", ".png", ".pdf", ".zpl", ".age", ".toml"} <= kinds
    assert unboxed.world.node.asset.encode() in places["terminal"]
    assert {name: found for name, data in places.items() if (found := found_in(data, key))} == {}


def test_a_part_that_does_not_answer_stops_it_before_registration(
    unboxed: Unboxed, network: Network
) -> None:
    (board,) = unboxed.world.boards.values()
    unplugged = board.i2c.pop(0x76)
    said = unboxed.run("node", "--port", unboxed.port, "--virtual", "--yes", code=1)
    assert "BME280 (temperature, humidity, pressure) does not answer" in said
    assert "Next: Check its plug, supply and wiring (SDA, SCL, address)" in said
    assert not network.events
    board.i2c[0x76] = unplugged
    made = json.loads(unboxed.run("node", "--port", unboxed.port, "--virtual", "--json"))
    assert made["proof"]["f_port"] == 10


def test_without_chirpstack_then_register_keeps_the_key(unboxed: Unboxed, network: Network) -> None:
    text = unboxed.site.read_text()
    unboxed.site.write_text(
        text.replace("[chirpstack]", "").replace("server =", "#").replace("token_file =", "#")
    )
    made = json.loads(unboxed.run("node", "--port", unboxed.port, "--virtual", "--yes", "--json"))
    assert not made["record"]["registered"]
    assert made["proof"] is None
    key = Nvs(unboxed.world.flash).get("lorawan", "app_key")
    unboxed.site.write_text(text)
    record = json.loads(unboxed.run("register", "--port", unboxed.port, "--virtual", "--json"))
    assert record["registered"]
    assert not record["rekeyed"]
    assert Nvs(unboxed.world.flash).get("lorawan", "app_key") == key
    network.wait_for("join", limit_s=120)
