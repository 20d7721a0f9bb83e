# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""node and batch as commands with a site file; the boards are on paper, ChirpStack behind gRPC."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_table import FIRMWARE, RUNTIME, PaperShop, PaperTable
from revier_provision import cli, inventory_files
from revier_provision.cli import batch, node, replace, whole_way
from revier_provision.ledger.files import LedgerFolder
from revier_provision.ledger.records import Record

SITE = """\
[books]
inventory = "inventory"
station = "paper-1"
[chirpstack]
server = "{target}"
token_file = "token"
[label]
formats = ["zpl"]
"""
MakeShop = Callable[..., PaperShop]


@pytest.fixture
def shop(make_shop: MakeShop, air: PaperAir, monkeypatch: pytest.MonkeyPatch) -> PaperShop:
    made = make_shop(3)
    token = made.folder / "token"
    token.touch(0o600)
    token.write_text(air.token)
    (made.folder / "revier-site.toml").write_text(SITE.format(target=air.target))
    monkeypatch.chdir(made.folder)
    for module in (batch, node, replace, whole_way):
        monkeypatch.setattr(module, "SerialTable", lambda _site: PaperTable(made.boards))
    return made


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def ledger(shop: PaperShop) -> tuple[Record, ...]:
    return LedgerFolder(shop.site.ledger, "reader", "me").records()


def test_the_site_file_that_lies_here_is_taken(shop: PaperShop) -> None:
    done = run("node", "--port", "paper0", "--yes")
    assert "Node 240ac4fffe000001 serves herten-air-01 (05562020)" in done.stdout
    assert "First reading: RSSI -97 dBm" in done.stdout
    assert "✔ test every chip: sps30 ok, bme280 ok, radio ok" in done.stderr
    assert (shop.folder / "labels" / "herten-air-01-240ac4fffe000001.zpl").exists()


def test_which_of_several_ports_and_which_asset_must_be_known(shop: PaperShop) -> None:
    ports = run("node", code=1)
    assert "There are 3 ports: paper0, paper1, paper2" in ports.stderr
    assert "revier-provision batch" in ports.stderr
    asset = run("node", "--port", "paper0", code=1)
    assert "Nobody can be asked which asset" in asset.stderr
    assert inventory_files.read(shop.inventory_dir).periods == ()


def test_a_new_asset_is_made_on_the_way(shop: PaperShop) -> None:
    own = ["--asset", "herten-air-09", "--name", "Markt", "--lon", 7.1, "--lat", 51.6]
    half = run("node", "--port", "paper0", *own, code=1)
    assert "--asset, --kind and --ags" in half.stderr
    run("node", "--port", "paper0", *own, "--kind", "air", "--ags", "05562020")
    (period,) = inventory_files.read(shop.inventory_dir).periods
    assert period.asset == "herten-air-09"


def test_a_failed_step_is_said_with_its_cure(shop: PaperShop) -> None:
    shop.boards["paper0"].faults["bme280"] = "no answer"
    failed = run("node", "--port", "paper0", "--yes", code=1)
    assert "✘ test every chip: BME280" in failed.stderr
    assert "Next: Check its plug" in failed.stderr
    as_json = run("node", "--port", "paper0", "--json", code=1)
    (error,) = json.loads(as_json.stdout)["error"]
    assert "does not answer" in error["problem"]


