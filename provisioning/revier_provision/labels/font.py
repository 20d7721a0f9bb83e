# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The labels' letters: Source Sans Pro (SIL OFL 1.1), so that every format looks the same."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

FONT_FILES = {False: "SourceSansPro-Regular.ttf", True: "SourceSansPro-Bold.ttf"}


def font_path(bold: bool) -> Path:
    return Path(str(resources.files("font_source_sans_pro") / "files" / FONT_FILES[bold]))


def width_em(text: str, bold: bool) -> float:
    """The width of a text over its font size."""
    font = _font(bold)
    widths, glyphs = font["hmtx"], font.getBestCmap()
    return float(sum(widths[glyphs[ord(char)]][0] for char in text)) / _units_per_em(font)


def printable(text: str) -> str:
    """With letters that the font has; others lose their accents or become a question mark."""
    return "".join(_printable(char) for char in unicodedata.normalize("NFC", text))


def outline(text: str, x: float, y: float, size: float, bold: bool) -> str:
    """The letters as the `d` of an SVG path, their baseline beginning at x, y."""
    font = _font(bold)
    glyph_set, glyphs = font.getGlyphSet(), font.getBestCmap()
    scale = size / _units_per_em(font)
    pen = SVGPathPen(glyph_set, ntos=lambda number: f"{number:.3f}".rstrip("0").rstrip("."))
    for char in text:
        name = glyphs[ord(char)]
        glyph_set[name].draw(TransformPen(pen, (scale, 0, 0, -scale, x, y)))
        x += glyph_set[name].width * scale
    return str(pen.getCommands())


def _printable(char: str) -> str:
    glyphs = _font(False).getBestCmap()
    for form in (char, unicodedata.normalize("NFKD", char)[0]):
        if form.isprintable() and ord(form) in glyphs:
            return form
    return "?"


@cache
def _font(bold: bool) -> Any:
    return TTFont(font_path(bold))


def _units_per_em(font: Any) -> int:
    return int(font["head"].unitsPerEm)
