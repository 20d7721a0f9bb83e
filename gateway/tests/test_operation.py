# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The program as its operator's machine sees it: health, figures, systemd, and its end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gateway.tests import support
from gateway.tests.support import air_payload, uplink
from iotcore import Broker

from revier_bench.broker import free_port

DEPLOY = Path(__file__).parents[1] / "deploy"


@contextmanager
def running(config: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with (config.parent / "gateway.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "revier_gateway.cli", "run", "--config", str(config)],
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


def asked(port: int, path: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5)
    except httpx.TransportError:
        return None


def is_ready(port: int) -> bool:
    answer = asked(port, "/readyz")
    return answer is not None and answer.status_code == 200


def test_live_before_it_is_ready_and_ready_with_both_legs(broker: Broker, tmp_path: Path) -> None:
    port, feed_port = free_port(), free_port()
    config = support.gateway_toml(
        tmp_path, broker.port, feed_port, console=f"enabled = true\nport = {port}"
    )
    with running(config):
        support.wait_until(lambda: asked(port, "/healthz") is not None)
        live = asked(port, "/healthz")
        assert live is not None
        assert live.json() == {"status": "ok", "gateway": "test"}
        support.wait_until(lambda: asked(port, "/readyz").json()["source_subscribed"])  # type: ignore[union-attr]
        waiting = asked(port, "/readyz")
        assert waiting is not None
        assert waiting.status_code == 503
        assert waiting.json() == {
            "status": "not ready",
            "store_writable": True,
            "source_subscribed": True,
            "feed_connected": False,
        }
        with support.broker(tmp_path / "feed", feed_port):
            support.wait_until(lambda: is_ready(port))


def test_figures_canary_and_no_name_of_the_server(broker: Broker, tmp_path: Path) -> None:
    page, port = free_port(), free_port()
    config = support.gateway_toml(
        tmp_path, broker.port, broker.port, console=f"enabled = true\nport = {page}"
    )
    config.write_text(config.read_text() + f"[metrics]\nport = {port}\n")
    topic = "revier/v1/_gateway/test/canary"
    with support.listening(broker.port, topic) as listener, running(config):
        support.wait_until(lambda: is_ready(port))
        event = uplink(air_payload(1), f_cnt=1)
        support.publish(broker.port, [(support.topic(), support.to_bytes(event))])
        support.publish(broker.port, [(support.topic(), b"{")])
        support.wait_until(
            lambda: "revier_canary_round_trip_seconds 0" in asked(port, "/metrics").text,  # type: ignore[union-attr]
            30,
        )
        support.wait_until(lambda: "revier_quarantine_rows 1.0" in asked(port, "/metrics").text)  # type: ignore[union-attr]
        answer = asked(port, "/metrics")
        assert answer is not None
        figures = answer.text
        on_the_page = asked(page, "/metrics")
        front = asked(page, "/")
    assert len(listener.messages) >= 1
    for line in (
        'revier_events_total{event="up"} 2.0',
        'revier_feed_messages_total{kind="obs"} 1.0',
        'revier_link_up{link="feed"} 1.0',
        'revier_alerts{rule="source-down"} 0.0',
        'revier_assets{ags="05562032",domain="parking",state="unknown"} 1.0',
        "revier_store_writable 1.0",
        f'revier_radio_gateway_frames_total{{id="{support.RADIO_GATEWAY}"}} 1.0',
    ):
        assert line in figures, line
    assert "process_resident_memory_bytes" in figures
    assert on_the_page is not None
    assert on_the_page.status_code == 404
    assert front is not None
    assert "server" not in front.headers


def test_open_pages_do_not_hold_the_end_up(broker: Broker, tmp_path: Path) -> None:
    port = free_port()
    config = support.gateway_toml(
        tmp_path, broker.port, broker.port, console=f"enabled = true\nport = {port}"
    )
    with running(config) as process, httpx.Client(timeout=10) as client:
        support.wait_until(lambda: is_ready(port))
        streams = [client.stream("GET", f"http://127.0.0.1:{port}/events") for _ in range(3)]
        for stream in streams:
            assert next(stream.__enter__().iter_lines()) == "retry: 1000"
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 4
        for stream in streams:
            stream.__exit__(None, None, None)
    log = (tmp_path / "gateway.log").read_text()
    assert "gateway has ended" in log
    assert "Traceback" not in log
    assert "Error" not in log


def test_systemd_is_told(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with running(config, **told) as process:
            heard = [systemd.recv(1000) for _ in range(4)]
            assert b"READY=1" in heard
            assert heard.count(b"WATCHDOG=1") >= 2
            process.send_signal(signal.SIGTERM)
            while systemd.recv(1000) != b"STOPPING=1":
                pass
            assert process.wait(10) == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_the_unit_is_one(tmp_path: Path) -> None:
    text = (DEPLOY / "revier-gateway.service").read_text()
    program = "/usr/bin/true"  # verify asks whether the program is there
    text = text.replace("/opt/revier/bin/revier-gateway", program)
    unit = tmp_path / "revier-gateway.service"
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr  # exposure at most 2.0 of 10