def test_replace_goes_the_whole_way_with_a_board_from_the_box(
    shop: PaperShop, air: PaperAir
) -> None:
    run("node", "--port", "paper0", "--yes")
    old, new, asset = "240ac4fffe000001", "240ac4fffe000002", "herten-air-01"
    refused = run("node", "--port", "paper1", "--asset", asset, code=1)
    assert "Give --replace" in refused.stderr
    done = run("replace", "--port", "paper1", "--asset", asset)
    assert f"Node {new} serves herten-air-01 (05562020)" in done.stdout
    assert "First reading: RSSI -97 dBm" in done.stdout
    assert f"Before it did {old}; what that measured stays the asset's" in done.stdout
    assert f"retire --dev-eui {old}" in done.stdout
    assert "left out" not in done.stdout
    board = shop.boards["paper1"]
    assert (board.runtime, board.firmware) == (RUNTIME, FIRMWARE)
    assert (shop.folder / "labels" / f"herten-air-01-{new}.zpl").exists()
    assert air.registry.devices[old].tags == {"ags": "05562020"}
    events = [record.event for record in ledger(shop)]
    assert events == [
        "key-reserved", "provisioned", "failed", "key-reserved", "replaced",
    ]  # fmt: skip

    again = json.loads(run("replace", "--port", "paper1", "--asset", asset, "--json").stdout)
    assert again["proven_before"]
    assert (again["record"]["dev_eui"], again["old_dev_eui"]) == (new, old)
    assert len(ledger(shop)) == 5


def test_replace_of_an_unknown_asset_touches_no_board(shop: PaperShop) -> None:
    refused = run("replace", "--port", "paper0", "--asset", "herten-air-99", code=1)
    assert "no asset 'herten-air-99'" in refused.stderr
    assert shop.boards["paper0"].runtime == ""
    several = run("replace", "--asset", "herten-air-01", code=1)
    assert "There are 3 ports" in several.stderr


def test_a_batch_makes_all_and_says_which_failed(shop: PaperShop) -> None:
    shop.boards["paper1"].chip = "ESP32-C3"
    listed = shop.folder / "list"
    listed.write_text(
        "# the north\nherten-air-03\nherten-air-01 # at the town hall\n\nherten-air-02\n"
    )
    done = run("batch", "--assets-from", listed, code=1)
    assert "2 of 3 boards are nodes now" in done.stdout
    assert "paper1 (find the board): This is an ESP32-C3" in done.stdout
    served = {p.asset for p in inventory_files.read(shop.inventory_dir).periods}
    assert served < {"herten-air-01", "herten-air-02", "herten-air-03"}

    shop.boards["paper1"].chip = "ESP32-S3"
    outcomes: list[dict[str, Any]] = json.loads(run("batch", "--json").stdout)
    assert [each["port"] for each in outcomes] == ["paper0", "paper1", "paper2"]
    assert all(each["made"]["record"]["registered"] for each in outcomes)


def test_a_batch_without_site_file_or_list_is_refused(
    shop: PaperShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = run("batch", "--assets-from", "nowhere", code=1)
    assert "Correct --assets-from" in missing.stderr
    Path("revier-site.toml").unlink()
    assert "batch needs a site file" in run("batch", code=1).stderr
    bare = run("node", "--inventory", "inventory", "--kind", "air", code=1)
    assert "Give --asset and --ags and --port" in bare.stderr


def test_every_command_takes_the_site_file_and_its_options_go_before_it(
    shop: PaperShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("node", "--port", "paper0", "--yes")
    (row, *_) = json.loads(run("status", "--json").stdout)
    assert (row["dev_eui"], row["state"]) == ("240ac4fffe000001", "ok")
    assert json.loads(run("verify", "--json").stdout)["compared"][-1] == "ChirpStack"
    run("label", "--asset", "herten-air-01", "--format", "zpl", "--out", "again.zpl")
    (made,) = (shop.folder / "labels").iterdir()
    assert (shop.folder / "again.zpl").read_bytes() == made.read_bytes()

    inventory_files.init(tmp_path / "other")
    assert json.loads(run("status", "--inventory", tmp_path / "other", "--json").stdout) == []
    monkeypatch.setenv("REVIER_SITE", str(tmp_path / "gone.toml"))
    assert "gone.toml" in run("status", code=1).output
    error = json.loads(run("status", "--json", code=1).stdout)["error"]
    assert "site file to copy" in error[0]["cure"]
    run("status", "--help")
    run("ports")
