# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-provision flash and doctor, as a technician types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from revier_bench.workbench import BenchBoard, State
from revier_provision import cli
from revier_provision.chip import Port, RuntimeImage
from revier_provision.cli import chip

pytestmark = pytest.mark.pty

Bench = Callable[..., BenchBoard]
Runtime = Callable[..., RuntimeImage]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "revier" / "adapters.json"


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_flash_says_what_it_does_and_is_safe_to_run_again(
    bench: Bench, runtime: Runtime, own_state: Path
) -> None:
    board, image = bench(), runtime()
    command = ["flash", "--port", board.url, "--image", image.path, "--sha256", image.sha256]
    first = run(*command, "--board", "heltec_v3")
    assert "MicroPython v1.29.0 was written at 921600 baud (ESP32-S3 (QFN56)" in first.stdout
    assert "write MicroPython v1.29.0 to the ESP32-S3 ..." in first.stderr
    assert "%" in first.stderr
    assert board.state is State.RUNNING
    again = json.loads(run(*command, "--json").stdout)
    assert again["skipped"] is True
    assert again["factory_mac"] == "025245560001"
    assert json.loads(own_state.read_text()) == {"bauds": {board.url: 921_600}}


def test_the_only_board_needs_no_port(
    bench: Bench, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = bench()
    port = Port(device=board.url, vid=0x10C4, pid=0xEA60, adapter="10c4:ea60:1")
    monkeypatch.setattr(chip, "list_ports", lambda: [port])
    assert "CP210x" in run("ports").stdout
    assert json.loads(run("ports", "--json").stdout)[0]["usb"] == "10c4:ea60"
    assert "was written" in run("flash", "--image", runtime().path).stdout


def test_wrong_chips_are_refused_by_name(bench: Bench, runtime: Runtime) -> None:
    board = bench("ESP32")
    before = board.flash.read()
    port = ["--port", board.url, "--json"]
    wrong_board = run(
        "flash", *port, "--image", runtime("ESP32").path, "--board", "heltec_v3", code=1
    )
    problem = json.loads(wrong_board.stdout)["error"][0]["problem"]
    assert problem == "heltec_v3 has an ESP32-S3, but this board has an ESP32"
    wrong_image = run("flash", *port, "--image", runtime("ESP32-S3").path, code=1)
    assert "is made for ESP32-S3" in json.loads(wrong_image.stdout)["error"][0]["problem"]
    assert board.flash.read() == before


def test_a_file_that_is_no_image_never_reaches_the_board(tmp_path: Path) -> None:
    path = tmp_path / "firmware.zip"
    path.write_bytes(b"PK\x03\x04")
    refused = run("flash", "--port", "nowhere", "--image", path, code=1)
    assert "a zip archive" in refused.stderr
    assert "Next: Get the image" in refused.stderr
