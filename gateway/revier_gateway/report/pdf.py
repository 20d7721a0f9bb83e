# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The report as PDF: A4, the standard's own fonts, nothing embedded and nothing fetched."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Final

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from revier_gateway.alerts.book import Incident
from revier_gateway.report.figures import AssetMonth, Battery, Month
from revier_gateway.report.words import NOT_KNOWN, ReportWords

MARGIN_MM: Final = 18.0
WIDTH_MM: Final = 210.0 - 2 * MARGIN_MM
FOOT_MM: Final = 16.0
ROW_MM: Final = 8.4
INCIDENTS_MAX: Final = 200
CELL_MM, CELL_GAP_MM = 1.15, 0.2  # of a day
STRIP_MM, STRIP_MIN_MM = 4.0, 0.4
NOTE_MM: Final = 4.0
GOOD_SHARE, FAIR_SHARE = 0.99, 0.90

# Letters that no decomposition makes plain, and signs.
_PLAIN: Final = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d"}
)

Colour = tuple[int, int, int]
INK: Final[Colour] = (28, 35, 43)
SOFT: Final[Colour] = (105, 115, 126)
LINE: Final[Colour] = (214, 219, 224)
GOOD: Final[Colour] = (46, 133, 87)
FAIR: Final[Colour] = (226, 168, 36)
POOR: Final[Colour] = (196, 61, 52)
UNKNOWN: Final[Colour] = (200, 205, 211)

# Asset, days, availability, completeness, readings, battery.
COLUMNS_MM: Final = (54.0, 43.0, 20.0, 23.0, 16.0, 18.0)


class _Paper(FPDF):
    def __init__(self, words: ReportWords, foot: str) -> None:
        super().__init__(format="A4")
        self.words = words
        self._foot = foot
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.c_margin = 0  # text stands on the same edge as rules and strips
        self.set_auto_page_break(True, FOOT_MM + 4)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-FOOT_MM)
        self.ink(SOFT)
        self.set_font("helvetica", size=8)
        self.cell(WIDTH_MM / 2, 5, shown(self._foot))
        page = (
            self.words["page"]
            .format(n=self.page_no())
            .replace("{nb}", str(self.str_alias_nb_pages))
        )
        self.cell(WIDTH_MM / 2, 5, page, align="R")

    def ink(self, colour: Colour) -> None:
        self.set_text_color(*colour)

    def rule(self) -> None:
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.line(MARGIN_MM, self.get_y(), MARGIN_MM + WIDTH_MM, self.get_y())

    def room(self, height_mm: float) -> bool:
        return bool(self.get_y() + height_mm <= self.h - FOOT_MM - 4)

    def fitting(self, text: str, width_mm: float) -> str:
        """Shortened with an ellipsis where it is too wide."""
        text = shown(text)
        if self.get_string_width(text) <= width_mm:
            return text
        while text and self.get_string_width(text + "...") > width_mm:
            text = text[:-1]
        return text.rstrip() + "..."


def shown(text: str) -> str:
    """What the standard fonts have; other letters lose their marks, or become a question mark."""
    out = []
    for sign in text.translate(_PLAIN):
        if ord(sign) < 256:
            out.append(sign)
            continue
        plain = unicodedata.normalize("NFKD", sign).encode("latin-1", "ignore").decode("latin-1")
        out.append(plain or "?")
    return "".join(out)


def pdf(month: Month, words: ReportWords, gateway_id: str, low_v: float, made: datetime) -> bytes:
    """made: when, for the foot of each page."""
    foot = words["made"].format(gateway=gateway_id, at=f"{made:%Y-%m-%d %H:%M}")
    paper = _Paper(words, foot)
    paper.set_title(shown(f"{words['title']} {month.name} {words.month(month.first)}"))
    paper.set_creation_date(made)
    paper.set_lang(words.language)
    _head(paper, month)
    _figures(paper, month)
    _assets(paper, month)
    _incidents(paper, month)
    _notes(paper, low_v)
    return bytes(paper.output())


