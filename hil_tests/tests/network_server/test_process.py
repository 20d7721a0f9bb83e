# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The stand-in as the process that a demo starts: options, beginning and end."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from revier_bench.mqtt_client import PromptClient
from revier_bench.network_server.options import read

WAIT_S = 10.0


def test_as_a_process(broker_port: int, tmp_path: Path) -> None:
    """Ready, token file, SIGTERM, no trace left."""
    token_file = tmp_path / "token.txt"
    states: list[str] = []
    client = PromptClient("test-watcher")
    client.on_message = lambda _c, _d, m: states.append(json.loads(m.payload)["state"])
    client.connect("127.0.0.1", broker_port)
    client.subscribe("revier-bench/network-server/state", 1)
    client.loop_start()
    command = [sys.executable, "-m", "revier_bench.network_server", "--grpc", "0", "--seed", "7"]
    command += ["--mqtt", f"127.0.0.1:{broker_port}", "--api-token-file", str(token_file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        deadline_s = time.monotonic() + 20
        while "ready" not in states[-1:]:
            assert time.monotonic() < deadline_s
            assert process.poll() is None
            time.sleep(0.05)
        assert token_file.stat().st_mode & 0o077 == 0
        assert token_file.read_text().count(".") == 2
    finally:
        process.terminate()
        assert process.wait(WAIT_S) == 0
    time.sleep(0.2)
    assert states[-1] == "offline"
    client.disconnect()
    client.loop_stop()


def is_running(process: Path) -> bool:
    try:
        return "\nState:\tZ" not in (process / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_ends_with_its_parent(broker_port: int) -> None:
    """Whoever is killed with SIGKILL leaves no network server behind."""
    argv = [sys.executable, "-m", "revier_bench.network_server", "--grpc", "0", "--with-parent"]
    argv += ["--mqtt", f"127.0.0.1:{broker_port}", "--seed", "7"]
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({argv!r}, stderr=subprocess.PIPE)\n"
        "child.stderr.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = Path("/proc", parent.stdout.readline().decode().strip())
    assert child.exists()
    parent.kill()
    parent.wait(WAIT_S)
    deadline_s = time.monotonic() + WAIT_S
    while is_running(child):
        assert time.monotonic() < deadline_s, "it outlived its parent"
        time.sleep(0.05)


def test_options() -> None:
    options = read(["--mqtt", "localhost:1999", "--clock", "virtual", "--seed", "3", "--protobuf"])
    assert (options.mqtt_host, options.mqtt_port) == ("localhost", 1999)
    assert options.virtual_clock
    assert not options.as_json
    assert options.qos == 0
    again = read(["--mqtt", "localhost:1999", "--clock", "virtual", "--seed", "3", "--json"])
    assert again.api_secret == options.api_secret
    assert read([]).api_secret != read([]).api_secret
    for wrong in (["--mqtt", "localhost"], ["--fault", "{"], ["--qos", "2"]):
        with pytest.raises(SystemExit):
            read(wrong)
