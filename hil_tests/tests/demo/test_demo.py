# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The main job as a newcomer runs it: real processes, real broker, real interpreter."""

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import psutil
import pytest
from gateway.tests import feed_contract, support

REVIER_BENCH = str(Path(sys.executable).parent / "revier-bench")
DIGEST = re.compile(r"digest: frames (\w+) feed (\w+)")
pytestmark = pytest.mark.xdist_group("demo")


def demo(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [REVIER_BENCH, "demo", "--headless", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def row(output: str, label: str) -> str:
    found = re.search(rf"^\s*{label}\s+(\S.*?)\s*$", output, re.MULTILINE)
    assert found, output
    return found[1]


def test_every_reading_heard_is_on_the_feed_although_the_gateway_is_killed(tmp_path: Path) -> None:
    options = (
        "--for",
        "2s",
        "--hours",
        "1",
        "--seed",
        "11",
        "--kill-gateway",
        "3",
        "--provisioned",
    )
    done = demo(tmp_path, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert row(done.stdout, "nodes joined") == "12 of 12"
    assert row(done.stdout, "gateway kills") == "3"
    assert row(done.stdout, "missing") == "0"
    assert row(done.stdout, "duplicated in effect") == "0"
    assert int(row(done.stdout, "feed messages").replace(",", "")) > 100
    assert list((tmp_path / ".build").glob("demo-*")) == [], "the run's folder is left behind"


def test_every_message_of_the_feed_is_as_its_documents_say(tmp_path: Path) -> None:
    """Held against AsyncAPI document and JSON Schema by a subscriber beside the demo's own."""
    command = [REVIER_BENCH, "demo", "--headless", "--for", "2s", "--hours", "1", "--seed", "7"]
    command.append("--provisioned")
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        files: list[Path] = []

        def written() -> bool:
            found = (tmp_path / ".build").glob("demo-*/gateway.toml")
            files[:] = [path for path in found if path.stat().st_size]
            return bool(files) or process.poll() is not None

        support.wait_until(written, 180, "the gateway's configuration")
        feed = tomllib.loads(files[0].read_text())["feed"]
        with support.listening(feed["port"], f"{feed.get('root', 'revier/v1')}/#") as listener:
            output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output
    counts = feed_contract.check_all(listener.messages)
    assert set(counts) >= {"obs", "state", "availability", "status"}
    assert counts["obs"] > 50


SHORT = ("--for", "1s", "--hours", "0.5")


def digests_of(done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    found = DIGEST.search(done.stdout)
    assert found, done.stdout + done.stderr
    return found.groups()


def test_a_seed_repeats_a_run_exactly(tmp_path: Path) -> None:
    """The first from empty chips, which takes longer on one day than on another."""
    one = digests_of(demo(tmp_path, *SHORT, "--seed", "5"))
    again, other = (
        digests_of(demo(tmp_path, *SHORT, "--seed", seed, "--provisioned")) for seed in ("5", "6")
    )
    assert one == again
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_an_interrupt_ends_it_cleanly(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [REVIER_BENCH, "demo", "--headless", "--provisioned", "--for", "10m", "--hours", "0.2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    seen = ""
    while " live " not in seen:
        seen = running.stdout.readline()
        assert seen, "ended before it went live"
    family = psutil.Process(running.pid).children(recursive=True)
    assert len(family) > 3
    os.kill(running.pid, signal.SIGINT)
    output = running.stdout.read()
    assert running.wait(60) == 130, "a run that was cut short proves nothing"
    assert "interrupted before its time" in output
    assert "nodes joined" in output
    deadline = time.monotonic() + 10
    while left := [child for child in family if child.is_running()]:
        assert time.monotonic() < deadline, f"processes left: {left}"
        time.sleep(0.1)
    assert list((tmp_path / ".build").glob("demo-*")) == []
