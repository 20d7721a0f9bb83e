# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What people do on the station's pages in Chromium, and what must hold of every picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from provisioning.tests.station.running import PHONE, Running, place, until

PICTURES = os.environ.get("REVIER_STATION_PICTURES")  # a folder: pictures for people
TALL_ENOUGH_PX = 48
# Every control that can be hit, smaller than a glove
SMALL = f"""(() => {{
  const typed = 'input:not([type=file], [type=checkbox])';
  const hit = `button, a, summary, select, .file, label.check, ${{typed}}`;
  const isSmall = (box) => box.height < {TALL_ENOUGH_PX} || box.width < {TALL_ENOUGH_PX};
  return [...document.querySelectorAll(hit)]
    .filter((e) => e.offsetParent && isSmall(e.getBoundingClientRect()))
    .map((e) => e.outerHTML.slice(0, 80));
}})()"""
# WCAG contrast of every text with its background
FAINT = """(() => {
  const channel = (c) => (c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const bright = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent) continue;
    const pair = [bright(rgb(getComputedStyle(e).color)), bright(ground(e))];
    const [a, b] = pair.sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(1)} ${e.textContent.trim().slice(0, 40)}`);
  }
  return found;
})()"""


class Hands:
    """What an installer does on the page."""

    def __init__(self, chrome: Any, station: Running, password: str) -> None:
        self.chrome, self.station, self.password = chrome, station, password

    def login(self, user: str = "ingo", query: str = "") -> None:
        self.chrome.get(f"{self.station.url}/login{query}")
        for name, text in (("user", user), ("password", self.password)):
            self.chrome.find_element("name", name).send_keys(text)
        self.picture("login")
        self.click("form button")
        until(self.chrome, "document.body.dataset.ready")

    def click(self, selector: str) -> None:
        self.chrome.execute_script("document.querySelector(arguments[0]).click()", selector)

    def type(self, selector: str, text: str) -> None:
        element = self.chrome.find_element("css selector", selector)
        element.clear()
        element.send_keys(text)

    def text(self, selector: str) -> str:
        return str(
            self.chrome.execute_script(
                "return document.querySelector(arguments[0]).innerText", selector
            )
        )

    def until(self, script: str, wait_s: float = 40.0) -> None:
        until(self.chrome, script, wait_s)

    def done(self, step: str) -> None:
        self.until(f"document.querySelector('[data-step={step}]').matches('.is-done')")

    def label(self, dev_eui: str) -> None:
        self.type("#eui", dev_eui)
        self.click("#eui-take")
        self.done("label")

    def position(self, accuracy_m: float = 6.0) -> None:
        place(self.chrome, self.station.url, 7.1357, 51.5958, accuracy_m)
        self.click("#measure")
        self.done("place")

    def asset(self, name: str) -> None:
        self.until(f"document.querySelector('[data-asset={name}]')")
        self.click(f"[data-asset={name}]")
        self.done("asset")

    def photo(self, path: Path) -> None:
        self.chrome.find_element("id", "photo").send_keys(str(path))
        self.done("photo")

    def check(self) -> None:
        """Fits the screen, can be hit with gloves, read in the sun, and breaks no policy."""
        assert self.chrome.execute_script(f"return {SMALL}") == []
        assert self.chrome.execute_script(f"return {FAINT}") == []
        assert self.chrome.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
        assert self.chrome.execute_script("return window.violations") == []

    def picture(self, name: str) -> None:
        self.check()
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            height = self.chrome.execute_script("return document.documentElement.scrollHeight")
            metrics = {"width": PHONE[0], "deviceScaleFactor": 1, "mobile": True}
            command = "Emulation.setDeviceMetricsOverride"
            self.chrome.execute_cdp_cmd(command, {**metrics, "height": max(height, PHONE[1])})
            self.chrome.save_screenshot(f"{PICTURES}/{name}.png")
            self.chrome.execute_cdp_cmd(command, {**metrics, "height": PHONE[1]})
