# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The figures: named as Prometheus asks, each in the operator's table, no counter left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gateway.tests import support
from gateway.tests.watch.test_keeper import Bench
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from revier_gateway import metrics
from revier_gateway.view import View

ROOM = Path(metrics.__file__).parent
PAGE = (Path(__file__).parents[2] / "docs" / "operator.md").read_text("utf-8")
UNITS = ("seconds", "bytes")


@pytest.fixture
def figures(tmp_path: Path) -> dict[str, tuple[str, str, dict[str, float]]]:
    """Name: type, help, and value by its labels' values; of a gateway with every counter."""
    bench = Bench(tmp_path)
    bench.connect()
    bench.minutes(10)
    view = View(
        bench.store, support.inventory(), bench.keeper.standing, bench.keeper.assets.last_ms
    )
    for name in written():
        view.count(name, 3)
    text = generate_latest(metrics.registry(view, bench.keeper)).decode()
    bench.close()
    found = {}
    for family in text_string_to_metric_families(text):
        samples = {"/".join(one.labels.values()): one.value for one in family.samples}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, family.documentation, samples)
    return found


def written() -> list[str]:
    """The counters' names as the code writes them; a name that is made holds an x."""
    names = ["published.readings", "source.held_back", "feed.catch_up_s_left", "outbox.waiting"]
    names.append("quarantine.waiting")
    for path in ROOM.rglob("*.py"):
        for name in re.findall(r'counters\[f?"([^"]+)"\]', path.read_text("utf-8")):
            names.append(re.sub(r"\{.*?\}", "x", name))
    return sorted({name for name in names if not name.startswith("x.")})


def test_names_types_and_helps_are_by_convention(
    figures: dict[str, tuple[str, str, dict[str, float]]],
) -> None:
    own = {name: found for name, found in figures.items() if name.startswith("revier_")}
    assert len(own) > 20
    for name, (kind, text, _) in own.items():
        assert re.fullmatch(r"revier_[a-z][a-z_]*[a-z]", name), name
        assert kind in ("counter", "gauge"), name
        assert (kind == "counter") == name.endswith("_total"), name
        assert text, name
        if "second" in name or "byte" in name:
            assert name.endswith(UNITS), name


def test_every_counter_has_its_metric(
    figures: dict[str, tuple[str, str, dict[str, float]]],
) -> None:
    names = written()
    assert {"gaps.frames.x", "commands.x", "feed.no_subscriber", "quarantine.expired"} <= set(names)
    for name in names:
        if name in metrics.FIGURES:
            assert figures[metrics.FIGURES[name][0]][2] == {"": 3}, name
        elif name in metrics.ALONE:
            assert figures[f"{metrics.ALONE[name][0]}_total"][2] == {"": 3}, name
        else:
            group, _, detail = name.rpartition(".")
            family = figures[f"{metrics.GROUPS[group][0]}_total"]
            assert family[2][detail] == 3, name


def test_no_figure_of_the_moment_is_a_counter(
    figures: dict[str, tuple[str, str, dict[str, float]]],
) -> None:
    for kind, _, samples in figures.values():
        if kind == "counter":
            assert not {"held_back", "catch_up_s_left", "waiting"} & set(samples)


def test_the_operator_s_table_is_whole(
    figures: dict[str, tuple[str, str, dict[str, float]]],
) -> None:
    told = set(re.findall(r"`(revier_\w+)`", PAGE))
    missing = {name for name in figures if name.startswith("revier_")} - told
    assert not missing
    assert told <= set(figures) | {"revier_source_messages_total"}


def test_every_metric_that_a_runbook_names_is_there(
    figures: dict[str, tuple[str, str, dict[str, float]]],
) -> None:
    for path in (Path(__file__).parents[2] / "docs" / "runbooks").glob("*.md"):
        for name in re.findall(r"\brevier_(?!gateway\b)\w+", path.read_text("utf-8")):
            assert any(known.startswith(name) for known in figures), (path.name, name)
