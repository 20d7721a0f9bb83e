# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The page as the server gives it: headers, languages, escaping, empty and missing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from gateway.tests.console.conftest import PageClient, client_of
from gateway.tests.console.fake_view import START, FakeAsset, FakeRadioGateway, FakeView

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}"
PATHS = ("/", "/api/state", "/static/console.js", "/static/nothing", "/nothing")


class Reader(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_policy(client: PageClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "data:" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example"])
def test_a_foreign_host_name_is_refused(client: PageClient, host: str) -> None:
    assert client.get("/api/state", headers={"host": host}).status_code == 400


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(client: PageClient) -> None:
    page = Reader(client.get("/").text)
    assert page.inline == []
    for tag, attributes in page.elements:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("src", "href"):
            target = attributes.get(name) or ""
            assert target == "" or target[0] in "/#?", (tag, target)
            assert not target.startswith("//"), (tag, target)


def test_what_the_page_names_is_there(client: PageClient) -> None:
    page = Reader(client.get("/").text)
    named = [a.get("src") or a.get("href") or "" for _, a in page.elements]
    files = [name for name in named if name.startswith("/static/")]
    assert len(files) >= 5
    for name in [*files, "/static/chart.js", "/static/map.js", "/static/district.geojson"]:
        assert client.get(name).status_code == 200, name


@pytest.mark.parametrize("module", ["console.js", "chart.js", "map.js"])
def test_our_modules_write_text_not_markup(client: PageClient, module: str) -> None:
    text = client.get(f"/static/{module}").text
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_hostile_names_stay_text(view: FakeView) -> None:
    view.items[0].name = HOSTILE
    view.items[1].asset = HOSTILE
    view.radios[0].name = HOSTILE
    view.items[2].status = HOSTILE
    view.publish(view.items[0].asset, START, {HOSTILE: {"v": 1.5, "u": HOSTILE, "q": 1}})
    client = client_of(view)
    page = Reader(client.get("/").text)
    assert page.inline == []
    assert all(not name.startswith("on") for _, a in page.elements for name in a)
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert "{{7*7}}" in client.get("/").text
    assert client.get("/api/state").json()["nodes"][0]["name"] == HOSTILE


@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [
        ("", "", "de"),
        ("", "en-GB,en;q=0.9,de;q=0.1", "en"),
        ("", "en;q=0.3, de-AT;q=0.8", "de"),
        ("", "fr,en;q=0.5", "en"),
        ("", "en;q=0", "de"),
        ("", "en;q=x", "de"),
        ("", "," * 100_000 + "en", "de"),
        ("?lang=en", "de", "en"),
        ("?lang=de", "en", "de"),
        ("?lang=<script>", "en", "en"),
    ],
)
def test_language(client: PageClient, query: str, accept: str, language: str) -> None:
    answer = client.get(f"/{query}", headers={"accept-language": accept})
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert ("Funkgateways" in answer.text) == (language == "de")


def test_numbers_are_written_as_the_language_does(view: FakeView) -> None:
    view.publish("re-rathausplatz", START, {"pm25": {"v": 1234.56, "u": "ug/m3", "q": 1}})
    client = client_of(view)
    for language, text in (("de", "1.234,6"), ("en", "1,234.6")):
        nodes = client.get(f"/api/state?lang={language}").json()["nodes"]
        assert nodes[0]["headline"]["text"] == text
        assert nodes[0]["headline"]["unit"] == "µg/m³"


def test_empty_view() -> None:
    answer = client_of(FakeView()).get("/?lang=en")
    assert answer.status_code == 200
    assert "No node in the inventory yet" in answer.text
    assert "No message yet" in answer.text
    assert answer.text.count("unknown") >= 2  # nobody said how source and feed are


def test_a_node_without_reading_or_position() -> None:
    view = FakeView()
    view.items = [FakeAsset("a-1", "99999999", "noise", "", None, None)]
    view.radios = [FakeRadioGateway("0252455600ff0001", "", None, None)]
    node = client_of(view).get("/api/state").json()["nodes"][0]
    assert node["status"] == "unknown"
    assert (node["mark"], node["headline"], node["lon"]) == ("–", None, None)
    assert (node["town"], node["kind"], node["name"]) == ("99999999", "other", "a-1")


def test_state_and_history(client: PageClient) -> None:
    state = client.get("/api/state?lang=en").json()
    assert state["now"] == "2026-05-04T07:00:00.000Z"
    assert [node["kind"] for node in state["nodes"]].count("waste") == 4
    assert {node["town"] for node in state["nodes"]} >= {"Marl", "Haltern am See", "Waltrop"}
    assert state["links"]["source"] == {"state": "online", "text": "connected"}
    figures = {one["key"]: one["text"] for one in state["figures"]}
    assert figures["nodes_online"] == "12/12"
    assert figures["quarantined"] == "2"  # now; not what ever came there
    assert len(state["messages"]) == 50
    assert state["messages"][0]["rx"] > state["messages"][-1]["t"]


def test_history(view: FakeView) -> None:
    view.publish("haltern-markt", START, {"fill": {"v": None, "u": "1", "q": 9}})
    client = client_of(view)
    history = client.get("/api/history/haltern-markt?lang=en").json()
    assert (history["key"], history["unit"]) == ("fill", "%")
    assert [one["key"] for one in history["offered"]] == ["fill", "temp"]
    *before, (last_t, last) = history["points"]
    assert last is None
    assert last_t == "2026-05-04T07:00:00.000Z"
    assert len(before) >= 5
    assert all(0 <= value <= 100 for _, value in before)
    assert client.get("/api/history/haltern-markt?key=temp").json()["unit"] == "°C"
    assert client.get("/api/history/haltern-markt?key=<b>").json()["key"] == "fill"
    assert client.get("/api/history/nobody").status_code == 404


def test_history_before_the_first_reading() -> None:
    view = FakeView()
    view.items = [FakeAsset("a-1", "05562024", "waste", "A", 7.1, 51.6)]
    history = client_of(view).get("/api/history/a-1").json()
    assert (history["key"], history["points"], history["offered"]) == ("", [], [])


def test_only_reading_is_possible(client: PageClient) -> None:
    for path in ("/", "/api/state", "/events"):
        assert client.post(path).status_code == 405


def test_no_way_out_of_the_static_files(client: PageClient) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/leaflet/..%2f__init__.py"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("status", "cause", "language", "text"),
    [
        ("unknown", "source_down", "de", "unbekannt: Quelle getrennt"),
        ("unknown", "radio_gateway_offline:0016c0", "en", "unknown: radio gateway 0016c0 silent"),
        ("unknown", "something_new", "en", "unknown"),
        ("offline", "never_heard", "en", "never heard"),
        ("offline", "", "de", "ausgefallen"),
    ],
)
def test_an_unknown_node_says_why(
    view: FakeView, status: str, cause: str, language: str, text: str
) -> None:
    view.items[0].status, view.items[0].cause = status, cause
    state = client_of(view).get(f"/api/state?lang={language}").json()
    assert state["nodes"][0]["status_text"] == text
