# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A picture of the running page: `python -m revier_bench.demo.screenshot URL OUT.png`.

Needs Chromium and ChromeDriver (apt-get install chromium chromium-driver). The browser starts with
an empty profile and can reach nothing but this machine.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

INSTALL = "apt-get install chromium chromium-driver"
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
READY_S = 20.0
SETTLE_S = 1.5
READY = (
    "return document.querySelectorAll('.marker[data-asset]').length"
    " >= document.querySelectorAll('.node[data-asset]').length"
    " && document.querySelector('[data-link=page]')?.dataset.state === 'online'"
    " && document.querySelector('#chart svg, #chart .empty') !== null"
)


def browser_missing() -> str | None:
    """The line that installs what is missing, or None."""
    found = shutil.which("chromium") and shutil.which("chromedriver")
    return None if found else INSTALL


@contextmanager
def browser(
    width_px: int = 1440,
    height_px: int = 1000,
    *,
    dark: bool = False,
    language: str = "de",
    scale: float = 1.0,
) -> Iterator[Chrome]:
    """A headless Chromium with an empty profile that writes down every request it makes."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        raise RuntimeError(f"no Chromium here: {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="revier-browser-") as profile:
        options = ChromeOptions()
        options.binary_location = chromium
        for switch in (*SWITCHES, f"--user-data-dir={profile}", f"--lang={language}"):
            options.add_argument(switch)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        chrome = Chrome(options=options, service=Service(driver))
        try:
            screen = {"width": width_px, "height": height_px}
            metrics = {**screen, "deviceScaleFactor": scale, "mobile": False}
            chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
            yield chrome
        finally:
            chrome.quit()


def wait_until_ready(chrome: Chrome, timeout_s: float = READY_S) -> None:
    """All nodes on the map, the stream open, the chart drawn."""
    from selenium.webdriver.support.ui import WebDriverWait

    waiting = WebDriverWait(chrome, timeout_s, poll_frequency=0.1)
    waiting.until(lambda page: page.execute_script(READY))


def take(chrome: Chrome, url: str, out: Path, *, whole_page: bool = False) -> Path:
    chrome.get(url)
    wait_until_ready(chrome)
    time.sleep(SETTLE_S)
    if whole_page:
        size = chrome.execute_script(
            "return [innerWidth, document.documentElement.scrollHeight, devicePixelRatio]"
        )
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": size[2]}
        command = "Emulation.setDeviceMetricsOverride"
        chrome.execute_cdp_cmd(command, {**metrics, "mobile": False})
        time.sleep(SETTLE_S)
    out.parent.mkdir(parents=True, exist_ok=True)
    if not chrome.save_screenshot(str(out)):
        raise OSError(f"cannot write {out}")
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m revier_bench.demo.screenshot")
    parser.add_argument("url", help="the page's address, as the demo prints it")
    parser.add_argument("out", type=Path, help="the PNG file to write")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=1000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--language", choices=("de", "en"), default="de")
    parser.add_argument("--whole-page", action="store_true")
    chosen = parser.parse_args(arguments)
    if missing := browser_missing():
        sys.stderr.write(f"Chromium or ChromeDriver is missing. Install them: {missing}\n")
        return 2
    from selenium.common.exceptions import WebDriverException

    size, look = (chosen.width, chosen.height), {"dark": chosen.dark, "language": chosen.language}
    try:
        with browser(*size, **look, scale=chosen.scale) as chrome:
            out = take(chrome, chosen.url, chosen.out, whole_page=chosen.whole_page)
    except WebDriverException as error:
        why = (error.msg or "it did not become ready").splitlines()[0]
        sys.stderr.write(f"No picture of {chosen.url}: {why}. Is the demo running?\n")
        return 1
    sys.stdout.write(f"{out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
