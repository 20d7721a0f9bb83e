# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The command in German, up to the last read-back; what machines read stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from revier_bench.workshop.paper_air import PaperAir
from revier_bench.workshop.paper_table import PaperShop, PaperTable
from revier_provision import cli
from revier_provision.cli import batch, node, whole_way
from revier_provision.ledger.files import LedgerFolder
from revier_provision.workshop.make_node import Wanted, make_node
from revier_provision.workshop.step_events import NodeStep, StepEvent, StepFailedError
from revier_provision.workshop.terminal import BoardView, card

SITE = """\
language = "de"
[books]
inventory = "inventory"
station = "paper-1"
[chirpstack]
server = "{target}"
token_file = "token"
"""
ENGLISH_WORDS = (
    "the board",
    "flash Micro",
    "serves",
    "Next:",
    "not ",
    " is ",
    "already",
    "reading",
)


@pytest.fixture
def shop(
    make_shop: Callable[..., PaperShop], air: PaperAir, monkeypatch: pytest.MonkeyPatch
) -> PaperShop:
    made = make_shop(2)
    token = made.folder / "token"
    token.touch(0o600)
    token.write_text(air.token)
    (made.folder / "revier-site.toml").write_text(SITE.format(target=air.target), "utf-8")
    monkeypatch.chdir(made.folder)
    for module in (batch, node, whole_way):
        monkeypatch.setattr(module, "SerialTable", lambda _site: PaperTable(made.boards))
    return made


