# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Which facts raise what, which take it back, and that people can read it and help themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from revier_gateway.alerts import texts
from revier_gateway.alerts.book import Alert
from revier_gateway.alerts.facts import Facts
from revier_gateway.alerts.rules import RULES

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
NONE: frozenset[str] = frozenset()

# rule: facts with which it is raised; with which it stays, once raised; with which it goes
CASES: dict[str, tuple[Facts, Facts, Facts]] = {
    "source-down": (Facts(source_online=False), Facts(source_online=False), Facts()),
    "source-silent": (Facts(source_silent_s=600), Facts(source_silent_s=900), Facts()),
    "feed-down": (Facts(feed_online=False), Facts(feed_online=False), Facts()),
    "feed-refused": (Facts(feed_refused=1), Facts(feed_refused=1), Facts()),
    "canary-lost": (Facts(canary_lost_s=181), Facts(canary_lost_s=999), Facts()),
    "disk-low": (
        Facts(disk_free_share=0.099),
        Facts(disk_free_share=0.119),
        Facts(disk_free_share=0.12),
    ),
    "disk-full": (
        Facts(disk_free_bytes=200 << 20),
        Facts(disk_free_bytes=500 << 20),
        Facts(disk_free_bytes=512 << 20),
    ),
    "outbox-growing": (
        Facts(outbox_rows=1000, outbox_rows_before=999),
        Facts(outbox_rows=1000, outbox_rows_before=1000),
        Facts(outbox_rows=5000, outbox_rows_before=5001),
    ),
    "quarantine-growing": (Facts(quarantined=10), Facts(quarantined=3), Facts(quarantined=2)),
    "radio-gateway-offline": (
        Facts(radio_gateways_offline={"0016c001f10000aa": 900}),
        Facts(radio_gateways_offline={"0016c001f10000aa": 9000}),
        Facts(),
    ),
    "asset-offline": (
        Facts(assets_offline={"aq-0007": 1900}),
        Facts(assets_offline={"aq-0007": None}),
        Facts(),
    ),
    "battery-low": (
        Facts(battery_v={"aq-0007": 2.94}),
        Facts(battery_v={"aq-0007": 3.04}),
        Facts(battery_v={"aq-0007": 3.06}),
    ),
    "certificate-expiring": (
        Facts(certificate_days={"feed": 20.9}),
        Facts(certificate_days={"feed": 27.9}),
        Facts(certificate_days={"feed": 28.1}),
    ),
    "clock-skew": (
        Facts(clock_ahead_s=-5.1),
        Facts(clock_ahead_s=3.1),
        Facts(clock_ahead_s=2.9),
    ),
    "inventory-wrong": (Facts(inventory_fault="x"), Facts(inventory_fault="y"), Facts()),
}


def test_a_sound_gateway_has_no_symptoms() -> None:
    assert not any(rule.find(Facts(), NONE) for rule in RULES.values())
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_what_raises_it_and_what_takes_it_back(name: str) -> None:
    raising, staying, over = CASES[name]
    rule = RULES[name]
    found = rule.find(raising, NONE)
    assert len(found) == 1
    assert set(rule.find(staying, frozenset(found))) == set(found)
    assert rule.find(over, frozenset(found)) == {}
    others = {other for other in RULES if RULES[other].find(raising, NONE)}
    assert others == {name}


def test_a_store_that_takes_nothing_is_a_full_disk() -> None:
    facts = Facts(store_fault="disk I/O error")
    assert "disk I/O error" in RULES["disk-full"].find(facts, NONE)[""]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_it_is_told_in_words(name: str, language: texts.Language) -> None:
    ((subject, detail),) = RULES[name].find(CASES[name][0], NONE).items()
    (line,) = texts.lines([Alert(name, subject, "raised", 0, 0, detail)], language)
    assert line.startswith(texts.word(RULES[name].severity, language))
    assert f"docs/runbooks/{name}.md" in line
    assert subject in line
    assert "{" not in line
    (over,) = texts.lines([Alert(name, subject, "cleared", 0, 0, detail)], language)
    assert over.startswith(texts.word("over", language))


def test_a_mail_about_a_thousand_assets_is_bounded() -> None:
    alerts = [Alert("asset-offline", f"aq-{n}", "raised", 0, 0, "-") for n in range(1000)]
    told = texts.lines(alerts, "de")
    assert len(told) == texts.LINES_MAX + 1
    assert told[-1] == f"und {1000 - texts.LINES_MAX} weitere"


@pytest.mark.parametrize("name", RULES)
def test_every_alert_has_its_page_with_meaning_check_and_cure(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    assert re.search(rf"^# {name}$", page, re.MULTILINE)
    for heading in ("Means", "Check", "Cure"):
        part = re.search(rf"^## {heading}\n+(.+?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert part is not None, heading
        assert len(part[1].strip()) > 40, heading
    assert re.search(r"^## Check\n(?:(?!^## ).*\n)*?^    \w", page, re.MULTILINE), "has no command"
    rule = RULES[name]
    assert f"Severity: {rule.severity}" in page
    causes = re.search(r"Not raised while its cause is there: (.*?)\.(?: |$)", page, re.MULTILINE)
    named = re.findall(r"\((\S+)\.md\)", causes[1]) if causes else []
    assert tuple(named) == rule.explained_by


def test_there_is_no_page_without_its_alert() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == set(RULES)
    index = (RUNBOOKS / "README.md").read_text("utf-8")
    assert all(f"({name}.md)" in index for name in RULES)
