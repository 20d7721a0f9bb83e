# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision doctor: lines, exit code, JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from revier_inventory import Inventory
from revier_provision import cli, inventory_files
from revier_provision.cli import doctor
from revier_provision.doctor import MachineFacts

SOUND = MachineFacts(now=datetime(2026, 12, 1, tzinfo=UTC), esptool="5.6.0", synchronised=True)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    def put(facts: MachineFacts) -> None:
        monkeypatch.setattr(doctor, "machine_facts", lambda: facts)

    put(SOUND)
    return put


@pytest.fixture
def token_file(tmp_path: Path, server: Any) -> Path:
    path = tmp_path / "token"
    path.write_text(server.token + "\n")
    path.chmod(0o600)
    return path


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.app, ["doctor", *[str(argument) for argument in arguments]])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_a_line_for_each_check_with_its_cure() -> None:
    said = run().stdout
    assert "ok      esptool 5.6.0" in said
    assert "skipped ChirpStack was not looked at" in said
    assert "        Next: Give --server and --token-file." in said


def test_what_is_bad_makes_the_exit_code(machine: Any) -> None:
    machine(MachineFacts(now=SOUND.now, esptool=None))
    assert "bad     esptool is not installed" in run(code=1).stdout
    answer = json.loads(run("--json", code=1).stdout)
    assert answer["worst"] == "bad"
    assert answer["checks"][0]["check"] == "esptool"


def test_chirpstack_with_an_inventory(
    server: Any, token_file: Path, tmp_path: Path, bare_herten: Inventory
) -> None:
    inventory_files.write(tmp_path / "inventory", bare_herten)
    reach = ["--server", server.target, "--token-file", token_file]
    result = run("--inventory", tmp_path / "inventory", *reach)
    assert f"ok      {server.target} answers on this machine, without TLS" in result.stdout
    assert "Herten (05562020) has no tenant yet; the first node makes it" in result.stdout
    assert server.token not in result.output


def test_what_keeps_the_doctor_from_asking_is_a_finding_too(server: Any, token_file: Path) -> None:
    token_file.chmod(0o644)
    said = run("--server", server.target, "--token-file", token_file, code=1).stdout
    assert "bad     Others on this machine can read" in said
    assert "ok      esptool" in said
    token_file.chmod(0o600)
    said = run("--server", "chirpstack.example:8080", "--token-file", token_file, code=1).stdout
    assert "unencrypted" in said
