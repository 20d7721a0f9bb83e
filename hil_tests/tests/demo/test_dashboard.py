# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The terminal's picture: whole at 80x24 and at 120x40, and never a zero for what is missing."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from revier_bench.demo import screenshot
from revier_bench.demo.dashboard import (
    Counters,
    DashboardSnapshot,
    NodeRow,
    RadioGatewayRow,
    Result,
    Screen,
    age_text,
    battery_text,
    render,
    result_table,
)

KINDS = ("air", "parking", "waste")
URL = "http://127.0.0.1:8080/"
NODES = tuple(
    NodeRow(f"Knoten {n:02d}", "Recklinghausen", KINDS[n % 3], True, f"{n} %", n * 60.0, 5, n)
    for n in range(12)
)
RADIOS = (
    RadioGatewayRow("Halde Hoheward, Herten", 1234, True),
    RadioGatewayRow("Fernmeldeturm Haltern", 834, True),
    RadioGatewayRow("Halde Schwerin, Castrop-Rauxel", 0, False),
)
SNAPSHOT = DashboardSnapshot(
    world_time=datetime(2026, 5, 4, 7, 0, 1, tzinfo=UTC),
    phase="history",
    progress=0.43,
    seed="7",
    speed=812.0,
    page_url=URL,
    nodes=NODES,
    radio_gateways=RADIOS,
    counters=Counters(4711, 4800, 10, 4699, 4650, 2),
    messages=[f"message {n:02d}" for n in range(50)],
)
GOOD = Result(4711, 4800, 12, 12, 4699, 4650, 0, 0)


def drawn(snapshot: DashboardSnapshot, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(render(snapshot), end="")
    return capture.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_it_fills_the_terminal_and_no_more(width: int, height: int) -> None:
    lines = drawn(SNAPSHOT, width, height)
    assert len(lines) == height
    assert max(len(line) for line in lines) <= width
    text = "\n".join(lines)
    for node in NODES:
        assert node.name in text
    assert "2026-05-04 07:00:01 UTC" in lines[0]
    assert "43%" in lines[0]
    assert URL in lines[-1]
    assert "message 49" in lines[-2]
    for expected in ("4,711", "4,800", "10/12", "4,699", "4,650", "kills 2", "Halde Schwerin 0"):
        assert expected in text


def test_a_wide_terminal_says_town_and_kind() -> None:
    assert "Recklinghausen" in "\n".join(drawn(SNAPSHOT, 120, 40))
    assert "Recklinghausen" not in "\n".join(drawn(SNAPSHOT, 80, 24))


def test_the_same_snapshot_is_the_same_picture() -> None:
    assert drawn(SNAPSHOT, 80, 24) == drawn(SNAPSHOT, 80, 24)


def test_what_is_missing_is_a_dash() -> None:
    bare = dataclasses.replace(SNAPSHOT, nodes=[NodeRow("Knoten 00", "Marl", "air")])
    row = next(line for line in drawn(bare, 80, 24) if "Knoten 00" in line)
    assert row.split()[-5:] == ["–", "–", "–", "–", "no"]
    assert "0" not in row.replace("Knoten 00", "")


def test_before_anything_is_there() -> None:
    lines = drawn(DashboardSnapshot(SNAPSHOT.world_time, "starting"), 80, 24)
    text = "\n".join(lines)
    assert len(lines) == 24
    for expected in ("starting", "no node yet", "no radio gateway yet", "not yet up"):
        assert expected in text


def test_trouble_is_at_the_top() -> None:
    lines = drawn(dataclasses.replace(SNAPSHOT, trouble="broker is gone"), 80, 24)
    assert "broker is gone" in lines[1]
    assert len(lines) == 24


def test_text_from_outside_is_not_markup() -> None:
    strange = dataclasses.replace(SNAPSHOT, messages=["[red]not red[/red] [/]"])
    assert "[red]not red[/red] [/]" in "\n".join(drawn(strange, 80, 24))


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (80, 18)])
def test_a_small_terminal_is_not_overrun(width: int, height: int) -> None:
    lines = drawn(SNAPSHOT, width, height)
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        *((None, "–"), (-3, "0 s"), (0, "0 s"), (99.9, "99 s"), (100, "1 m"), (5999, "99 m")),
        *((6000, "1 h"), (359_999, "99 h"), (360_000, "4 d")),
    ],
)
def test_age(age_s: float | None, text: str) -> None:
    assert age_text(age_s) == text


@pytest.mark.parametrize(
    ("battery_class", "text"),
    [(None, "–"), (0, "▱▱▱▱▱"), (15, "▰▰▰▰▰"), (99, "▰▰▰▰▰"), (-1, "▱▱▱▱▱"), (7, "▰▰▱▱▱")],
)
def test_battery(battery_class: int | None, text: str) -> None:
    assert battery_text(battery_class) == text


def test_a_pipe_gets_no_picture() -> None:
    out = io.StringIO()
    with Screen(Console(file=out)) as screen:
        screen.show(SNAPSHOT)
    assert out.getvalue() == ""


def test_a_terminal_gets_the_picture_and_itself_back() -> None:
    out = io.StringIO()
    with Screen(Console(file=out, force_terminal=True, width=80, height=24)) as screen:
        screen.show(SNAPSHOT)
    assert "Knoten 11" in out.getvalue()
    end = out.getvalue().rstrip()[-20:]
    assert "\x1b[?25h" in end  # the cursor
    assert "\x1b[?1049l" in end  # the screen as it was


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"missing": 1}, False),
        ({"duplicated": 1}, False),
        ({"nodes_joined": 11}, False),
        ({"feed_messages": 0}, False),
    ],
)
def test_result_holds(change: dict[str, int], holds: bool) -> None:
    assert dataclasses.replace(GOOD, **change).holds is holds


def test_result_table_says_all() -> None:
    console = Console(width=80, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(result_table(dataclasses.replace(GOOD, gateway_kills=3, seed="7")))
    text = capture.get()
    rows = [line.split("  ")[1:] for line in text.splitlines()]
    found = {row[0].strip(): row[-2].strip() for row in rows if len(row) > 2}
    assert found["readings measured"] == "4,711"
    assert found["nodes joined"] == "12 of 12"
    assert found["missing"] == "0"
    assert found["duplicated in effect"] == "0"
    assert found["gateway kills"] == "3"
    assert "seed 7" in text


def test_a_missing_browser_is_said_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screenshot.shutil, "which", lambda _: None)
    assert screenshot.main([URL, "out.png"]) == 2
    assert "apt-get install chromium chromium-driver" in capsys.readouterr().err
