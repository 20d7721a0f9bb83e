# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A label: what it says, and where on 63.5 mm x 38.1 mm each part of it stands. Pure.

The QR code is on the left, 0.75 mm a module with a quiet zone of 4 modules (ISO/IEC 18004 9.1);
that is 6 whole dots at 203 dpi and 9 at 305 dpi. The words are on the right.
"""

from __future__ import annotations

import msgspec

from revier_inventory import Asset, Inventory
from revier_inventory.message import _
from revier_provision.errors import OrderError
from revier_provision.labels.font import printable, width_em
from revier_provision.translation import Language, say

WIDTH_MM, HEIGHT_MM = 63.5, 38.1
MODULE_MM = 0.75
QUIET_MODULES = 4
QR_VERSION = 4  # 33 modules; 90 characters at level M
QR_MM = (33 + 2 * QUIET_MODULES) * MODULE_MM
QR_X_MM = 0.75
QR_Y_MM = 3.75  # whole dots, too
TEXT_X_MM = QR_X_MM + QR_MM + 0.5
TEXT_MM = WIDTH_MM - TEXT_X_MM - 2.0
TEXT_TOP_MM, TEXT_BOTTOM_MM = 4.0, 34.6
LEADING = 1.15

KIND_WORDS = {"air": _("Air quality"), "parking": _("Parking"), "waste": _("Fill level")}
OWNER_WORD = _("Property of:")


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What a label says; `identification` is the QR code's text."""

    identification: str
    dev_eui: str
    asset: str
    kind: str
    name: str
    town: str
    language: Language


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of words; `y_mm` is its baseline from the top, `size_mm` the em."""

    text: str
    x_mm: float
    y_mm: float
    size_mm: float
    width_mm: float
    bold: bool


def served_asset(inventory: Inventory, asset: str | None, dev_eui: str | None) -> tuple[Asset, str]:
    """The asset and the DevEUI that serves it now, found by either of them."""
    for period in inventory.periods:
        if period.until is None and (period.asset == asset or period.dev_eui == dev_eui):
            found = inventory.asset(period.asset)
            assert found is not None
            return found, period.dev_eui
    problem = (
        "In the inventory the asset {asset!r} has no device now"
        if asset
        else "In the inventory the device {dev_eui} serves no asset now"
    )
    cure = "Correct it (see: revier-provision status), or provision first: revier-provision node"
    raise OrderError(problem, cure, asset=asset, dev_eui=dev_eui)


def lay_out(label: Label) -> list[Line]:
    """The lines of words, within the text column whatever their length."""
    column = _Column()
    column.add(say(KIND_WORDS[label.kind], label.language), 2.5, lines=1)
    column.add(label.asset, 3.3, lines=3, bold=True, whole=True)
    column.gap(0.5)
    column.add(label.name, 2.4, lines=2)
    column.gap(0.8)
    column.add(say(OWNER_WORD, label.language), 1.9, lines=1)
    column.add(label.town, 2.4, lines=2)
    column.gap(0.8)
    column.add("DevEUI", 1.9, lines=1)
    column.add(grouped(label.dev_eui), 2.5, lines=1, bold=True, whole=True)
    return column.lines


def grouped(dev_eui: str) -> str:
    """`240A C4FF FE11 2233`, to be read aloud."""
    return " ".join(dev_eui.upper()[i : i + 4] for i in range(0, 16, 4))


class _Column:
    def __init__(self) -> None:
        self._y_mm = TEXT_TOP_MM
        self.lines: list[Line] = []

    def gap(self, gap_mm: float) -> None:
        self._y_mm += gap_mm

    def add(
        self, text: str, size_mm: float, *, lines: int, bold: bool = False, whole: bool = False
    ) -> None:
        """At most so many lines: `whole` makes the letters smaller, else the end is left out."""
        text = printable(text)
        rows = _wrap(text, size_mm, bold)
        while whole and len(rows) > lines:
            size_mm *= 0.95
            rows = _wrap(text, size_mm, bold)
        if len(rows) > lines:
            rows = [*rows[: lines - 1], _cut(rows[lines - 1], size_mm, bold)]
        for row in rows:
            self._y_mm += size_mm * LEADING
            self.lines.append(
                Line(
                    text=row,
                    x_mm=TEXT_X_MM,
                    y_mm=self._y_mm,
                    size_mm=size_mm,
                    width_mm=width_em(row, bold) * size_mm,
                    bold=bold,
                )
            )


def _fits(text: str, size_mm: float, bold: bool) -> bool:
    return width_em(text.rstrip(), bold) * size_mm <= TEXT_MM


def _wrap(text: str, size_mm: float, bold: bool) -> list[str]:
    """Break after spaces and hyphens, else within a word."""
    rows = [""]
    for piece in _pieces(text):
        if rows[-1] and not _fits(rows[-1] + piece, size_mm, bold):
            rows.append("")
        rows[-1] += piece
        while not _fits(rows[-1], size_mm, bold):
            end = next(n for n in range(len(rows[-1]), 0, -1) if _fits(rows[-1][:n], size_mm, bold))
            rows[-1:] = [rows[-1][:end], rows[-1][end:]]
    return [row.strip() for row in rows]


def _cut(text: str, size_mm: float, bold: bool) -> str:
    while not _fits(text + "…", size_mm, bold):
        text = text[:-1]
    return text.rstrip() + "…"


def _pieces(text: str) -> list[str]:
    pieces = [""]
    for char in text:
        pieces[-1] += char
        if char in " -":
            pieces.append("")
    return [piece for piece in pieces if piece]
