# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The configuration at work: checked before, read again on SIGHUP, and no message lost by it."""

from __future__ import annotations

import json
import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from gateway.tests import support
from gateway.tests.test_service import events, gateway, ids, online
from iotcore import Broker
from typer.testing import CliRunner

from revier_gateway import logs
from revier_gateway.cli import app
from revier_gateway.config import RELOADED, Config, changes, load, reloaded


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "gateway.log").read_text().splitlines()]


def change(config: Path, before: str, after: str) -> None:
    text = config.read_text()
    assert before in text
    config.write_text(text.replace(before, after, 1))


def test_sighup_amid_traffic_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    made = events(400)
    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config) as process:
        support.wait_until(lambda: online(listener))
        for number in range(8):
            change(config, "[feed]", f"[feed]\ncatch_up_per_s = {100 + number}")
            process.send_signal(signal.SIGHUP)
            support.publish(broker.port, made[number * 50 : number * 50 + 50])
            change(config, f"\ncatch_up_per_s = {100 + number}", "")
        support.publish(broker.port, made[400:])
        support.wait_until(lambda: len(ids(listener)) == 400)
        support.wait_until(lambda: str(log_of(tmp_path)).count("configuration read") >= 5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert set(ids(listener).values()) == {1}


def test_what_is_taken_over_and_what_needs_a_restart(broker: Broker, tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)

    def heard(number: int) -> bool:
        said = [entry["event"] for entry in log_of(tmp_path)]
        return sum("inventory read" in event for event in said) == number

    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config) as process:
        support.wait_until(lambda: online(listener))
        change(config, "[source]", 'log_level = "DEBUG"\n[source]')
        change(config, "[feed]", "[feed]\nwindow_max = 7\ncatch_up_per_s = 9")
        process.send_signal(signal.SIGHUP)
        support.wait_until(lambda: heard(1))
        change(config, "window_max = 7", "window_max = 0")
        process.send_signal(signal.SIGHUP)
        support.wait_until(lambda: heard(2))
    entries = {entry["event"]: entry for entry in log_of(tmp_path)}
    taken = entries["configuration read"]["taken"]
    assert taken == ["feed.catch_up_per_s", "gateway.log_level"]
    assert entries["these changes need a restart"]["keys"] == ["feed.window_max"]
    wrong = entries["the configuration is wrong: the one before stays"]
    assert "[feed] window_max" in wrong["why"]


def test_whom_to_tell_is_taken_over_and_what_is_no_address_is_refused(
    broker: Broker, tmp_path: Path
) -> None:
    config = support.gateway_toml(tmp_path, broker.port, broker.port)

    def heard(number: int) -> bool:
        said = [entry["event"] for entry in log_of(tmp_path)]
        return sum("inventory read" in event for event in said) == number

    with support.listening(broker.port, "revier/v1/#") as listener, gateway(config) as process:
        support.wait_until(lambda: online(listener))
        with config.open("a") as file:
            file.write('[alerts]\nto = ["json://127.0.0.1:1/x"]\n[watch]\nbattery_low_v = 3.1\n')
        process.send_signal(signal.SIGHUP)
        support.wait_until(lambda: heard(1), 30)
        change(config, "json://127.0.0.1:1/x", "nonsense")
        process.send_signal(signal.SIGHUP)
        support.wait_until(lambda: heard(2), 30)
    taken = [one["taken"] for one in log_of(tmp_path) if one["event"] == "configuration read"]
    assert taken == [["alerts.to", "watch.battery_low_v"]]
    wrong = "the configuration is wrong: the one before stays"
    (refused,) = [one["why"] for one in log_of(tmp_path) if one["event"] == wrong]
    assert "address 1 is none that Apprise knows" in refused


def test_the_watch_s_settings_are_taken_over(broker: Broker, tmp_path: Path) -> None:
    """The canary begins, the dead man's watcher is told, the canary ends; no restart."""
    asked: list[str] = []

    class Watcher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Watcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = support.gateway_toml(tmp_path, broker.port, broker.port)
    config.write_text(config.read_text() + "[watch]\ncanary_every_s = 0\n")
    try:
        with support.listening(broker.port, "revier/v1/#") as listener, gateway(config) as process:
            support.wait_until(lambda: online(listener))
            url = f"http://127.0.0.1:{server.server_address[1]}/ping"
            change(
                config,
                "canary_every_s = 0",
                f'canary_every_s = 1\ndeadman_url = "{url}"\ndeadman_every_s = 1',
            )
            process.send_signal(signal.SIGHUP)
            support.wait_until(lambda: listener.of_kind("canary"), 60, "a canary")
            support.wait_until(lambda: asked, 60, "a sign of life")
            change(config, "canary_every_s = 1", "canary_every_s = 0")
            change(config, f'deadman_url = "{url}"\n', "")
            process.send_signal(signal.SIGHUP)
            ended = "watch.canary_every_s', 'watch.deadman_url"
            support.wait_until(lambda: ended in str(log_of(tmp_path)), 30)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    finally:
        server.shutdown()
        server.server_close()
    log = (tmp_path / "gateway.log").read_text()
    assert "these changes need a restart" not in log
    assert "Traceback" not in log


