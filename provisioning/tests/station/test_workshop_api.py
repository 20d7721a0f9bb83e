# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One card a board, each with its steps; work goes on whoever looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from provisioning.tests.station.conftest import Browser, eventually

from revier_provision.errors import BoardError
from revier_provision.station.desk import Desk
from revier_provision.station.refused import RefusedError
from revier_provision.station.workshop_api import Card, Cards, Make

A, B = "/dev/ttyUSB0", "/dev/ttyUSB1"


class Event(NamedTuple):
    step: str
    state: str
    readback: str = ""
    seconds: float = 0.0
    fraction: float | None = None
    cure: str = ""


class Bench:
    """A maker whose boards do what the test says."""

    def __init__(self) -> None:
        self.plugged = {A: "CP2102", B: "CH340"}
        self.go = threading.Event()
        self.asked: list[tuple[str, str | None, bool, str]] = []
        self.error: Exception | None = None

    def ports(self) -> dict[str, str]:
        return self.plugged

    def make(
        self, port: str, asset: str | None, *, replace: bool, by: str, tell: Callable[[Any], None]
    ) -> str:
        self.asked.append((port, asset, replace, by))
        tell(Event("find the board", "begun"))
        tell(Event("find the board", "done", "ESP32", 0.4))
        tell(Event("write identity and key", "begun"))
        tell(Event("write identity and key", "progress", "half", 0.5, 0.5))
        assert self.go.wait(20)
        if self.error is not None:
            raise self.error
        tell(Event("write identity and key", "done", "proved", 1.25))
        return f"{port} serves {asset}"


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def cards(bench: Bench) -> Cards:
    made = Cards(bench)
    made.look()
    return made


def card(cards: Cards, port: str) -> Card:
    return next(one for one in cards.all() if one.port == port)


def test_a_board_becomes_a_node_step_by_step(bench: Bench, cards: Cards) -> None:
    assert [(one.port, one.state) for one in cards.all()] == [(A, "ready"), (B, "ready")]
    cards.start(Make(port=A, asset="herten-air-01"), "tina")
    eventually(lambda: len(card(cards, A).steps) == 2 and card(cards, A).steps[1].fraction == 0.5)
    with pytest.raises(RefusedError, match="worked on"):
        cards.start(Make(port=A), "tina")
    assert card(cards, B).state == "ready"
    bench.go.set()
    eventually(lambda: card(cards, A).state == "made")
    told = [(step.step, step.state) for step in card(cards, A).steps]
    assert told == [("find the board", "done"), ("write identity and key", "done")]
    assert card(cards, A).said == f"{A} serves herten-air-01"
    assert bench.asked == [(A, "herten-air-01", False, "tina")]


def test_a_failure_says_problem_and_cure_and_can_be_repeated(bench: Bench, cards: Cards) -> None:
    bench.error = BoardError("The cable was pulled", "Plug it in")
    bench.go.set()
    cards.start(Make(port=A), "tina")
    eventually(lambda: card(cards, A).state == "failed")
    assert (card(cards, A).said, card(cards, A).cure) == ("The cable was pulled", "Plug it in")
    bench.error = None
    cards.start(Make(port=A), "tina")
    eventually(lambda: card(cards, A).state == "made")


def test_boards_come_and_go(bench: Bench, cards: Cards) -> None:
    bench.go.set()
    cards.start(Make(port=A), "tina")
    eventually(lambda: card(cards, A).state == "made")
    bench.plugged = {}
    cards.look()
    assert [(one.port, one.state) for one in cards.all()] == [(A, "gone")]
    with pytest.raises(RefusedError, match="plugged"):
        cards.start(Make(port=A), "tina")
    bench.plugged = {A: "CH340"}
    cards.look()
    assert card(cards, A) == Card(port=A, what="CH340", state="ready")


def test_the_page_and_its_command(browser: Browser, desk: Desk, bench: Bench) -> None:
    desk.maker = bench
    technician = Browser(desk)
    assert technician.login("tina").headers["location"] == "/workshop"
    assert "Werkstatt" in technician.get("/workshop?lang=de").text
    answer = technician.post("/api/workshop/make", json={"port": A})
    assert (answer.status_code, answer.json()["key"]) == (409, "no_port")
