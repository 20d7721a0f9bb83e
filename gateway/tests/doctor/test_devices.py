# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from gateway.tests import support
from gateway.tests.support import AIR, APPLICATION, PARKING, START, WASTE

from revier_gateway.chirpstack_errors import ChirpStackError
from revier_gateway.config import ChirpStack as Settings
from revier_gateway.doctor import devices
from revier_gateway.doctor.findings import Checked
from revier_gateway.gaps.event_log import LogItem
from revier_gateway.listed_device import Listed

ASSETS = {AIR: "aq-0007", PARKING: "ps-r12-03", WASTE: "wc-0113"}
ALL = [
    Listed(dev_eui, APPLICATION, {"asset": asset, "ags": support.AGS}, 1_000)
    for dev_eui, asset in ASSETS.items()
]


def named(results: list[Checked]) -> dict[str, str]:
    return {one.check: one.what for one in results if one.state == "wrong"}


def test_all_are_there() -> None:
    (one,) = devices.compare(support.inventory(), ALL, START)
    assert (one.state, one.what) == ("ok", "ChirpStack: all 3 devices that serve are there")


@pytest.mark.parametrize(
    ("found", "check", "word"),
    [
        (ALL[1:], "chirpstack-devices", f"aq-0007 ({AIR})"),
        ([*ALL, Listed("ff" * 8, APPLICATION, {})], "chirpstack-strangers", "ff" * 8),
        ([*ALL[1:], Listed(AIR, "elsewhere", ALL[0].tags)], "chirpstack-owner", "aq-0007"),
        ([*ALL[1:], Listed(AIR, APPLICATION, {"asset": "aq-0007"})], "chirpstack-tags", AIR),
        (
            [*ALL[1:], Listed(AIR, APPLICATION, {**ALL[0].tags, "more": "x"})],
            "chirpstack-tags",
            "more",
        ),
    ],
)
def test_each_difference_is_named_alone(found: list[Listed], check: str, word: str) -> None:
    wrong = named(devices.compare(support.inventory(), found, START))
    assert set(wrong) == {check}
    assert word in wrong[check]


def test_a_device_that_served_once_is_no_stranger_and_is_not_missed() -> None:
    known = support.inventory()
    ended = msgspec.structs.replace(known.periods[0], until=START)
    known = dataclasses.replace(known, periods=(ended, *known.periods[1:]))
    assert named(devices.compare(known, ALL, START)) == {}
    assert named(devices.compare(known, ALL[1:], START)) == {}


def test_many_are_counted() -> None:
    found = [*ALL, *(Listed(f"{n:016x}", APPLICATION, {}) for n in range(9))]
    what = named(devices.compare(support.inventory(), found, START))["chirpstack-strangers"]
    assert what.endswith("and 4 more")


def log(count: int, first_f_cnt: int = 7) -> list[tuple[str, bytes]]:
    return [("up", json.dumps({"fCnt": first_f_cnt + n}).encode()) for n in range(count)]


@pytest.mark.parametrize(
    ("logs", "state"),
    [
        ([log(10), log(10)], "wrong"),
        ([log(10), log(100)], "ok"),
        ([log(300)], "ok"),
        ([log(10, first_f_cnt=0)], "skipped"),
        ([[("join", b"{}"), *log(5)]], "skipped"),
        ([[("up", b"no JSON"), *log(5)]], "skipped"),
        ([[]], "skipped"),
        ([], "skipped"),
    ],
)
def test_a_log_that_was_cut_tells_how_much_is_kept(
    logs: list[list[tuple[str, bytes]]], state: str
) -> None:
    assert devices.history(logs).state == state


class Server:
    def __init__(self, listed: list[Listed], error: str = "") -> None:
        self.listed, self.error, self.is_closed = listed, error, False

    async def devices(self, application_id: str) -> list[Listed]:
        if self.error:
            raise ChirpStackError(self.error)
        return [one for one in self.listed if one.application_id == application_id]

    async def device_tags(self, dev_eui: str) -> dict[str, str]:
        return {"asset": ASSETS[dev_eui], "ags": support.AGS}

    async def last_seen(self, _application_id: str) -> dict[str, int]:
        raise AssertionError

    async def event_log(self, _dev_eui: str, _until_ms: int) -> AsyncIterator[LogItem]:
        for name, body in log(10):
            yield LogItem(0, name, body)

    async def close(self) -> None:
        self.is_closed = True


def examined(server: Any) -> list[Checked]:
    settings = Settings(host="127.0.0.1")
    return asyncio.run(devices.examine(settings, support.inventory(), START, server))


def test_a_chirpstack_that_lists_no_tags_is_asked_for_them() -> None:
    server = Server([Listed(one.dev_eui, APPLICATION, {}, 1_000) for one in ALL])
    results = examined(server)
    assert server.is_closed
    assert named(results) == {"chirpstack-history": "ChirpStack keeps only 10 events of a device"}


def test_no_answer_is_said_with_its_cure() -> None:
    server = Server([], "cannot list the devices: ChirpStack does not answer")
    (one,) = examined(server)
    assert (one.check, one.cure) == ("chirpstack-api", devices.API_CURE)
    assert server.is_closed


def test_a_missing_key_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REVIER_CHIRPSTACK_TOKEN", raising=False)
    (one,) = examined(None)
    assert "REVIER_CHIRPSTACK_TOKEN is not set" in one.what


def test_without_chirpstack_in_the_configuration_it_is_not_seen() -> None:
    (one,) = asyncio.run(devices.examine(None, support.inventory(), START))
    assert one.state == "skipped"
