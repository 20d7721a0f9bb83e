# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Labels as pictures: SVG and a PDF sheet from lines and rectangles, PNG and ZPL from dots.

Every QR module is drawn exactly: vectors as rectangles, dots as whole dots. ZPL carries the whole
label as a bitmap (^GFA), so no printer's fonts or QR encoder decide how it looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

import segno
from fpdf import FPDF

from revier_provision.labels.font import font_path, outline
from revier_provision.labels.label import (
    HEIGHT_MM,
    MODULE_MM,
    QR_VERSION,
    QR_X_MM,
    QR_Y_MM,
    QUIET_MODULES,
    WIDTH_MM,
    Label,
    Line,
    grouped,
    lay_out,
)

if TYPE_CHECKING:
    from PIL import Image

PNG_DOTS_PER_MM = 12  # 305 dpi
ZPL_DOTS_PER_MM = 8  # 203 dpi, the usual label printer

# A4 sheets of 3 x 7 labels, 63.5 mm x 38.1 mm (sold as L7160, 3652 and others)
COLUMNS, ROWS = 3, 7
LEFT_MM, TOP_MM = 7.25, 15.15
PITCH_X_MM, PITCH_Y_MM = 66.0, 38.1
PER_SHEET = COLUMNS * ROWS

FAMILY = "label"
STYLES: dict[bool, Literal["", "B"]] = {False: "", True: "B"}

_MM_PER_POINT = 25.4 / 72


def qr_code(label: Label) -> segno.QRCode:
    """Alphanumeric mode, always of one size, with as much error correction as that size holds."""
    return segno.make_qr(
        label.identification, version=QR_VERSION, error="M", mode="alphanumeric", boost_error=True
    )


def svg(label: Label) -> bytes:
    modules = "".join(
        f"M{x:.2f} {y:.2f}h{width:.2f}v{MODULE_MM}h-{width:.2f}z" for x, y, width in _runs(label)
    )
    words = "".join(
        outline(line.text, line.x_mm, line.y_mm, line.size_mm, line.bold) for line in lay_out(label)
    )
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm"'
        f' viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}">'
        f"<title>{escape(label.asset)}, DevEUI {grouped(label.dev_eui)}</title>"
        f'<rect width="{WIDTH_MM}" height="{HEIGHT_MM}" fill="#fff"/>'
        f'<path d="{modules}" shape-rendering="crispEdges"/>'
        f'<path d="{words}"/></svg>\n'
    )
    return text.encode()


def pdf(labels: Sequence[Label], skip: int = 0) -> bytes:
    """Sheets of PER_SHEET labels; `skip` places of the first sheet are used up already."""
    document = FPDF(format="A4")
    document.set_auto_page_break(False)
    for bold, style in STYLES.items():
        document.add_font(FAMILY, style, font_path(bold))
    for place, label in enumerate(labels, skip):
        index = place % PER_SHEET
        if index == 0 or place == skip:
            document.add_page()
        row, column = divmod(index, COLUMNS)
        x_mm, y_mm = LEFT_MM + column * PITCH_X_MM, TOP_MM + row * PITCH_Y_MM
        _pdf_label(document, label, lay_out(label), x_mm, y_mm)
    return bytes(document.output())


def png(label: Label) -> bytes:
    file = BytesIO()
    picture = _raster(label, PNG_DOTS_PER_MM)
    picture.save(file, "PNG", dpi=(PNG_DOTS_PER_MM * 25.4, PNG_DOTS_PER_MM * 25.4), optimize=True)
    return file.getvalue()


def zpl(labels: Sequence[Label]) -> bytes:
    """One ZPL II format a label, for a printer of 203 dpi."""
    return "".join(_zpl_label(_raster(label, ZPL_DOTS_PER_MM)) for label in labels).encode()


def _runs(label: Label) -> list[tuple[float, float, float]]:
    """The dark modules as x, y and width in mm, one a run in a row."""
    quiet_mm = QUIET_MODULES * MODULE_MM
    runs = []
    for row, modules in enumerate(qr_code(label).matrix):
        start = None
        for column, dark in enumerate([*modules, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                x_mm = QR_X_MM + quiet_mm + start * MODULE_MM
                y_mm = QR_Y_MM + quiet_mm + row * MODULE_MM
                runs.append((x_mm, y_mm, (column - start) * MODULE_MM))
                start = None
    return runs


def _pdf_label(
    document: FPDF, label: Label, lines: Sequence[Line], left_mm: float, top_mm: float
) -> None:
    for x_mm, y_mm, width_mm in _runs(label):
        document.rect(left_mm + x_mm, top_mm + y_mm, width_mm, MODULE_MM, style="F")
    for line in lines:
        size_pt = line.size_mm / _MM_PER_POINT
        document.set_font(FAMILY, STYLES[line.bold], size_pt)
        document.text(left_mm + line.x_mm, top_mm + line.y_mm, line.text)


def _raster(label: Label, dots_per_mm: int) -> Image.Image:
    from PIL import Image, ImageDraw, ImageFont

    size = round(WIDTH_MM * dots_per_mm), round(HEIGHT_MM * dots_per_mm)
    picture = Image.new("1", size, 1)
    draw = ImageDraw.Draw(picture)
    for x_mm, y_mm, width_mm in _runs(label):
        left, top = round(x_mm * dots_per_mm), round(y_mm * dots_per_mm)
        width, height = round(width_mm * dots_per_mm), round(MODULE_MM * dots_per_mm)
        draw.rectangle((left, top, left + width - 1, top + height - 1), fill=0)
    for line in lay_out(label):
        at = line.x_mm * dots_per_mm, line.y_mm * dots_per_mm
        font = ImageFont.truetype(font_path(line.bold), line.size_mm * dots_per_mm)
        draw.text(at, line.text, fill=0, font=font, anchor="ls")
    return picture


def _zpl_label(picture: Image.Image) -> str:
    width, height = picture.size
    row_bytes = (width + 7) // 8
    dark = picture.point(lambda dot: 0 if dot else 1, mode="1").tobytes()
    total = row_bytes * height
    return (
        f"^XA^PW{width}^LL{height}^LH0,0"
        f"^FO0,0^GFA,{total},{total},{row_bytes},{dark.hex().upper()}^FS^XZ\n"
    )
