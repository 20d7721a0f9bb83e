# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The pages in a real browser at a phone's size, over TLS, with and without reception."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from provisioning.tests.station.conftest import (
    AIR,
    BAY,
    GLASS,
    FakeNetwork,
    Node,
    eventually,
    jpeg,
)
from provisioning.tests.station.hands import Hands
from provisioning.tests.station.running import Running, place
from provisioning.tests.station.test_workshop_api import Bench

from revier_bench.demo.screenshot import browser_missing
from revier_bench.workshop.paper_table import PaperShop
from revier_provision import inventory_files
from revier_provision.labels.tr005 import identification
from revier_provision.ledger.files import read_all
from revier_provision.station.desk import Desk
from revier_provision.station.maker import WorkshopMaker

INSTALL = browser_missing()
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(INSTALL is not None, reason=f"install it: {INSTALL}"),
]
IN_FOURS = "240A C4FF FE00 0001"
DETECTOR = """globalThis.BarcodeDetector = class {
  static async getSupportedFormats() { return ['qr_code']; }
  async detect(video) { return video.videoWidth ? [{ rawValue: 'LABEL' }] : []; }
}"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "pole.jpg"
    path.write_bytes(jpeg(1200, 900))
    return path


def complaints(chrome: Any) -> list[str]:
    return [entry["message"] for entry in chrome.get_log("browser")]


def installed(desk: Desk) -> list[Any]:
    chains = read_all(desk.ledger_folder) if desk.ledger_folder.exists() else {}
    return [record for chain in chains.values() for record in chain.records]


@pytest.mark.parametrize("lang", ["de", "en"])
def test_a_container_from_the_label_to_the_sign_off(
    hands: Hands, desk: Desk, network: FakeNetwork, photo: Path, lang: str
) -> None:
    node = Node(network, GLASS, lambda: datetime.now(UTC))
    hands.login(query=f"?lang={lang}")
    hands.picture(f"1-label-{lang}")
    hands.label(identification(GLASS, "0" * 16, "waste"))
    hands.position()
    hands.picture(f"2-asset-{lang}")
    hands.asset("herten-glas-03")
    hands.photo(photo)
    hands.picture(f"3-trial-{lang}")
    hands.click("#begin")
    eventually(lambda: network.enqueued)
    hands.picture(f"4-waiting-{lang}")
    node.send(1, bytes(12))
    node.level(1302)
    node.answers("waste")
    hands.until("document.querySelector('#verdict').dataset.colour === 'green'")
    assert {"de": "10 % daneben", "en": "10 % off"}[lang] in hands.text("#geometry")
    hands.click("#use-measured")
    hands.until("!document.querySelector('#sign').disabled")
    hands.picture(f"5-green-{lang}")
    hands.click("#sign")
    hands.until("document.querySelector('#sent li[data-state=sent]')")
    hands.picture(f"6-signed-{lang}")
    (record,) = installed(desk)
    assert (record.event, record.asset) == ("installed", "herten-glas-03")
    asset = inventory_files.read(desk.folder).asset("herten-glas-03")
    assert asset is not None
    assert (asset.empty_mm, asset.full_mm, asset.lon) == (1302, 250, 7.1357)
    assert complaints(hands.chrome) == []


def test_a_red_bay_gets_advice_and_asks_why(
    hands: Hands, desk: Desk, network: FakeNetwork, photo: Path
) -> None:
    node = Node(network, BAY, lambda: datetime.now(UTC))
    node.snr_db, node.gateways = -14.0, node.gateways[:1]
    hands.login()
    hands.label(BAY)
    hands.position()
    hands.asset("herten-bay-07")
    hands.photo(photo)
    assert "frei" in hands.text("#ask-what")
    hands.click("#begin")
    eventually(lambda: network.enqueued)
    node.send(1, bytes(12))
    node.heartbeat()
    node.answers("parking")
    hands.until("document.querySelector('#verdict').dataset.colour === 'red'")
    assert "Auto darüber" in hands.text("#verdict .advice")
    assert "angenommen" in hands.text("#baseline")
    node.heartbeat()
    hands.until("document.querySelector('#baseline').textContent.includes('gelernt')")
    hands.picture("7-red")
    assert hands.chrome.execute_script("return document.querySelector('#sign').disabled")
    hands.type("#note", "Funkgateway kommt nächste Woche")
    hands.until("!document.querySelector('#sign').disabled")
    hands.click("#sign")
    hands.until("document.querySelector('#sent li[data-state=sent]')")
    (record,) = installed(desk)
    assert record.note == "Funkgateway kommt nächste Woche"
    assert record.installed.verdict == "red"


def test_without_reception_nothing_is_lost_and_it_is_sent_later(
    hands: Hands, desk: Desk, network: FakeNetwork, station: Running, photo: Path
) -> None:
    node = Node(network, AIR, lambda: datetime.now(UTC))
    hands.login()
    hands.until("navigator.serviceWorker.controller !== null")
    hands.until("document.body.dataset.ready && navigator.serviceWorker.controller !== null")
    hands.label(AIR)
    station.stop()
    hands.until("document.querySelector('#link').dataset.state === 'offline'")
    hands.position()
    hands.chrome.get(f"{station.url}/install")  # the page was closed, and opens again
    hands.until("document.body.dataset.ready")
    hands.done("place")
    hands.picture("8-offline")
    hands.asset("herten-air-02")
    hands.photo(photo)
    hands.click("#begin")
    for _ in range(3):
        node.send(10, bytes(11))
    hands.until("!document.querySelector('#sign').disabled")
    hands.click("#sign")
    hands.until("document.querySelector('#sent li[data-state=waiting]')")
    hands.picture("9-queued")
    assert installed(desk) == []

    station.start()
    hands.until("document.querySelector('#sent li[data-state=sent]')", 60)
    (record,) = installed(desk)
    assert (record.asset, record.installed.verdict) == ("herten-air-02", "green")
    hands.chrome.get(f"{station.url}/install")
    hands.until("document.body.dataset.ready")
    assert hands.text("#sent") == "", "what was sent is not sent again"
    assert len(installed(desk)) == 1


def test_a_list_stays_under_the_finger(hands: Hands) -> None:
    """The page asks the station every three seconds; what it shows is not made anew for that."""
    hands.login()
    hands.label(AIR)
    hands.position()
    hands.until("document.querySelectorAll('#assets button').length === 2")
    hands.chrome.execute_script("window.first = document.querySelector('#assets button')")
    asked = "performance.getEntriesByName(location.origin + '/api/session?lang=de').length"
    before = hands.chrome.execute_script(f"return {asked}")
    hands.until(f"{asked} > {before + 1}")
    hands.until("window.first.isConnected")


def test_a_phone_that_loses_its_network_says_so_and_goes_on(hands: Hands) -> None:
    hands.login()
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    command = "Network.emulateNetworkConditions"
    hands.chrome.execute_cdp_cmd(command, {**conditions, "offline": True})
    hands.until("document.querySelector('#link').dataset.state === 'offline'")
    hands.label(AIR)
    hands.position()
    hands.chrome.execute_cdp_cmd(command, {**conditions, "offline": False})
    hands.until("document.querySelector('#link').dataset.state === 'online'")


def test_a_network_server_that_does_not_answer_is_said(
    hands: Hands, network: FakeNetwork, photo: Path
) -> None:
    hands.login()
    hands.label(AIR)
    hands.position()
    hands.asset("herten-air-01")
    hands.photo(photo)
    network.down = "ChirpStack does not answer"
    hands.click("#begin")
    hands.until("document.querySelector('[data-step=trial] .problem').textContent")
    assert "Netzwerkserver" in hands.text("[data-step=trial] .problem")
    hands.picture("a-trouble")
    network.down = ""
    eventually(lambda: network.enqueued)
    hands.until("document.querySelector('[data-step=trial] .problem').hidden")


def test_who_is_logged_out_meanwhile_keeps_everything(
    hands: Hands, desk: Desk, station: Running
) -> None:
    hands.login()
    hands.label(AIR)
    hands.position()
    desk.sessions._by_token.clear()
    hands.until("document.querySelector('#link').dataset.state === 'login'")
    assert "Neu anmelden" in hands.text("#link")
    hands.login()
    hands.done("place")
    assert IN_FOURS in hands.text("[data-step=label] .summary")


def test_a_coarse_position_is_not_taken(hands: Hands) -> None:
    hands.login()
    hands.label(AIR)
    place(hands.chrome, hands.station.url, 7.1357, 51.5958, 120.0)
    hands.click("#measure")
    hands.until("document.querySelector('#place-now').textContent.includes('120')")
    assert "freien Himmel" in hands.text("#place-now")
    place(hands.chrome, hands.station.url, 7.1357, 51.5958, 5.0)
    hands.done("place")


def test_the_label_is_scanned_live_or_from_a_photo(
    hands: Hands, chrome: Any, tmp_path: Path
) -> None:
    """Chromium on Linux has no BarcodeDetector: one of ours stands in for it."""
    import segno

    label = identification(AIR, "0" * 16, "air")
    detector = DETECTOR.replace("LABEL", label)
    chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": detector})
    hands.login()
    hands.click("#scan")
    hands.done("label")
    assert IN_FOURS in hands.text("[data-step=label] .summary")
    shot = tmp_path / "label.png"
    segno.make(identification(GLASS, "0" * 16, "waste"), error="m").save(str(shot), scale=8)
    hands.click("[data-change=label]")
    chrome.find_element("id", "label-photo").send_keys(str(shot))
    hands.until(
        "document.querySelector('[data-step=label] .summary').textContent.includes('Abfall')"
    )


def test_hostile_names_stay_text(hands: Hands, desk: Desk) -> None:
    import msgspec

    from revier_inventory import put_asset

    hostile = "<img src=x onerror=document.title='owned'>\"'&amp;"
    asset = inventory_files.read(desk.folder).asset("herten-air-02")
    assert asset is not None
    named = msgspec.structs.replace(asset, name=hostile)
    inventory_files.change(desk.folder, lambda now: put_asset(now, named))
    hands.login()
    hands.label(AIR)
    hands.position()
    hands.asset("herten-air-02")
    assert hostile in hands.text("[data-step=asset] .summary")
    assert hands.chrome.title.startswith("Revier")
    hands.check()


def test_the_workshop_shows_one_card_a_board(
    chrome: Any, desk: Desk, station: Running, hands: Hands
) -> None:
    station.stop()
    desk.maker = bench = Bench()
    station.start()
    hands.login("tina")
    hands.until("document.querySelectorAll('.board').length === 2")
    hands.picture("w1-ready")
    hands.click(".board .make")
    hands.until(
        "document.querySelector('.board[data-state=working] .steps li[data-state=progress]')"
    )
    hands.picture("w2-working")
    bench.go.set()
    hands.until("document.querySelector('.board[data-state=made]')")
    hands.picture("w3-made")
    assert bench.asked[0][3] == "tina"
    assert complaints(chrome) == []


@pytest.mark.parametrize("lang", ["de", "en"])
def test_the_workshop_reads_back_in_the_pages_language(
    desk: Desk, station: Running, hands: Hands, shop: PaperShop, lang: str
) -> None:
    shop.boards["paper1"].faults["bme280"] = "no answer"
    station.stop()
    with shop.bench() as bench:
        desk.maker = WorkshopMaker(bench)
        station.start()
        hands.login("tina", f"?lang={lang}")
        hands.until("document.querySelectorAll('.board').length === 2")
        hands.click(".board .make")
        hands.until("document.querySelector('.board[data-state=made]')")
        hands.click(".board[data-port=paper1] .make")
        hands.until("document.querySelector('.board[data-state=failed]')")
        hands.picture(f"w4-{lang}")
        said = hands.text("#boards")
    german, english = "antwortet nicht. Stecker, Versorgung", "does not answer. Check its plug"
    assert (german in said, english in said) == (lang == "de", lang == "en")
    assert ("Reserve 14,0 dB" in said, "margin 14.0 dB" in said) == (lang == "de", lang == "en")
