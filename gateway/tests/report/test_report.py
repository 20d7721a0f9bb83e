# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The monthly report: figures by hand, text that fits, files by command."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import zlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway.tests import support
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from revier_gateway.alerts.book import Incident
from revier_gateway.alerts.rules import RULES
from revier_gateway.alerts.texts import LANGUAGES, Language
from revier_gateway.cli import app
from revier_gateway.report import table
from revier_gateway.report.figures import (
    AssetMonth,
    DayRow,
    Month,
    asset_month,
    days_in,
    month_of,
)
from revier_gateway.report.pdf import (
    STRIP_MIN_MM,
    STRIP_MM,
    WIDTH_MM,
    _Paper,
    _strip,
    pdf,
    shown,
)
from revier_gateway.report.words import ReportWords
from revier_gateway.store import Store
from revier_gateway.watch import rows
from revier_gateway.watch.rows import Day
from revier_gateway.work import Work
from revier_inventory import Asset

MAY = date(2026, 5, 1)
DAY_S = 86_400.0
MADE = datetime(2026, 6, 1, 6, tzinfo=UTC)
AIR = Asset(asset="aq-1", kind="air", ags=support.AGS, name="Rathaus", lon=7.2, lat=51.6)


def row(day: int, seq: int | None, readings: int = 288, **changes: object) -> DayRow:
    """day: of May; 0 is the last of April."""
    fields: dict[str, object] = {
        "dev_eui": "a" * 16,
        "online_s": DAY_S,
        "deaf_s": 0.0,
        "watched_s": DAY_S,
        "battery_v": 3.2,
        **changes,
    }
    at = MAY + timedelta(days=day - 1)
    return DayRow(day=at, readings=readings, seq_newest=seq, **fields)  # type: ignore[arg-type]


