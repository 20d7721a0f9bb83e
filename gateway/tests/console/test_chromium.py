# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The page in a real browser, which can reach nothing but this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from gateway.tests.console.conftest import Running
from gateway.tests.console.fake_view import FakeView, view_of_twelve

from revier_bench.demo.screenshot import browser, browser_missing, wait_until_ready

INSTALL = browser_missing()
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(INSTALL is not None, reason=f"install it: {INSTALL}"),
]
Start = Callable[..., Running]
HOSTILE = "<img src=x onerror=document.title='owned'>\"'&amp;"
WAIT_S = 8.0
WATCH_POLICY = (
    "window.violations = []; document.addEventListener('securitypolicyviolation',"
    " (e) => window.violations.push(e.violatedDirective + ' ' + e.blockedURI))"
)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with browser(language="de") as one:
        watch = {"source": WATCH_POLICY}
        one.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", watch)
        yield one


@pytest.fixture
def fresh() -> FakeView:
    return view_of_twelve(datetime.now(UTC), hours=6)


def look(chrome: Any, page: Running, query: str = "") -> None:
    chrome.get_log("performance")
    chrome.get_log("browser")
    chrome.get(page.url + query)
    wait_until_ready(chrome)


def until(chrome: Any, script: str, wait_s: float = WAIT_S) -> Any:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if found := chrome.execute_script(f"return {script}"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"never true: {script}")


def requests(chrome: Any) -> list[str]:
    entries = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    sent = [one for one in entries if one["method"] == "Network.requestWillBeSent"]
    return [one["params"]["request"]["url"] for one in sent]


def assert_clean(chrome: Any, page: Running) -> None:
    """No error, no violation of the policy, no request to another host."""
    assert chrome.execute_script("return window.violations") == []
    assert [entry["message"] for entry in chrome.get_log("browser")] == []
    asked = requests(chrome)
    assert any(url.endswith("/static/console.js") for url in asked)
    assert [url for url in asked if not url.startswith(page.url)] == []


@pytest.mark.parametrize("query", ["?lang=de", "?lang=en"])
def test_it_renders_without_a_complaint(
    chrome: Any, start_page: Start, fresh: FakeView, query: str
) -> None:
    page = start_page(fresh)
    look(chrome, page, query)
    count = "document.querySelectorAll('{}').length"
    assert chrome.execute_script("return " + count.format(".marker[data-asset]")) == 12
    assert chrome.execute_script("return " + count.format(".marker.is-radio")) == 3
    until(chrome, count.format("path.town") + " === 10")
    until(chrome, count.format("#chart path.series") + " === 4")
    shapes = "new Set([...document.querySelectorAll('.marker use')].map(u => u.href.baseVal)).size"
    assert chrome.execute_script("return " + shapes) == 4
    assert_clean(chrome, page)


def test_a_new_message_shows_at_once(chrome: Any, start_page: Start, fresh: FakeView) -> None:
    page = start_page(fresh)
    look(chrome, page)
    page.publish("haltern-markt", {"fill": {"v": 0.93, "u": "1", "q": 1}})
    marker = "document.querySelector('.marker[data-asset=haltern-markt]')"
    until(chrome, f"{marker}.textContent === '93'", wait_s=3)
    item = "document.querySelector('.node[data-asset=haltern-markt] {}').textContent"
    assert chrome.execute_script("return " + item.format(".value")) == "93"
    assert chrome.execute_script("return " + item.format("time")) == "gerade eben"
    first = "document.querySelector('#messages li').textContent"
    assert "Füllstand 93 %" in chrome.execute_script(f"return {first}")
    assert_clean(chrome, page)


def test_a_missing_value_is_a_dash(chrome: Any, start_page: Start, fresh: FakeView) -> None:
    page = start_page(fresh)
    look(chrome, page)
    page.publish("gladbeck-wbp", {"pm25": {"v": None, "u": "ug/m3", "q": 9}})
    marker = "document.querySelector('.marker[data-asset=gladbeck-wbp]')"
    until(chrome, f"{marker}.textContent === '–' && {marker}.matches('.is-unknown')")
    page.publish("gladbeck-wbp", {"pm25": {"v": 0, "u": "ug/m3", "q": 1}})
    until(chrome, f"{marker}.textContent === '0' && {marker}.matches('.is-measured')")


