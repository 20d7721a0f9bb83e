# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The station on a real socket over TLS, and Chromium that trusts its certificate."""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from revier_bench.demo.screenshot import SWITCHES
from revier_provision.station import app as pages
from revier_provision.station import certificates
from revier_provision.station.desk import Desk
from revier_provision.station.server import configuration

PHONE = (390, 844)
WATCH_POLICY = (
    "window.violations = []; document.addEventListener('securitypolicyviolation',"
    " (e) => window.violations.push(e.violatedDirective + ' ' + e.blockedURI))"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """Serves in a thread; can be stopped, as if reception were lost, and started again."""

    def __init__(self, desk: Desk, tls: Path) -> None:
        self.desk = desk
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self._tls = certificates.ensure(tls, ["localhost"], datetime.now(UTC))
        self.start()

    @property
    def spki(self) -> str:
        """What Chromium's switch takes: SHA-256 of the public key, base64."""
        certificate = x509.load_pem_x509_certificates(self._tls[0].read_bytes())[0]
        key = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(hashlib.sha256(key).digest()).decode()

    def start(self) -> None:
        app = pages.build(self.desk, ["localhost"])
        self._server = uvicorn.Server(configuration(app, "127.0.0.1", self.port, *self._tls))
        self._thread = threading.Thread(target=self._server.run, name="station", daemon=True)
        self._thread.start()
        end_s = time.monotonic() + 30
        while not self._server.started:
            assert time.monotonic() < end_s, "the station did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the station did not stop"


@contextmanager
def phone(spki: str, language: str = "de") -> Iterator[Any]:
    """Chromium at a phone's size, which trusts this key and can reach nothing but this machine."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium
    assert driver
    with tempfile.TemporaryDirectory(prefix="revier-browser-") as profile:
        options = ChromeOptions()
        options.binary_location = chromium
        more = (
            f"--user-data-dir={profile}",
            f"--lang={language}",
            f"--ignore-certificate-errors-spki-list={spki}",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
        )
        for switch in (*SWITCHES, *more):
            options.add_argument(switch)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        chrome = Chrome(options=options, service=Service(driver))
        try:
            screen = {"width": PHONE[0], "height": PHONE[1]}
            metrics = {**screen, "deviceScaleFactor": 2, "mobile": True}
            chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            watch = {"source": WATCH_POLICY}
            chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", watch)
            yield chrome
        finally:
            chrome.quit()


def place(chrome: Any, url: str, lon: float, lat: float, accuracy_m: float) -> None:
    """What the phone's GPS says from now on."""
    permissions = {"origin": url, "permissions": ["geolocation"]}
    chrome.execute_cdp_cmd("Browser.grantPermissions", permissions)
    where = {"longitude": lon, "latitude": lat, "accuracy": accuracy_m}
    chrome.execute_cdp_cmd("Emulation.setGeolocationOverride", where)


def until(chrome: Any, script: str, wait_s: float = 40.0) -> Any:
    end_s = time.monotonic() + wait_s
    while time.monotonic() < end_s:
        if found := chrome.execute_script(f"return {script}"):
            return found
        time.sleep(0.05)
    text = chrome.execute_script("return document.body.innerText")
    raise AssertionError(f"never true: {script}\n{text}")
