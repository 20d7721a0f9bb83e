# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""German pages say errors and read-backs in German; two people see one board in two languages."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from provisioning.tests.station.conftest import Browser, eventually

from revier_bench.workshop.paper_table import PaperShop
from revier_inventory.message import _
from revier_provision.errors import NetworkServerError, OrderError
from revier_provision.station.desk import Desk
from revier_provision.station.guard import refusal
from revier_provision.station.maker import WorkshopMaker
from revier_provision.station.texts import Words
from revier_provision.station.workshop_api import Cards, Make, _Api
from revier_provision.translation import Language


def streamed(cards: Cards, language: Language) -> dict[str, Any]:
    """The first thing that a page's stream says, by port."""

    async def first() -> bytes:
        stream = _Api(cards)._stream(language)
        try:
            return await anext(stream)
        finally:
            await stream.aclose()

    told = json.loads(asyncio.run(first()).removeprefix(b"data: "))
    return {card["port"]: card for card in told}


def test_the_workshop_reads_back_in_the_language_of_who_looks(shop: PaperShop) -> None:
    shop.boards["paper1"].faults["bme280"] = "no answer"
    with shop.bench() as bench:
        cards = Cards(WorkshopMaker(bench))
        cards.look()
        for port in shop.boards:
            cards.start(Make(port=port), "tina")
        eventually(lambda: {card.state for card in cards.all()} == {"made", "failed"}, 60)
        german, english = streamed(cards, "de"), streamed(cards, "en")
    steps = {step["step"]: step["readback"] for step in german["paper0"]["steps"]}
    assert steps["alle Bausteine prüfen"] == "sps30 ok, bme280 ok, radio ok"
    assert (
        "das Board hat seinen neuen Schlüssel nachgewiesen"
        in steps["Kennung und Schlüssel schreiben"]
    )
    assert "Reserve 14,0 dB" in steps["Join und ersten Messwert nachweisen"]
    assert "Reserve" in german["paper0"]["said"]
    assert "margin 14.0 dB" in english["paper0"]["said"]
    problem = "BME280 (Temperatur, Feuchte, Luftdruck) antwortet nicht"
    assert german["paper1"]["said"] == problem
    assert german["paper1"]["steps"][-1]["readback"] == problem
    assert german["paper1"]["cure"].endswith("; dann noch einmal starten")
    assert english["paper1"]["said"] == "BME280 (temperature, humidity, pressure) does not answer"


def test_a_page_says_an_error_of_the_books_in_its_language(browser: Browser, desk: Desk) -> None:
    assert browser.login("ingo").status_code == 303
    (desk.folder / "assets.toml").write_text('[[asset]]\nasset = "x"\ncolour = "red"\n')
    said = {lang: browser.get(f"/api/assets?lang={lang}").json() for lang in ("de", "en")}
    assert said["de"]["problem"].startswith(
        "Das Verzeichnis lässt es nicht zu: assets.toml: asset 1"
    )
    assert said["de"]["problem"].endswith("fehlt") or "unbekannt" in said["de"]["problem"]
    assert said["de"]["cure"] != said["en"]["cure"]
    assert said["en"]["problem"].startswith("The books refuse it: assets.toml")


@pytest.mark.parametrize(
    ("error", "problem", "cure"),
    [
        (
            OrderError("There is no ledger in {folder}", "Correct the path", folder="x"),
            "Das Verzeichnis lässt es nicht zu: In x gibt es kein Protokoll",
            "Den Pfad korrigieren",
        ),
        (
            NetworkServerError(
                "ChirpStack could not {what}: {problem}", "Wait",
                what=_("read the device"), problem=_("it did not answer in time"),
            ),
            "Der Netzwerkserver antwortet nicht: „Gerät lesen“ ist in ChirpStack misslungen: "
            "es hat nicht rechtzeitig geantwortet",
            "Die Station versucht es weiter",
        ),
    ],
)  # fmt: skip
def test_refusals_are_german_throughout(error: OrderError, problem: str, cure: str) -> None:
    said = json.loads(bytes(refusal(error, Words("de")).body))
    assert (said["problem"], said["cure"]) == (problem, cure)
