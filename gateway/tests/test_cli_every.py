# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Every command: JSON for programs, whole tables for people, and an error that names its cure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from click.testing import Result
from gateway.tests import support
from gateway.tests.support import AIR, START
from typer.testing import CliRunner

from revier_gateway.cli import app
from revier_gateway.commands import table
from revier_gateway.commands.making import new_command
from revier_gateway.gaps.frames import JOINED
from revier_gateway.store import Store
from revier_gateway.tail import printable
from revier_gateway.values import unix_ms
from revier_gateway.work import QuarantineRow, Work

Path_ = tuple[str, ...]

# What each needs beside --config; OUT is a file that is not there.
ARGUMENTS: dict[Path_, list[str]] = {
    ("run",): [],
    ("doctor",): ["--listen", "0.1"],
    ("tail",): ["--count", "1"],
    ("devices",): [],
    ("gaps",): [],
    ("report",): ["--month", "2026-05"],
    ("replay",): ["EVENT"],
    ("backup",): ["OUT"],
    ("restore",): ["OUT"],
    ("command", "send"): ["device", "asset=aq-0007", "--wait-s", "0.1"],
    ("command", "list"): [],
    ("command", "show"): ["COMMAND"],
    ("alerts", "list"): [],
    ("alerts", "silence"): ["--for", "1h"],
    ("alerts", "unsilence"): ["1"],
    ("quarantine", "list"): [],
    ("quarantine", "show"): ["1"],
    ("quarantine", "replay"): ["1"],
    ("quarantine", "drop"): ["1"],
    ("config", "check"): [],
}
NEEDS_A_DATABASE = set(ARGUMENTS) - {
    *(("run",), ("doctor",), ("tail",), ("replay",), ("restore",), ("config", "check"))
}
NEEDS_THE_INVENTORY = {("run",), ("devices",), ("report",), ("replay",), ("config", "check")}
NEEDS_THE_PASSWORDS = {("run",), ("doctor",), ("tail",), ("config", "check")}


