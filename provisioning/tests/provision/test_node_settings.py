# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Settings by cable: by name, checked, read back; the node behind it real in the last tests."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from revier_payload.codec import decode_downlink
from revier_payload.downlinks import config_hash
from revier_provision import BoardError, OrderError, open_board
from revier_provision.board import node_settings

from .test_cli import run
from .test_virtual_board import Table, table  # noqa: F401 (a fixture)

SHOWN = [
    ("setting", {"number": "1", "name": "interval", "value": "900", "unit": "s", "by": "made"}),
    ("setting", {"number": "48", "name": "empty", "value": "1200", "unit": "mm", "by": "set"}),
]


class Scripted:
    """Says what it is told to, whatever it is asked."""

    def __init__(self, answer: dict[str, str] | None, rows: Any = SHOWN) -> None:
        self.answer = answer
        self.rows = rows
        self.calls: list[str] = []

    def cable(self, call: str) -> list[tuple[str, dict[str, str]]]:
        self.calls.append(call)
        if call == "show()":
            kind = {"kind": "waste", "hash": str(config_hash({"empty": 1200}))}
            return [*self.rows, ("settings", kind | {"trial": "0", "reverted": "none"})]
        return [("settings", self.answer)] if self.answer else [("error", {"code": "settings"})]


def answer(result: int, setting: int = 0) -> dict[str, str]:
    return {"result": str(result), "hash": "1", "setting": str(setting)}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["interval"], "'interval' is not NAME=VALUE"),
        (["interval=900", "interval=901"], "interval is there twice"),
        (["no_such=1"], "There is no setting 'no_such'"),
        (["interval=59"], "interval must be 60 to 43200 s, not 59"),
        (["interval=13 h"], "interval must be 60 to 43200 s, not 13 h"),
        (["report=never"], "report must be one of each, change, batch, not never"),
        (["report_min=2h", "report_max=1h"], "report_min must not exceed report_max"),
    ],
)
def test_what_no_node_takes_is_refused_before_anything_is_asked(
    words: list[str], problem: str
) -> None:
    with pytest.raises(OrderError) as raised:
        node_settings.parse(words)
    assert raised.value.problem == problem


def test_what_the_node_refuses_is_told() -> None:
    board = Scripted(answer(8, 52))
    with pytest.raises(OrderError, match=r"refused_order, setting 52"):
        node_settings.change(board, {"empty": 1200})
    with pytest.raises(OrderError, match="A node of kind waste has no setting 'report'"):
        node_settings.change(board, {"report": "batch"})
    with pytest.raises(BoardError, match="nothing has changed"):
        node_settings.change(Scripted(None), {"empty": 1200})
    with pytest.raises(BoardError, match="not what was written"):
        node_settings.change(Scripted(answer(1)), {"empty": 1300})
    assert node_settings.change(Scripted(answer(1)), {"empty": "1.2m"}).settings[1].value == 1200


def test_a_board_without_our_firmware_is_told_to_have_none(pty_board: Any) -> None:
    with (
        open_board(pty_board.path) as board,
        pytest.raises(BoardError, match="knows no settings by cable"),
    ):
        node_settings.read(board)


def test_the_same_as_a_downlink() -> None:
    words = ["interval=15min", "report=change", "dead_band=2.5ug/m3"]
    said = json.loads(run("settings", "downlink", *words, "--json").stdout)
    assert said == {"f_port": 2, "data_hex": "010103841000021309c4"}
    rows = decode_downlink(2, bytes.fromhex(said["data_hex"])).rows
    assert [row.values["value"] for row in rows] == [900, 2, 2500]
    whole = run("settings", "downlink", "interval=900", "--default").stdout
    assert base64.b64encode(bytes.fromhex("02010384")).decode() in whole
    refused = run("settings", "downlink", "vacant_below=9uT", "--default", code=1)
    assert "vacant_below must not exceed occupied_above" in refused.stderr


def test_the_page_says_what_the_command_prints() -> None:
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text()
    (command, printed) = re.findall(r"^\$ revier-provision (.*)\n(.*)$", page, re.MULTILINE)[0]
    assert run(*command.split()).stdout.strip() == printed


@pytest.mark.pty
def test_a_node_is_set_shown_and_reset_by_cable(table: Table) -> None:  # noqa: F811
    port = table.port
    refused = run("settings", "show", "--port", port, code=1)
    assert "it is no node yet" in refused.stderr
    with open_board(port) as board:
        board.write_node_json({"kind": "waste", "board": "heltec_v3", "interval_s": 900})
    refused = run("settings", "set", "report=batch", "--port", port, code=1)
    assert "A node of kind waste has no setting 'report'" in refused.stderr

    done = run("settings", "set", "interval=20min", "empty=1.2m", "--port", port, "--json")
    told = json.loads(done.stdout)
    assert told["config_hash"] == config_hash({"interval": 1200, "empty": 1200})
    assert told["on_trial"]
    refused = run("settings", "set", "empty=300", "nearest=301", "--port", port, code=1)
    assert "nearest must not exceed empty" in refused.stderr

    run("settings", "reset", "interval", "--port", port)
    shown = run("settings", "show", "--port", port).stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["48", "empty", "1200", "mm", "set"] in rows
    assert ["1", "interval", "900", "s", "as", "made"] in rows
    assert f"hash of its settings {config_hash({'empty': 1200})}" in shown