def run(*arguments: object, code: int = 0, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def english_in(text: str) -> list[str]:
    return [word for word in ENGLISH_WORDS if word in text]


def test_a_node_is_made_in_german(shop: PaperShop) -> None:
    done = run("node", "--port", "paper0", "--yes")
    assert "Der Knoten 240ac4fffe000001 bedient herten-air-01 (05562020)" in done.stdout
    assert (
        "Erster Messwert: RSSI -97 dBm, SNR 6,5 dB, DR5, Reserve 14,0 dB; pm25 8,4 µg/m³, "
        "Temperatur 23,2 °C" in done.stdout
    )
    steps = [line.partition(":")[0] for line in done.stderr.splitlines() if line.startswith("✔")]
    assert steps[0] == "✔ Board finden"
    assert "✔ Join und ersten Messwert nachweisen" in steps
    said = " ".join(done.stderr.split())
    assert "DevEUI 240ac4fffe000001 bedient herten-air-01; das Board hat seinen neuen" in said
    assert english_in(done.stderr) == []


def test_a_failed_step_is_said_in_german_and_entered_in_english(shop: PaperShop) -> None:
    shop.boards["paper0"].faults["bme280"] = "no answer"
    failed = run("node", "--port", "paper0", "--yes", code=1)
    problem = "BME280 (Temperatur, Feuchte, Luftdruck) antwortet nicht"
    assert f"✘ alle Bausteine prüfen: {problem}" in failed.stderr
    assert f"{problem}.\n" in failed.stderr
    assert (
        "Weiter: Stecker, Versorgung und Verdrahtung (SDA, SCL, Adresse) prüfen; " in failed.stderr
    )
    assert english_in(failed.stderr) == []
    (record,) = [
        each
        for each in LedgerFolder(shop.site.ledger, "reader", "me").records()
        if each.event == "failed"
    ]
    assert record.note == "BME280 (temperature, humidity, pressure) does not answer"
    assert record.steps[-1].step == "test every chip"


def test_json_is_the_same_in_every_language(shop: PaperShop) -> None:
    shop.boards["paper0"].faults["bme280"] = "no answer"
    said = {
        language: run("node", "--port", "paper0", "--json", "--language", language, code=1).stdout
        for language in ("de", "en")
    }
    assert said["de"] == said["en"]
    assert "does not answer" in json.loads(said["de"])["error"][0]["problem"]


def test_a_batch_and_its_table_are_german(shop: PaperShop) -> None:
    shop.boards["paper1"].chip = "ESP32-C3"
    done = run("batch", "--no-prove", code=1)
    assert "1 von 2 Boards sind jetzt Knoten." in done.stdout
    assert "paper1 (Board finden): " in done.stdout
    status = run("status", "--inventory", shop.inventory_dir)
    heads = status.stdout.splitlines()[0].split()
    assert heads[:3] == ["Messort", "Art", "AGS"]
    assert {"Zustand", "Batterie"} <= set(heads)
    assert "kein Gerät" in status.stdout


def test_what_is_asked_for_goes_first(shop: PaperShop) -> None:
    missing = ["label", "--asset", "herten-air-99", "--out", "x.pdf"]
    assert "zurzeit kein Gerät" in run(*missing, code=1).stderr
    english = "has no device now"
    assert english in run("--language", "en", *missing, code=1).stderr
    assert english in run(*missing, "--language=en", code=1, env={"LANGUAGE": "de"}).stderr
    refused = run(*missing, "--language", "fr", code=2)
    assert "'fr' is not one of de, en" in refused.stderr.replace("\n", " ")


def test_without_a_site_file_the_environment_chooses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gone = ["inventory", "check", "none"]
    assert "Es gibt keinen Ordner none" in run(*gone, code=1, env={"LANGUAGE": "de"}).stderr
    german = {"LANGUAGE": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "de_DE.UTF-8"}
    assert "Es gibt keinen Ordner none" in run(*gone, code=1, env=german).stderr
    assert "There is no inventory folder" in run(*gone, code=1, env={"LANGUAGE": "C"}).stderr


def test_faults_of_an_inventory_are_german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("inventory", "init", "new")
    owners = '[[owner]]\nags = "5562020"\nname = "Herten"\nsize = 3\n'
    (tmp_path / "new" / "owners.toml").write_text(owners)
    refused = run("inventory", "check", "new", "--language", "de", code=1)
    assert 'owners.toml: owner 1 ("5562020"): size: ist unbekannt.' in refused.stderr
    assert (
        "Weiter: Die Schreibweise korrigieren oder es entfernen; bekannt sind ags" in refused.stderr
    )


def test_help_and_refusals_of_the_command_line_are_german() -> None:
    german = {"LANGUAGE": "de", "COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    shown = run("node", "--help", env=german).stdout
    assert "Ein Board zum Knoten machen" in shown
    assert "Der serielle Anschluss des Boards" in shown
    assert "Optionen" in shown
    assert "Diese Hilfe zeigen." in shown
    assert "Vom leeren Board" in run("--help", env=german).stdout
    assert "Es gibt keine Option --bord." in run("node", "--bord", code=2, env=german).stderr
    assert "Es gibt keinen Befehl „labl“." in run("labl", code=2, env=german).stderr
    assert "Make a board a node" in run("node", "--help").stdout, "the next one is English again"
    assert "No such option" in run("node", "--bord", code=2).stderr


def test_the_card_on_a_screen_is_german(shop: PaperShop) -> None:
    shop.boards["paper0"].faults["sps30"] = "no answer"
    view = BoardView("paper0", clock=lambda: 0.0)
    heard: list[StepEvent] = []
    with shop.bench() as bench, pytest.raises(StepFailedError) as failed:
        make_node(
            bench, Wanted(port="paper0"), lambda event: (heard.append(event), view.hear(event))
        )
    view.end(failed.value.problem, ok=False, cure=failed.value.cure)
    console = Console(width=130, record=True)
    console.print(card(view, "de"))
    text = console.export_text()
    assert "ANGEHALTEN" in text
    assert "Etikett machen" in text
    assert "Weiter: Stecker, Versorgung und Verdrahtung" in text
    assert english_in(text) == []
    assert [event.step for event in heard][-1] == NodeStep.SELF_TEST