def _head(paper: _Paper, month: Month) -> None:
    words = paper.words
    paper.ink(SOFT)
    paper.set_font("helvetica", size=10)
    paper.cell(WIDTH_MM, 5, shown(f"{words['title']} · {words.month(month.first)}"))
    paper.ln(6)
    paper.ink(INK)
    paper.set_font("helvetica", "B", 20)
    paper.cell(WIDTH_MM, 10, paper.fitting(month.name, WIDTH_MM))
    paper.ln(10)
    paper.ink(SOFT)
    paper.set_font("helvetica", size=9)
    paper.cell(WIDTH_MM, 5, f"AGS {month.ags}")
    paper.ln(9)


def _figures(paper: _Paper, month: Month) -> None:
    words = paper.words
    figures = [
        (words.share(month.availability), words["availability"]),
        (words.share(month.completeness), words["completeness"]),
        (words.number(month.readings), words["readings"]),
        (words.number(len(month.incidents)), words["incidents"]),
    ]
    paper.rule()
    paper.ln(3)
    top_mm, width_mm = paper.get_y(), WIDTH_MM / len(figures)
    for index, (value, label) in enumerate(figures):
        paper.set_xy(MARGIN_MM + index * width_mm, top_mm)
        paper.ink(INK)
        paper.set_font("helvetica", "B", 17)
        paper.cell(width_mm, 8, shown(value))
        paper.set_xy(MARGIN_MM + index * width_mm, top_mm + 8)
        paper.ink(SOFT)
        paper.set_font("helvetica", size=9)
        paper.cell(width_mm, 5, label)
    paper.set_xy(MARGIN_MM, top_mm + 16)
    paper.rule()
    paper.ln(6)


def _heading(paper: _Paper, text: str) -> None:
    if not paper.room(30):
        paper.add_page()
    paper.ink(INK)
    paper.set_font("helvetica", "B", 12)
    paper.cell(WIDTH_MM, 7, shown(text))
    paper.ln(8)


def _assets(paper: _Paper, month: Month) -> None:
    words = paper.words
    _heading(paper, f"{words['assets']} ({len(month.assets)})")
    if not month.assets:
        _line(paper, words["no_assets"])
        return
    _columns(paper)
    for one in month.assets:
        if not paper.room(ROW_MM):
            paper.add_page()
            _columns(paper)
        _asset(paper, one)
    paper.ln(1.5)
    paper.ink(SOFT)
    paper.set_font("helvetica", size=8)
    paper.cell(WIDTH_MM, 4, shown(words["legend"]))
    paper.ln(10)


def _columns(paper: _Paper) -> None:
    words = paper.words
    keys = ("asset", "days", "availability", "completeness", "readings", "battery")
    paper.ink(SOFT)
    paper.set_font("helvetica", size=8)
    for index, (key, width_mm) in enumerate(zip(keys, COLUMNS_MM, strict=True)):
        paper.cell(width_mm, 5, words[key], align="L" if index < 2 else "R")
    paper.ln(5)
    paper.rule()


def _asset(paper: _Paper, one: AssetMonth) -> None:
    words, top_mm = paper.words, paper.get_y()
    paper.set_xy(MARGIN_MM, top_mm + 0.8)
    paper.ink(INK)
    paper.set_font("helvetica", size=9)
    paper.cell(COLUMNS_MM[0], 4, paper.fitting(one.asset.name, COLUMNS_MM[0] - 3))
    paper.set_xy(MARGIN_MM, top_mm + 4.4)
    paper.ink(SOFT)
    paper.set_font("helvetica", size=7)
    kind = f"{words[one.asset.kind]} · {one.asset.asset}"
    paper.cell(COLUMNS_MM[0], 3, paper.fitting(kind, COLUMNS_MM[0] - 3))
    _strip(paper, one.days, MARGIN_MM + COLUMNS_MM[0], top_mm + 2.2)
    paper.set_xy(MARGIN_MM + COLUMNS_MM[0] + COLUMNS_MM[1], top_mm)
    paper.set_font("helvetica", size=9)
    paper.ink(INK)
    paper.cell(COLUMNS_MM[2], ROW_MM, shown(words.share(one.availability)), align="R")
    paper.cell(COLUMNS_MM[3], ROW_MM, shown(words.share(one.completeness)), align="R")
    paper.cell(COLUMNS_MM[4], ROW_MM, shown(words.number(one.readings)), align="R")
    _battery(paper, one.battery, top_mm)
    paper.set_xy(MARGIN_MM, top_mm + ROW_MM)
    paper.rule()


