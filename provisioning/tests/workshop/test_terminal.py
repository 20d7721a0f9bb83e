# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What the screen shows of a board's events."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

from rich.console import Console, RenderableType

from revier_bench.workshop.paper_table import PaperShop
from revier_provision.workshop.make_node import Wanted, make_node
from revier_provision.workshop.step_events import NodeStep, StepEvent
from revier_provision.workshop.terminal import Board, BoardView, Card, card, rows


def drawn(what: RenderableType, width: int = 120) -> list[str]:
    console = Console(file=StringIO(), width=width, highlight=False)
    console.print(what)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def line_of(lines: list[str], text: str) -> str:
    return next(line for line in lines if text in line)


def test_a_card_shows_state_steps_readback_and_cure() -> None:
    view = BoardView("ttyUSB0", clock=lambda: 7.0)
    view.hear(StepEvent(NodeStep.FIND, "begun"))
    view.hear(StepEvent(NodeStep.FIND, "done", "ESP32-S3", 0.4))
    view.hear(StepEvent(NodeStep.RUNTIME, "begun"))
    view.hear(StepEvent(NodeStep.RUNTIME, "progress", "v1.29", 3.0, 0.5))
    lines = drawn(card(view))
    assert "ttyUSB0" in lines[0]
    assert any("WORKING" in line for line in lines)
    assert "0.4 s ESP32-S3" in line_of(lines, "find the board")
    assert "████████░░░░░░░░  50% v1.29" in line_of(lines, "flash MicroPython")
    view.hear(StepEvent(NodeStep.RUNTIME, "failed", "The port went away", 4.0, cure="Plug it in"))
    view.end("The port went away", ok=False, cure="Plug it in")
    lines = drawn(card(view))
    assert any("STOPPED" in line for line in lines)
    assert "✘" in line_of(lines, "flash MicroPython")
    assert any("Next: Plug it in." in line for line in lines)
    assert "make the label" in line_of(lines, "make the label"), "what is still to come is shown"


def test_many_boards_are_one_line_each() -> None:
    views = [BoardView(f"tty{i}", clock=lambda: 0.0) for i in range(3)]
    views[0].end("RSSI -60 dBm", ok=True)
    views[1].end("BME280 does not answer", ok=False)
    views[2].hear(StepEvent(NodeStep.FIND, "done"))
    views[2].hear(StepEvent(NodeStep.RUNTIME, "progress", "", 1.0, 0.25))
    lines = drawn(rows(views))
    assert "READY" in line_of(lines, "tty0")
    assert "STOPPED" in line_of(lines, "tty1")
    assert "2/9 flash MicroPython" in line_of(lines, "tty2")
    assert lines[-1] == "1 of 3 nodes stand, 1 stopped"


def test_state_and_asset_are_never_cut_short() -> None:
    port = "/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_0001-if00-port0"
    views = [BoardView(port, name="herten-zeche-ewald-p1"), BoardView("/dev/ttyUSB1")]
    views[0].hear(StepEvent(NodeStep.PROOF, "begun"))
    views[1].end("no board", ok=False)
    out = StringIO()
    Console(file=out, width=80).print(rows(views, "de"))
    said = out.getvalue()
    for text in (" ARBEITET ", " ANGEHALTEN ", "herten-zeche-ewald-p1", "…0001-if00-port0"):
        assert text in said, said


def test_a_real_run_leaves_every_step_ended(make_shop: Callable[..., PaperShop]) -> None:
    shown = Card(Console(file=StringIO()), "paper0")
    shop = make_shop()
    with shop.bench() as bench, shown.shown():
        make_node(bench, Wanted(port="paper0"), shown.hear)
    assert {step: event.state for step, event in shown.view.last.items()} == dict.fromkeys(
        NodeStep, "done"
    )


def test_without_a_screen_each_ended_step_is_a_line() -> None:
    out = StringIO()
    shown = Card(Console(file=out, width=200), "ttyUSB0")
    with shown.shown(), shown.paused():
        shown.hear(StepEvent(NodeStep.FIND, "begun"))
        shown.hear(StepEvent(NodeStep.FIND, "done", "ESP32 [S3]", 1.0))
    assert out.getvalue() == "✔ find the board: ESP32 [S3] (1.0 s)\n"
    out = StringIO()
    board = Board(Console(file=out, width=200), ["a", "b"])
    with board.shown():
        board.hear("a", StepEvent(NodeStep.FIND, "failed", "gone"))
        board.end("a", "gone", ok=False)
        board.end("b", "made", ok=True)
    assert out.getvalue() == "a: ✘ find the board: gone\na: ✘ gone\nb: ✔ made\n"


def test_a_question_stops_the_moving_picture() -> None:
    shown = Card(Console(file=StringIO(), force_terminal=True, width=100), "ttyUSB0")
    with shown.shown():
        live = shown._live
        assert live is not None
        assert live.is_started
        with shown.paused():
            assert not live.is_started
        again = shown._live
        assert again is not None
        assert again is not live, "it is drawn below the question, not over it"
        assert again.is_started
    assert shown._live is None
