# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the operator reads."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.support import air_payload, uplink
from iotcore import Broker
from typer.testing import CliRunner

from revier_bench.broker import free_port
from revier_gateway.cli import app
from revier_gateway.mqtt.link import Message
from revier_gateway.pipeline import Pipeline
from revier_gateway.store import Store
from revier_gateway.tail import line_of
from revier_gateway.work import Work


def observation(pipeline: Pipeline, store: Store) -> Message:
    raw = Message(support.topic(), support.to_bytes(uplink(air_payload(7, voc=None, pm25=200))))
    built = pipeline.handle(raw, Work(store)).messages[0]
    return Message(built.topic, built.payload)


def test_a_line_for_people(pipeline: Pipeline, store: Store) -> None:
    line = line_of(observation(pipeline, store))
    assert line.startswith("2026-05-04T07:00:00.000Z  05562032 airquality aq-0007 #7  ")
    assert "temp 12.4 Cel" in line
    assert "voc" not in line


@pytest.mark.parametrize("payload", [b"", b"[1]", b"{", b"\xff"])
def test_a_line_for_what_is_not_a_feed_message(payload: bytes) -> None:
    assert line_of(Message("a/b", payload)) == f"a/b  {len(payload)} bytes"


def test_tail_prints_lines_and_json(broker: Broker, pipeline: Pipeline, store: Store) -> None:
    message = observation(pipeline, store)
    for json_flag in ([], ["--json"]):
        command = [sys.executable, "-m", "revier_gateway.cli", "tail", "--count", "2"]
        process = subprocess.Popen(
            [*command, "--port", str(broker.port), *json_flag], stdout=subprocess.PIPE, text=True
        )
        deadline_s = time.monotonic() + 15
        while process.poll() is None and time.monotonic() < deadline_s:
            support.publish(broker.port, [(message.topic, message.payload)])
            time.sleep(0.1)
        assert process.wait(1) == 0
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        assert len(lines) == 2
        if json_flag:
            assert json.loads(lines[0])["payload"]["seq"] == 7
        else:
            assert "aq-0007 #7" in lines[0]


def test_tail_without_a_broker_says_where_it_looked() -> None:
    port = free_port()
    result = CliRunner().invoke(app, ["tail", "--port", str(port)])
    assert result.exit_code == 1
    assert f"127.0.0.1:{port}" in result.output


def test_quarantine_list_and_show(pipeline: Pipeline, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, 1, 1)
    empty = CliRunner().invoke(app, ["quarantine", "list", "-c", str(config)])
    assert (empty.exit_code, "no gateway has run" in empty.output) == (2, True)
    store = Store(tmp_path / "data")
    work = Work(store)
    for payload in (b'{"a":', b"\x0a\xff\xff"):
        pipeline.handle(Message(support.topic(), payload), work)
    store.commit(work)
    store.close()
    rows = json.loads(
        CliRunner().invoke(app, ["quarantine", "list", "-c", str(config), "--json"]).stdout
    )
    assert [row["reason"] for row in rows] == ["bad_protobuf", "bad_json"]
    shown = CliRunner().invoke(app, ["quarantine", "show", "1", "-c", str(config)])
    assert '{"a":' in shown.output
    binary = CliRunner().invoke(app, ["quarantine", "show", "2", "-c", str(config)])
    assert "0a ff ff" in binary.output
    assert CliRunner().invoke(app, ["quarantine", "show", "9", "-c", str(config)]).exit_code == 2


def test_run_with_a_wrong_configuration(tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, 1, 99_999)
    result = CliRunner().invoke(app, ["run", "-c", str(config)])
    assert result.exit_code == 2
    assert "[feed] port" in result.output