def commands() -> Iterator[tuple[Path_, Any]]:
    def walk(command: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:
        below = getattr(command, "commands", None)
        if below is None:
            yield path, command
        for name, each in (below or {}).items():
            yield from walk(each, (*path, name))

    yield from walk(typer.main.get_command(app), ())


def call(path: Path_, folder: Path, *more: str, **environment: str) -> Result:
    event = folder / "010_up.json"
    event.write_text(json.dumps(support.uplink(support.air_payload(1))))
    named = {"OUT": str(folder / "copy.sqlite3"), "EVENT": str(event), "COMMAND": COMMAND.id}
    words = [named.get(word, word) for word in ARGUMENTS[path]]
    command = [*path, *words, "--config", str(folder / "gateway.toml"), *more]
    return CliRunner().invoke(app, command, env=environment)


def ended_well(result: Result) -> bool:
    """No traceback: whatever it says, it says it itself."""
    return result.exception is None or isinstance(result.exception, SystemExit)


COMMAND = new_command(AIR, "configure", b"\x01", unix_ms(START), origin="admin")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration, and a database with one row of everything."""
    support.gateway_toml(tmp_path, 1, 1)
    store = Store(tmp_path / "data")
    work = Work(store)
    detail = "not JSON [red]\x1b[31m"
    work.quarantine.append(
        QuarantineRow(
            "2026-05-04T07:00:00.000Z", "source", "bad_json", detail, support.topic(), b"{\x1b[2J"
        )
    )
    work.changes.append(lambda db: table.put(db, [COMMAND]))
    for number, first in enumerate((JOINED, 7)):
        values = (f"id-{number}", AIR, "00558158", first, first + 2, "aq-0007", support.AGS)
        work.changes.append(
            lambda db, values=values: db.execute(
                "INSERT INTO gaps (id, dev_eui, dev_addr, f_cnt_first, f_cnt_last, asset, ags,"
                " after_ms, before_ms, domain, kind, cause, state, frames, declared_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 1, 2, 'x', 'air', 'radio', 'missing', 3, 4)",
                values,
            )
        )
    store.commit(work)
    store.close()
    return tmp_path


def test_the_table_above_has_every_command() -> None:
    assert {path for path, _ in commands()} == {*ARGUMENTS, ("version",)}


@pytest.mark.parametrize("path", ARGUMENTS, ids=" ".join)
def test_each_has_json_and_a_configuration(path: Path_) -> None:
    (command,) = [one for name, one in commands() if name == path]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--config"} <= options
    assert command.help


@pytest.mark.parametrize("path", ARGUMENTS, ids=" ".join)
def test_without_its_file_it_says_which_and_what_to_do(path: Path_, tmp_path: Path) -> None:
    result = call(path, tmp_path)
    assert ended_well(result), result.exception
    assert result.exit_code == 2
    assert str(tmp_path / "gateway.toml") in result.output
    assert "gateway.example.toml" in result.output


@pytest.mark.parametrize("path", sorted(NEEDS_A_DATABASE), ids=" ".join)
def test_before_the_first_run_it_says_so(path: Path_, tmp_path: Path) -> None:
    support.gateway_toml(tmp_path, 1, 1)
    result = call(path, tmp_path)
    assert ended_well(result), result.exception
    assert result.exit_code == 2
    assert "no gateway has run" in result.output
    assert "revier-gateway run" in result.output


@pytest.mark.parametrize("path", sorted(NEEDS_THE_INVENTORY), ids=" ".join)
def test_a_wrong_inventory_is_named(path: Path_, folder: Path) -> None:
    (folder / "inventory" / "owners.toml").write_text("x = [")
    result = call(path, folder)
    assert ended_well(result), result.exception
    assert result.exit_code == 2
    assert "owners.toml" in result.output


@pytest.mark.parametrize("path", sorted(NEEDS_THE_PASSWORDS), ids=" ".join)
def test_a_password_that_is_not_there_is_named(path: Path_, folder: Path) -> None:
    support.gateway_toml(folder, 1, 1, feed='password_env = "REVIER_NOT_SET"')
    result = call(path, folder)
    assert ended_well(result), result.exception
    assert result.exit_code == 2
    assert "[feed] environment variable REVIER_NOT_SET is not set" in result.output


@pytest.mark.parametrize(
    "path", [path for path in ARGUMENTS if path not in (("run",), ("tail",))], ids=" ".join
)
def test_json_is_json(path: Path_, folder: Path) -> None:
    out = ["--out", str(folder)] if path == ("report",) else []
    result = call(path, folder, "--json", *out)
    assert ended_well(result), result.exception
    if path in (("command", "send"), ("restore",), ("alerts", "unsilence")):
        assert result.exit_code in (1, 2)  # nobody answers, no copy, no window: on stderr alone
        assert result.stdout == ""
        assert result.stderr
        return
    json.loads(result.stdout)


def test_a_table_is_whole_where_it_is_piped(folder: Path) -> None:
    for path, told in (
        (("devices",), (AIR, "aq-0007", "ps-r12-03")),
        (("gaps",), (AIR, "joined anew", "7..9", "missing")),
        (("command", "list"), (COMMAND.id, AIR, "waiting")),
        (("quarantine", "list"), ("bad_json", "[red]", "publishes to the event topic")),
    ):
        output = call(path, folder).stdout
        assert all(text in output for text in told), output
        assert "…" not in output


def test_a_narrow_terminal_breaks_lines_and_cuts_nothing(folder: Path) -> None:
    environment = {"TTY_COMPATIBLE": "1", "FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "dumb"}
    output = call(("devices",), folder, **environment).stdout
    assert AIR in output
    assert "…" not in output
    assert max(len(line) for line in output.splitlines()) <= 80


def test_a_peer_s_text_commands_no_terminal(folder: Path) -> None:
    for path in (("quarantine", "list"), ("quarantine", "show")):
        output = call(path, folder).stdout
        assert "\x1b" not in output
        assert "\\x1b" in output
    assert printable("ä\n\t\x07\u009b") == "ä\n\t\\x07\\x9b"


def test_what_config_check_reads_beside_the_file(folder: Path) -> None:
    config = folder / "gateway.toml"
    text = config.read_text()
    for more, told in (
        ('[chirpstack]\nhost = "h"\ntoken_env = "REVIER_NO_TOKEN"\n', "REVIER_NO_TOKEN is not set"),
        ('[alerts]\nto = ["nonsense"]\n', "address 1 is none that Apprise knows"),
        ('[alerts]\nto_env = "REVIER_NO_ALERTS"\n', "REVIER_NO_ALERTS is not set"),
    ):
        config.write_text(text + more)
        result = call(("config", "check"), folder)
        assert (result.exit_code, told in result.output) == (2, True), result.output