def test_hostile_text_stays_text(chrome: Any, start_page: Start, fresh: FakeView) -> None:
    fresh.items[0].name = HOSTILE
    fresh.radios[0].name = HOSTILE
    page = start_page(fresh)
    look(chrome, page)
    page.publish(fresh.items[0].asset, {HOSTILE: {"v": 3, "u": "<b>", "q": 1}})
    until(chrome, "document.querySelector('#messages li').textContent.includes('<b>')")
    chrome.execute_script("document.querySelector('.node-pick').click()")
    until(chrome, "document.querySelector('#chart-title').textContent.startsWith('<img')")
    assert chrome.execute_script("return document.querySelectorAll('img').length") == 0
    assert chrome.title.startswith("Revier")
    assert_clean(chrome, page)


def test_choosing_a_node_shows_its_history(chrome: Any, start_page: Start, fresh: FakeView) -> None:
    page = start_page(fresh)
    look(chrome, page)
    chrome.execute_script("document.querySelector('.marker[data-asset=herten-rathaus-p1]').click()")
    until(chrome, "document.querySelector('#chart').dataset.kind === 'parking'")
    until(chrome, "document.querySelector('#chart').textContent.includes('belegt')")
    pressed = "document.querySelectorAll('.node-pick[aria-pressed=true]').length"
    assert chrome.execute_script(f"return {pressed}") == 1
    chrome.execute_script("document.querySelector('#show-all').click()")
    until(chrome, "document.querySelectorAll('#chart path.series').length === 4")


def test_the_map_works_by_keyboard(chrome: Any, start_page: Start, fresh: FakeView) -> None:
    from selenium.webdriver.common.keys import Keys

    page = start_page(fresh)
    look(chrome, page)
    chrome.execute_script("document.querySelector('.marker[data-asset=haltern-markt]').focus()")
    focused = chrome.switch_to.active_element
    assert "Papiercontainer" in focused.get_attribute("aria-label")
    focused.send_keys(Keys.ENTER)
    until(chrome, "document.querySelector('#chart').dataset.kind === 'waste'")


def test_an_outage_is_said_and_ends_by_itself(
    chrome: Any, start_page: Start, fresh: FakeView
) -> None:
    page = start_page(fresh)
    look(chrome, page)
    page.stop()
    lost = "document.querySelector('#lost').textContent"
    until(chrome, f"{lost}.includes('Verbindung unterbrochen')")
    assert chrome.execute_script("return document.querySelector('[data-link=page]').dataset.state")
    again = start_page(fresh, page.port)
    until(chrome, f"{lost} === ''", wait_s=15)
    again.publish("haltern-markt", {"fill": {"v": 0.07, "u": "1", "q": 1}})
    until(chrome, "document.querySelector('.marker[data-asset=haltern-markt]').textContent === '7'")


def test_an_empty_inventory_fills_while_one_looks(chrome: Any, start_page: Start) -> None:
    full = view_of_twelve(datetime.now(UTC), hours=1)
    page = start_page(FakeView())
    look(chrome, page)
    assert chrome.execute_script("return document.querySelector('#chart').textContent") != ""
    page.view.items.append(full.items[0])
    until(chrome, "document.querySelectorAll('.marker[data-asset]').length === 1")
    until(chrome, "document.querySelector('[data-group=air]').hidden === false")
    assert chrome.execute_script("return document.querySelector('[data-empty-for=nodes]').hidden")
    assert_clean(chrome, page)


def test_it_fits_a_phone(chrome: Any, start_page: Start, fresh: FakeView) -> None:
    page = start_page(fresh)
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    look(chrome, page)
    width = chrome.execute_script("return document.documentElement.scrollWidth")
    assert width <= 360
