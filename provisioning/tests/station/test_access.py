# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Who gets in, and what nobody gets."""

from __future__ import annotations

from typing import Any

import pytest
from provisioning.tests.station.conftest import (
    AIR,
    HOST,
    PASSWORD,
    URL,
    Browser,
    Clock,
    jpeg,
)
from starlette.routing import Route
from starlette.testclient import TestClient

from revier_provision.station import app as pages
from revier_provision.station.desk import Desk
from revier_provision.station.photos import BYTES_MAX
from revier_provision.station.sessions import SESSION_S, TRIES_MAX, TRIES_S

OPEN = {"/", "/login", "/sw.js", "/manifest.webmanifest", "/authority.pem"}


class FakeMaker:
    def __init__(self) -> None:
        self.made: list[str] = []

    def ports(self) -> dict[str, str]:
        return {"/dev/ttyUSB0": "CP2102"}

    def make(self, port: str, asset: str | None, *, replace: bool, by: str, tell: Any) -> str:
        self.made.append(port)
        return port


def all_routes(desk: Desk) -> list[tuple[str, str]]:
    desk.maker = FakeMaker()
    found = []
    for route in pages.build(desk, [HOST]).routes:
        if isinstance(route, Route):
            path = route.path.replace("{dev_eui}", AIR).replace("{name}", "0" * 64)
            found += [(method, path) for method in route.methods or () if method != "HEAD"]
    return found


def test_without_a_login_there_is_no_data(browser: Browser, desk: Desk) -> None:
    routes = all_routes(desk)
    assert len(routes) >= 15
    client = TestClient(pages.build(desk, [HOST]), base_url=URL, follow_redirects=False)
    for method, path in routes:
        if path in OPEN:
            continue
        answer = client.request(method, path, headers={"origin": URL, "x-revier-csrf": ""})
        if path in ("/install", "/workshop"):
            assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
        else:
            assert answer.status_code == 401, path
        assert "herten" not in answer.text.lower(), path


def test_an_installer_has_no_workshop(browser: Browser, desk: Desk) -> None:
    desk.maker = maker = FakeMaker()
    browser = Browser(desk)
    assert browser.login("ingo").headers["location"] == "/install"
    assert browser.get("/workshop").status_code == 403
    assert browser.get("/api/workshop/events").status_code == 403
    make = {"json": {"port": "/dev/ttyUSB0"}}
    assert browser.post("/api/workshop/make", **make).status_code == 403
    assert maker.made == []


def test_without_boards_there_is_no_workshop_page(browser: Browser) -> None:
    assert browser.login("tina").headers["location"] == "/install"
    assert browser.get("/workshop").status_code == 404


def test_a_wrong_password_and_too_many(browser: Browser, clock: Clock) -> None:
    for _ in range(TRIES_MAX):
        answer = browser.login("ingo", "wrong password")
        assert answer.status_code == 401
        assert "wrong password" not in answer.text
    answer = browser.login("ingo")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 200
    clock.forward(TRIES_S + 1)
    assert browser.login("ingo").status_code == 303


def test_the_cookie_is_for_tls_and_no_script(browser: Browser) -> None:
    cookie = browser.login("ingo").headers["set-cookie"].lower()
    assert cookie.startswith("__host-revier=")
    for part in ("secure", "httponly", "samesite=strict", "path=/"):
        assert part in cookie
    assert "domain" not in cookie


def test_a_session_ends_by_logout_time_removal_and_another_role(
    browser: Browser, desk: Desk, clock: Clock
) -> None:
    browser.login("ingo")
    assert browser.post("/logout").status_code == 200
    assert browser.get("/api/assets").status_code == 401
    browser.login("ingo")
    clock.forward(SESSION_S)
    assert browser.get("/api/assets").status_code == 401
    browser.login("ingo")
    desk.users.remove("ingo")
    assert browser.get("/api/assets").status_code == 401
    browser.login("tina")
    desk.users.add("tina", PASSWORD, "installer")
    assert browser.get("/api/assets").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"x-revier-csrf": ""},
        {"x-revier-csrf": "0" * 64},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"http://{HOST}"},
        {"origin": ""},
    ],
)
def test_a_request_of_another_page_changes_nothing(
    installer: Browser, desk: Desk, headers: dict[str, str]
) -> None:
    answer = installer.post("/api/photos", content=jpeg(), headers=headers)
    assert answer.status_code == 403
    assert not desk.photos.exists()


def test_a_login_from_another_page_is_refused(browser: Browser) -> None:
    assert browser.login("ingo", origin="https://evil.example").status_code == 403
    answer = browser.client.post("/login", data={"user": "ingo", "password": PASSWORD})
    assert answer.status_code == 403


def test_uploads_are_bounded_by_what_they_say_and_by_what_comes(installer: Browser) -> None:
    assert installer.post("/api/photos", content=bytes(BYTES_MAX + 1)).status_code == 413

    def endless() -> Any:
        for _ in range(BYTES_MAX // 65536 + 2):
            yield bytes(65536)

    assert installer.post("/api/photos", content=endless()).status_code == 413
    assert installer.post("/api/label", content=b" " * 20_000).status_code == 413
    login = installer.client.post("/login", content=b"x" * 5000, headers={"origin": URL})
    assert login.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/api/photos/..%2f..%2fassets.toml",
        "/api/photos/../../assets.toml",
        "/api/photos/%2e%2e",
        "/api/trials/..%2f..%2fusers",
        "/static/../texts.py",
        "/static/..%2ftexts.py",
        "/static/%2e%2e/app.py",
    ],
)
def test_no_path_leads_out(installer: Browser, path: str) -> None:
    answer = installer.get(path)
    assert answer.status_code in (404, 409)
    assert "asset" not in answer.text or "Messort" in answer.text


def test_another_host_name_is_refused(browser: Browser) -> None:
    assert browser.get("/login", headers={"host": "evil.example"}).status_code == 400


def test_every_answer_carries_the_policy_and_is_kept_nowhere(installer: Browser) -> None:
    for path in ("/login", "/install", "/api/assets", "/static/install.js", "/nowhere"):
        headers = installer.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] in ("no-store", "no-cache")


def test_the_authoritys_certificate_is_public_and_its_key_is_not(
    browser: Browser, desk: Desk
) -> None:
    assert browser.get("/authority.pem").status_code == 404
    desk.authority_pem = b"-----BEGIN CERTIFICATE-----"
    assert browser.get("/authority.pem").content == desk.authority_pem


@pytest.mark.parametrize("lang", ["de", "en"])
def test_a_page_speaks_the_chosen_language_and_remembers_it(browser: Browser, lang: str) -> None:
    answer = browser.get(f"/login?lang={lang}")
    title = {"de": "Anmelden", "en": "Log in"}[lang]
    assert f'<html lang="{lang}">' in answer.text
    assert title in answer.text
    assert title in browser.get("/login", headers={"accept-language": "fr"}).text