def test_the_log_s_level_changes_at_work(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)
    log = structlog.get_logger("test")
    try:
        for level in ("INFO", "ERROR", "DEBUG"):
            logs.set_level(level)
            log.debug("a", level_is=level)
            log.warning("b", level_is=level)
            log.exception("c", level_is=level)
    finally:
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    said = [f"{line['level_is']} {line['event']}" for line in lines]
    assert said == ["INFO b", "INFO c", "ERROR c", "DEBUG a", "DEBUG b", "DEBUG c"]


def test_only_what_may_change_at_work_changes(tmp_path: Path) -> None:
    before = load(support.gateway_toml(tmp_path, 1883, 1884))
    after = msgspec.structs.replace(
        before,
        gateway=msgspec.structs.replace(before.gateway, id="other", log_level="DEBUG"),
        feed=msgspec.structs.replace(before.feed, catch_up_per_s=5, port=99),
        retention=msgspec.structs.replace(before.retention, parking_days=1, seen_days=2),
    )
    now, taken, rest = reloaded(before, after)
    assert taken == [
        "feed.catch_up_per_s",
        "gateway.log_level",
        "retention.parking_days",
        "retention.seen_days",
    ]
    assert rest == ["feed.port", "gateway.id"]
    assert changes(before, now) == taken
    assert changes(now, after) == rest


def test_a_table_that_came_or_went_is_named(tmp_path: Path) -> None:
    path = support.gateway_toml(tmp_path, 1883, 1884)
    without = load(path)
    path.write_text(path.read_text() + '[chirpstack]\nhost = "127.0.0.1"\n[alerts]\nto = ["a"]\n')
    with_it = load(path)
    for before, after in ((without, with_it), (with_it, without)):
        now, taken, rest = reloaded(before, after)
        assert (taken, rest) == (["alerts.to"], ["chirpstack"])
        assert now.chirpstack == before.chirpstack
        assert now.alerts == after.alerts


def test_the_names_of_what_is_reloaded_exist() -> None:
    for name in RELOADED:
        table, _, key = name.partition(".")
        (found,) = [field for field in msgspec.structs.fields(Config) if field.name == table]
        names = [field.name for field in msgspec.structs.fields(found.type)]
        assert not key or key in names, name


def test_the_operator_s_page_says_what_is_reloaded() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operator.md").read_text("utf-8")
    (said,) = [line for line in page.splitlines() if line.startswith("SIGHUP reads")]
    assert "all of `[retention]`, `[watch]` and `[alerts]`" in said
    for name in RELOADED:
        table, _, key = name.partition(".")
        assert f"`[{table}]" in said, name
        assert not key or f"{key}`" in said, name


# -- config check


def check(config: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["config", "check", "-c", str(config), *words])
    return result.exit_code, result.output


def test_a_right_configuration(tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, 1883, 1884)
    code, text = check(config)
    assert (code, "The configuration is right." in text) == (0, True)
    code, text = check(config, "--json")
    found = json.loads(text)
    assert found["subscribes"] == "application/+/device/+/event/+"
    assert (found["assets"], found["devices"], found["owners"]) == (3, 3, 2)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("port = 1883", "port = 0", "line 7: [source] port"),
        ("port = 1883", 'topic = "a/{{dev_eui}}"', "line 7: [source] topic"),
        ("port = 1883", 'password_env = "REVIER_NOT_SET"', "[source] environment variable"),
        ("[inventory]", '[feed.tls]\nca_file = "/none.pem"\n[inventory]', "[feed] tls: ca_file"),
        (
            "[inventory]",
            '[feed.tls]\ncert_file = "/none.pem"\n[inventory]',
            "No such file or directory. Correct the path",
        ),
        ('dir = "inventory"', 'dir = "none"', "[inventory] dir"),
    ],
)
def test_an_error_with_its_place_and_cure(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    config = support.gateway_toml(tmp_path, 1883, 1884)
    change(config, before, after)
    code, text = check(config)
    assert (code, told in text) == (2, True), text