def _battery(paper: _Paper, battery: Battery | None, top_mm: float) -> None:
    words, width_mm = paper.words, COLUMNS_MM[5]
    if battery is None:
        paper.cell(width_mm, ROW_MM, NOT_KNOWN, align="R")
        return
    left_mm = paper.get_x()
    volts = f"{words.number(battery.volts, 2)} V"
    if battery.days_left is None:
        paper.cell(width_mm, ROW_MM, volts, align="R")
        return
    paper.set_xy(left_mm, top_mm + 0.8)
    paper.cell(width_mm, 4, volts, align="R")
    paper.set_xy(left_mm, top_mm + 4.4)
    paper.ink(POOR if battery.days_left < 60 else SOFT)
    paper.set_font("helvetica", size=7)
    weeks = words["weeks"].format(n=words.number(battery.days_left / 7))
    paper.cell(width_mm, 3, shown(weeks) if battery.days_left else words["low"], align="R")


def _strip(paper: _Paper, days: tuple[float | None, ...], left_mm: float, top_mm: float) -> None:
    """Height says it too: not everybody sees the colours, and not every printer has them."""
    for index, share in enumerate(days):
        x_mm = left_mm + index * (CELL_MM + CELL_GAP_MM)
        height_mm = STRIP_MM if share is None else max(STRIP_MIN_MM, STRIP_MM * share)
        paper.set_fill_color(*_colour_of(share))
        paper.rect(x_mm, top_mm + STRIP_MM - height_mm, CELL_MM, height_mm, style="F")


def _colour_of(share: float | None) -> Colour:
    if share is None:
        return UNKNOWN
    if share >= GOOD_SHARE:
        return GOOD
    return FAIR if share >= FAIR_SHARE else POOR


def _incidents(paper: _Paper, month: Month) -> None:
    words = paper.words
    _heading(paper, f"{words['incidents']} ({len(month.incidents)})")
    if not month.incidents:
        _line(paper, words["no_incidents"])
    names = {one.asset.asset: one.asset.name for one in month.assets}
    for incident in month.incidents[:INCIDENTS_MAX]:
        _incident(paper, incident, names.get(incident.subject, ""))
    rest = len(month.incidents) - INCIDENTS_MAX
    if rest > 0:
        _line(paper, words["more_incidents"].format(n=rest))
    paper.ln(6)


def _incident(paper: _Paper, incident: Incident, name: str) -> None:
    words = paper.words
    paper.set_font("helvetica", size=9)
    text = shown(words.incident(incident.rule, incident.subject, name))
    if not paper.room(12):
        paper.add_page()
    top_mm = paper.get_y()
    paper.ink(SOFT)
    end = words["lasting"]
    if incident.cleared_ms is not None:
        end = f"{words['until']} {_at(words, incident.cleared_ms)}"
    paper.cell(28, 6, _at(words, incident.since_ms))
    paper.cell(30, 6, shown(end))
    paper.ink(INK)
    paper.set_xy(MARGIN_MM + 60, top_mm + 0.7)
    paper.multi_cell(WIDTH_MM - 60, 4.6, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.set_y(max(paper.get_y() + 0.7, top_mm + 6))
    paper.rule()


def _at(words: ReportWords, at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{words.day(at.date())} {at:%H:%M}"


def _line(paper: _Paper, text: str) -> None:
    paper.ink(INK)
    paper.set_font("helvetica", size=9)
    paper.cell(WIDTH_MM, 6, shown(text))
    paper.ln(8)


def _notes(paper: _Paper, low_v: float) -> None:
    words = paper.words
    paper.ink(SOFT)
    paper.set_font("helvetica", size=8)
    text = shown(words["notes"].format(low=f"{words.number(low_v, 2)} V"))
    height_mm = paper.multi_cell(
        WIDTH_MM, NOTE_MM, text, align="L", dry_run=True, output=MethodReturnValue.HEIGHT
    )
    assert isinstance(height_mm, float)
    if not paper.room(height_mm):
        paper.add_page()
    paper.multi_cell(WIDTH_MM, NOTE_MM, text, align="L")
