# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The technician's command, from a bare board on a terminal to a recorded node; and its secrets."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from provisioning.tests.provision.keys_in import found_in
from typer.testing import CliRunner, Result

from revier_inventory import Inventory, begin_period
from revier_provision import cli, inventory_files
from revier_provision.cli.output import Output
from revier_provision.lns.reach import payload_codec

DEV_EUI = "240ac4fffe112233"
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, bare_herten: Inventory) -> Path:
    inventory_files.write(tmp_path / "inventory", bare_herten)
    return tmp_path / "inventory"


@pytest.fixture
def token_file(tmp_path: Path, server: Any) -> Path:
    path = tmp_path / "token"
    path.write_text(server.token + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def argv_of_children(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    original = subprocess.Popen.__init__

    def spy(self: Any, args: Any, *rest: Any, **more: Any) -> None:
        seen.append(f"{args} {more.get('env')}")
        original(self, args, *rest, **more)

    monkeypatch.setattr(subprocess.Popen, "__init__", spy)
    return seen


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def node_arguments(pty_board: Any, folder: Path) -> list[object]:
    own = ["--kind", "air", "--asset", "herten-air-01", "--ags", "05562020"]
    return ["node", "--port", pty_board.path, *own, "--inventory", folder]


def test_one_command_makes_a_node_and_shows_no_key(
    pty_board: Any,
    server: Any,
    folder: Path,
    token_file: Path,
    argv_of_children: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    reach = ["--server", server.target, "--token-file", token_file]
    result = run(*node_arguments(pty_board, folder), *reach)
    assert f"Node {DEV_EUI} serves herten-air-01 (05562020)" in result.stdout
    assert "read the chip ..." in result.stderr

    again = run(*node_arguments(pty_board, folder), *reach, "--json")
    record = json.loads(again.stdout)
    assert (record["dev_eui"], record["steps"], record["registered"]) == (DEV_EUI, [], True)

    status = run("status", "--inventory", folder, *reach)
    assert DEV_EUI in status.stdout

    key: bytes = server.registry.keys[DEV_EUI].nwk_key
    assert len(set(key)) > 1
    texts = [result.output, again.output, status.output, caplog.text, " ".join(sys.argv)]
    texts += argv_of_children + [path.read_text() for path in folder.rglob("*") if path.is_file()]
    texts.append(pty_board.wire.decode("latin1"))  # all that the board ever said
    for text in texts:
        assert found_in(text.encode("latin1", "replace"), key) == []


def test_first_without_chirpstack_then_register(
    pty_board: Any, server: Any, folder: Path, token_file: Path
) -> None:
    first = run(*node_arguments(pty_board, folder), "--interval-s", 600)
    assert "Next: register it" in first.stdout
    assert server.registry.devices == {}
    port = ["register", "--port", pty_board.path, "--inventory", folder, "--json"]
    refused = run(*port, code=1)
    assert "--server" in json.loads(refused.stdout)["error"][0]["cure"]
    done = run(*port, "--server", server.target, "--token-file", token_file)
    record = json.loads(done.stdout)
    assert record["registered"]
    assert record["asset"] == "herten-air-01"
    device = server.registry.devices[DEV_EUI]
    assert device.tags == {"asset": "herten-air-01", "ags": "05562020"}
    profile = server.registry.profiles[device.device_profile_id]
    assert profile.codec_script == payload_codec()
    assert "function decodeUplink(input)" in profile.codec_script


def test_a_new_asset_is_made_on_the_way(pty_board: Any, folder: Path) -> None:
    arguments = node_arguments(pty_board, folder)
    arguments[arguments.index("herten-air-01")] = "herten-air-09"
    half = run(*arguments, "--name", "Schloss", code=1)
    assert "--name, --lon and --lat" in half.stderr
    place = ["--name", "Schloss", "--lon", 7.13, "--lat"]
    run(*arguments, *place, 51.6)
    asset = inventory_files.read(folder).asset("herten-air-09")
    assert asset is not None
    assert (asset.name, asset.kind) == ("Schloss", "air")
    other = run(*arguments, *place, 51.7, code=1)
    assert "correct assets.toml" in other.stderr


def test_errors_name_the_next_step(folder: Path, tmp_path: Path) -> None:
    own = ["--kind", "air", "--asset", "herten-air-01", "--ags", "05562020"]
    nowhere = run("node", "--port", "/dev/ttyNOWHERE", *own, "--inventory", folder, code=1)
    assert "Next: Check the name" in nowhere.stderr
    no_kind = run("node", "--port", "x", *own[2:], "--kind", "air2", "--inventory", folder, code=1)
    assert "Next: Give one of air, parking, waste" in no_kind.stderr
    no_folder = run("status", "--inventory", tmp_path / "none", code=1)
    assert "inventory init" in no_folder.stderr
    server = ["--server", "10.0.0.7:8080", "--token-file"]
    token = tmp_path / "token"
    no_token = run("status", "--inventory", folder, *server, token, code=1)
    assert "Cannot read" in no_token.stderr
    token.write_text("secret-token")
    token.chmod(0o644)
    open_token = run("status", "--inventory", folder, *server, token, code=1)
    assert f"Next: Run: chmod 600 {token}" in open_token.stderr
    token.chmod(0o600)
    in_the_clear = run("status", "--inventory", folder, *server, token, code=1)
    assert "unencrypted" in in_the_clear.stderr
    token.write_text("two\nlines")
    assert "holds no API key" in run("status", "--inventory", folder, *server, token, code=1).stderr
    no_file = run("status", "--inventory", folder, *server[:2], code=1)
    assert "--token-file" in no_file.stderr
    assert "secret-token" not in open_token.output + in_the_clear.output


def test_an_inventory_is_made_checked_and_its_faults_listed(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    run("inventory", "init", folder)
    assert "0 owners" in run("inventory", "check", folder).stdout
    owners = folder / "owners.toml"
    owners.write_text('[[owner]]\nags = "5562020"\nname = "Herten"\n')
    run("inventory", "init", folder)
    assert "5562020" in owners.read_text(), "init leaves files alone"
    refused = run("inventory", "check", folder, code=1)
    assert 'owners.toml: owner "5562020": ags' in refused.stderr
    as_json = run("inventory", "check", folder, "--json", code=1)
    assert "8 digits" in json.loads(as_json.stdout)["error"][0]["cure"]
    owners.write_bytes(b"\xff")
    assert "UTF-8" in run("inventory", "check", folder, code=1).stderr


def test_a_radio_gateway_is_added(server: Any, folder: Path, token_file: Path) -> None:
    own = ["--gateway-id", "0016C001F1500812", "--name", "Dach", "--lon", 7.1, "--lat", 51.6]
    arguments = ["radio-gateway", "add", *own, "--ags", "05562020", "--inventory", folder]
    assert "not yet registered" in run(*arguments).stdout
    done = run(*arguments, "--server", server.target, "--token-file", token_file)
    assert "recorded and registered" in done.stdout
    assert inventory_files.read(folder).radio_gateway("0016c001f1500812") is not None
    assert "0016c001f1500812" in server.registry.gateways


def test_status_is_a_table_and_json(folder: Path) -> None:
    inventory_files.change(
        folder,
        lambda inventory: begin_period(inventory, DEV_EUI, "herten-air-01", AT),
    )
    rows = json.loads(run("status", "--inventory", folder, "--json").stdout)
    assert [row["asset"] for row in rows] == [
        "herten-air-01",
        "herten-air-02",
        "herten-bay-07",
        "herten-glas-03",
    ]
    assert rows[0]["dev_eui"] == DEV_EUI
    assert rows[0]["since"] == "2026-05-01T08:00:00Z"
    assert rows[1]["dev_eui"] is None


def test_every_command_explains_itself() -> None:
    for command in (["node"], ["register"], ["status"], ["inventory", "check"]):
        assert "--json" in run(*command, "--help").stdout


@pytest.mark.parametrize(
    "command", [["inventory", "init"], ["station", "init", "--host", "x", "--state"]]
)
def test_a_path_that_cannot_be_is_said(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(cli.app, [*command, str(tmp_path / "file")])
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert f"Cannot use {tmp_path / 'file'}" in result.stderr
    assert "Next: Correct the path" in result.stderr


def test_a_full_disk_is_said_and_a_bug_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(typer.Exit), Output(as_json=False).errors():
        raise full
    assert "make room on the disk" in capsys.readouterr().err
    with pytest.raises(BrokenPipeError), Output(as_json=False).errors():
        raise BrokenPipeError