def pages_of(data: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", data))


def test_every_alert_is_told_as_an_incident_with_the_asset_s_name() -> None:
    for language in LANGUAGES:
        words = ReportWords(language)
        for rule in RULES:
            for subject, name in (("", ""), ("aq-1", "Rathaus")):
                assert "{" not in words.incident(rule, subject, name)
        assert "Rathaus (aq-1)" in words.incident("asset-offline", "aq-1", "Rathaus")
    assert "hörte nichts" in ReportWords("de").incident("radio-gateway-offline", "00aa", "")


def test_notes_that_fit_begin_no_page() -> None:
    """They need 16 mm; a page of their own is for the reader a report that was cut off."""
    days = tuple([1.0] * 31)
    one = AssetMonth(AIR, 1.0, 1.0, 1, 0, 0.0, None, days)
    counts = []
    for assets in range(1, 40):
        month = Month(support.AGS, "Stadt", MAY, tuple([one] * assets), ())
        counts.append(pages_of(pdf(month, ReportWords("de"), "test", 2.95, MADE)))
    assert counts.count(1) >= 17
    assert counts == sorted(counts)


def test_a_day_s_height_says_what_its_colour_says() -> None:
    heights = []

    class Paper(_Paper):
        def rect(self, x: float, y: float, w: float, h: float, **_: Any) -> None:
            heights.append(h)

    _strip(Paper(ReportWords("de"), ""), (1.0, 0.5, 0.0, None), 0, 0)
    assert heights == [STRIP_MM, STRIP_MM / 2, STRIP_MIN_MM, STRIP_MM]


def test_completeness_counts_from_the_last_sequence_before_the_month() -> None:
    known = [row(0, 1000), row(1, 1288, 280), row(2, 1576, 288)]
    month = asset_month(AIR, known, MAY, 2.95)
    assert month.completeness == pytest.approx(568 / 576)
    assert (month.missing, month.readings) == (8, 568)


def test_days_without_a_sequence_lie_in_between() -> None:
    known = [row(0, 1000), row(1, None, 0), row(2, 1576, 500)]
    assert asset_month(AIR, known, MAY, 2.95).completeness == pytest.approx(500 / 576)


def test_another_device_counts_from_its_own_beginning() -> None:
    known = [row(0, 1000), row(1, 1288), row(2, 40, 40, dev_eui="b" * 16)]
    known.append(row(3, 328, 280, dev_eui="b" * 16))
    assert asset_month(AIR, known, MAY, 2.95).missing == 8


def test_late_readings_never_make_more_than_all() -> None:
    assert asset_month(AIR, [row(0, 1000), row(1, 1288, 300)], MAY, 2.95).completeness == 1.0


def test_what_nobody_could_know_does_not_count_against_it() -> None:
    deaf = row(1, None, online_s=DAY_S / 2, deaf_s=DAY_S / 2)
    month = asset_month(AIR, [deaf], MAY, 2.95)
    assert (month.availability, month.unknown_h) == (1.0, 12.0)
    unknown = row(1, None, online_s=0.0, deaf_s=DAY_S)
    assert asset_month(AIR, [unknown], MAY, 2.95).availability is None
    off = row(1, None, online_s=DAY_S / 4)
    assert asset_month(AIR, [off, row(2, None)], MAY, 2.95).availability == 0.625


def test_an_empty_month_claims_nothing() -> None:
    month = asset_month(AIR, [], MAY, 2.95)
    assert (month.availability, month.completeness, month.missing) == (None, None, None)
    assert month.battery is None
    assert month.days == (None,) * 31


@pytest.mark.parametrize(
    ("fall_v", "days", "left"),
    [(0.01, 20, 6), (0.002, 31, 95), (0.0, 31, None), (0.0003, 31, None), (0.01, 13, None)],
)
def test_the_battery_s_outlook(fall_v: float, days: int, left: int | None) -> None:
    known = [row(n, None, battery_v=3.2 - fall_v * n) for n in range(1, days + 1)]
    battery = asset_month(AIR, known, MAY, 2.95).battery
    assert battery is not None
    assert battery.volts == pytest.approx(3.2 - fall_v * days)
    assert battery.days_left == (left if left is None else pytest.approx(left, abs=3))


def test_one_cold_night_is_no_slope() -> None:
    known = [row(n, None, battery_v=2.7 if n == 30 else 3.2) for n in range(1, 32)]
    battery = asset_month(AIR, known, MAY, 2.95).battery
    assert battery is not None
    assert battery.days_left is None


@pytest.mark.parametrize(("text", "days"), [("2026-02", 28), ("2028-02", 29), ("2026-12", 31)])
def test_months(text: str, days: int) -> None:
    assert days_in(month_of(text)) == days


def month(assets: int = 40, incidents: int = 3) -> Month:
    names = ("Ewaldstraße / Rathaus", "Bucht 7 " * 20, "Łódź-Platz – Nord", "")
    kinds = ("air", "parking", "waste")
    known = [row(n, 1000 + 288 * n, battery_v=3.2 - n * 0.005) for n in range(32)]
    return Month(
        ags=support.AGS,
        name="Recklinghausen " * 8,
        first=MAY,
        assets=tuple(
            asset_month(
                Asset(
                    asset=f"a-{n}", kind=kinds[n % 3], ags=support.AGS, name=names[n % 4],
                    lon=7.2, lat=51.6,
                ),
                known if n % 5 else [], MAY, 2.95,
            )
            for n in range(assets)
        ),
        incidents=tuple(
            Incident("disk-full", "", 1_777_700_000_000 + n, None, "voll " * 60)
            for n in range(incidents)
        ),
    )  # fmt: skip


def text_of(content: bytes) -> str:
    """What stands in the pages, as far as the standard fonts write it plainly."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    pages = [zlib.decompress(one).decode("latin-1") for one in streams if one[:1] == b"x"]
    return " ".join(re.findall(r"\((.*?)(?<!\\)\) Tj", "\n".join(pages)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("assets", "incidents"), [(0, 0), (3, 1), (40, 3), (200, 250)])
def test_it_is_a_pdf_of_any_length(language: Language, assets: int, incidents: int) -> None:
    words = ReportWords(language)
    content = pdf(month(assets, incidents), words, "kreis", 2.95, MADE)
    assert content.startswith(b"%PDF-")
    text = text_of(content)
    assert words["availability"] in text
    assert shown(words.month(MAY)) in text
    assert all(f"· a-{n}" in text for n in range(assets))
    assert content == pdf(month(assets, incidents), words, "kreis", 2.95, MADE)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="apt-get install poppler-utils")
def test_no_word_leaves_the_page(tmp_path: Path) -> None:
    """By another program: every word's box lies within the margins."""
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf(month(60, 30), ReportWords("de"), "kreis", 2.95, MADE))
    boxes = subprocess.run(
        ["pdftotext", "-bbox", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"', boxes)
    assert len(found) > 500
    mm = 72 / 25.4
    for left, top, right, bottom in (map(float, box) for box in found):
        assert left >= 17.9 * mm
        assert right <= (210 - 17.9) * mm
        assert top >= 10 * mm
        assert bottom <= (297 - 8) * mm


@given(st.text(max_size=80))
def test_any_name_can_be_written_and_fits(text: str) -> None:
    assert shown(text).encode("latin-1") is not None
    paper = _Paper(ReportWords("de"), "")
    paper.set_font("helvetica", size=9)
    fitted = paper.fitting(text, 50)
    assert fitted == "..." or paper.get_string_width(fitted) <= 50 < WIDTH_MM


def test_a_share_is_never_rounded_up_to_all() -> None:
    words = ReportWords("de")
    assert words.share(0.99999) == "99,9 %"
    assert words.share(1.0) == "100,0 %"
    assert words.share(None) == "-"
    assert ReportWords("en").share(0.5) == "50.0 %"


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    evil = Asset(asset="a", kind="air", ags=support.AGS, name="=1+1", lon=7.2, lat=51.6)
    one = Month(support.AGS, "R", MAY, (asset_month(evil, [], MAY, 2.95),), ())
    (line,) = list(csv.DictReader(io.StringIO(table.assets_csv(one))))
    assert line["name"] == "'=1+1"
    assert (line["availability"], line["battery_v"]) == ("", "")


def test_the_command_writes_one_report_for_each_municipality(tmp_path: Path) -> None:
    config = support.gateway_toml(tmp_path, 1, 1)
    store = Store(tmp_path / "data")
    work = Work(store)
    days = {
        ("2026-05-04", "aq-0007"): Day(280, 4711, support.AIR, 80_000, 400, 86_400, 3.2),
        ("2026-05-05", "aq-0007"): Day(280, 4999, support.AIR, 86_000, 0, 86_400, 3.1),
    }

    def write(db: sqlite3.Connection) -> None:
        rows.write_days(db, days)
        rows.write_days(db, {("2026-05-05", "aq-0007"): Day(readings=4, battery_v=3.3)})
        incident = Incident("asset-offline", "aq-0007", 1_777_900_000_000, None, "2 h")
        rows.write_book(db, {}, [incident])

    work.changes.append(write)
    store.commit(work)
    store.close()
    words = ["report", "-c", str(config), "--month", "2026-05", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 6
    (line,) = [
        one
        for one in csv.DictReader(
            (tmp_path / "out" / f"revier-{support.AGS}-2026-05-assets.csv").open()
        )
        if one["asset"] == "aq-0007"
    ]
    assert (line["readings"], line["readings_missing"], line["battery_v"]) == ("564", "4", "3.1")
    assert line["completeness"] == "0.9861"
    other = (tmp_path / "out" / f"revier-{support.OTHER_AGS}-2026-05-incidents.csv").read_text()
    assert "aq-0007" not in other
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert [one["ags"] for one in told] == sorted([support.AGS, support.OTHER_AGS])
    assert sorted(Path(name).name for one in told for name in one["files"]) == names
    (mine,) = [one for one in told if one["ags"] == support.AGS]
    assert (mine["month"], mine["incidents"]) == ("2026-05", 1)
    wrong = CliRunner().invoke(app, [*words[:3], "--month", "May"])
    assert wrong.exit_code == 2
    assert "2026-05" in wrong.output
