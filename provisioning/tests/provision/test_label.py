# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Labels as an independent reader (zxing-cpp) sees them, with the longest names there can be."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from revier_inventory import Inventory, begin_period
from revier_provision import OrderError, cli, inventory_files
from revier_provision.labels import pictures as label_pictures
from revier_provision.labels.font import printable, width_em
from revier_provision.labels.label import (
    HEIGHT_MM,
    MODULE_MM,
    QR_MM,
    QR_X_MM,
    QR_Y_MM,
    TEXT_BOTTOM_MM,
    TEXT_MM,
    TEXT_X_MM,
    WIDTH_MM,
    Label,
    lay_out,
)
from revier_provision.labels.tr005 import identification

DEV_EUI = "240ac4fffe112233"
TEXT = "LW:D0:0000000000000000:240AC4FFFE112233:00000001"
LABEL = Label(
    identification=TEXT,
    dev_eui=DEV_EUI,
    asset="herten-air-01",
    kind="air",
    name="Rathaus",
    town="Herten",
    language="de",
)
LONGEST = Label(
    identification=identification(
        "f" * 16, "f" * 16, "waste", owner_token="T" * 24, serial="W" * 14
    ),
    dev_eui="db" * 8,
    asset="w" * 48,
    kind="waste",
    name="WÄ" * 60,
    town="Ö" * 120,
    language="en",
)
LABELS = [LABEL, LONGEST]


def assert_reads(picture: Image.Image, *texts: str) -> None:
    found = zxingcpp.read_barcodes(picture)
    assert sorted(code.text for code in found) == sorted(texts)
    assert {code.format for code in found} == {zxingcpp.BarcodeFormat.QRCode}


def zpl_pictures(zpl: bytes) -> list[Image.Image]:
    found = re.findall(r"\^XA.*?\^GFA,(\d+),(\d+),(\d+),([0-9A-F]+)\^FS\^XZ", zpl.decode())
    pictures = []
    for total, same, row_bytes, dots in found:
        assert total == same
        assert len(dots) == 2 * int(total)
        size = int(row_bytes) * 8, int(total) // int(row_bytes)
        dark = Image.frombytes("1", size, bytes.fromhex(dots))
        pictures.append(dark.point(lambda dot: 0 if dot else 255, mode="L"))
    return pictures


@pytest.mark.parametrize("label", LABELS)
def test_a_reader_reads_every_format(label: Label, tmp_path: Path) -> None:
    png = Image.open(BytesIO(label_pictures.png(label)))
    assert png.size == (762, 457)
    assert_reads(png, label.identification)
    (zpl,) = zpl_pictures(label_pictures.zpl([label]))
    assert_reads(zpl, label.identification)
    assert_reads(pdf_page(label_pictures.pdf([label]), tmp_path, 1), label.identification)
    assert_reads(svg_picture(label_pictures.svg(label).decode()), label.identification)


def svg_picture(svg: str) -> Image.Image:
    """The QR code's path of an SVG, drawn by Pillow at 8 dots a mm."""
    picture = Image.new("L", (round(WIDTH_MM * 8), round(HEIGHT_MM * 8)), 255)
    match = re.search(r'<path d="([^"]+)" shape-rendering', svg)
    assert match is not None
    for x, y, width, height in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-", match[1]):
        left, top = round(float(x) * 8), round(float(y) * 8)
        size = round(float(width) * 8), round(float(height) * 8)
        picture.paste(0, (left, top, left + size[0], top + size[1]))
    return picture


def pdf_page(pdf: bytes, folder: Path, number: int) -> Image.Image:
    (folder / "sheet.pdf").write_bytes(pdf)
    page = ["-png", "-r", "200", "-f", str(number), "-l", str(number), "-singlefile"]
    command = ["pdftoppm", *page, str(folder / "sheet.pdf"), str(folder / "page")]
    try:
        subprocess.run(command, check=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("apt-get install poppler-utils")
    return Image.open(folder / "page.png")


def test_sheets_hold_21_and_begin_where_the_last_one_ended(tmp_path: Path) -> None:
    texts = [identification(f"{number:016x}", "0" * 16, "air") for number in range(22)]
    labels = [
        msgspec.structs.replace(LABEL, identification=text, dev_eui=f"{number:016x}")
        for number, text in enumerate(texts)
    ]
    pdf = label_pictures.pdf(labels, skip=2)
    assert_reads(pdf_page(pdf, tmp_path, 1), *texts[:19])
    assert_reads(pdf_page(pdf, tmp_path, 2), *texts[19:])


def test_the_code_is_in_alphanumeric_mode() -> None:
    for label in LABELS:
        code = label_pictures.qr_code(label)
        assert first_bits(code.matrix)[:4] == "0010"  # ISO/IEC 18004 table 2


def first_bits(matrix: Any) -> str:
    """The first codeword of a QR code, unmasked: the data begins at the lower right corner."""
    size = len(matrix)
    level_and_mask = sum(matrix[8][column] << (4 - column) for column in range(5)) ^ 0b10101
    mask = level_and_mask & 0b111
    rules = [
        lambda i, j: (i + j) % 2,
        lambda i, j: i % 2,
        lambda i, j: j % 3,
        lambda i, j: (i + j) % 3,
        lambda i, j: (i // 2 + j // 3) % 2,
        lambda i, j: i * j % 2 + i * j % 3,
        lambda i, j: (i * j % 2 + i * j % 3) % 2,
        lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
    ]
    places = [(size - 1 - n // 2, size - 1 - n % 2) for n in range(8)]
    return "".join(str(matrix[i][j] ^ (rules[mask](i, j) == 0)) for i, j in places)


def test_the_quiet_zone_is_empty() -> None:
    dots = label_pictures.PNG_DOTS_PER_MM
    for label in LABELS:
        picture = Image.open(BytesIO(label_pictures.png(label))).convert("L")
        left, top = round(QR_X_MM * dots), round(QR_Y_MM * dots)
        side, quiet = round(QR_MM * dots), round(4 * MODULE_MM * dots)
        code = picture.crop((left, top, left + side, top + side))
        inner = code.point(lambda value: 255 - value).getbbox()
        assert inner == (quiet, quiet, side - quiet, side - quiet)


KINDS = st.sampled_from(["air", "parking", "waste"])
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,47}", fullmatch=True)
LANGUAGES = st.sampled_from(["de", "en"])


@settings(max_examples=60, deadline=None)
@given(
    NAMES, KINDS, st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120), LANGUAGES
)
def test_no_text_leaves_its_column(asset: str, kind: str, name: str, town: str, lang: Any) -> None:
    label = msgspec.structs.replace(
        LABEL, asset=asset, kind=kind, name=name, town=town, language=lang
    )
    lines = lay_out(label)
    assert all(line.width_mm <= TEXT_MM for line in lines)
    assert all(line.x_mm == TEXT_X_MM >= QR_X_MM + QR_MM for line in lines)
    assert lines[-1].y_mm <= TEXT_BOTTOM_MM + 0.8
    assert all(line.size_mm >= 1.9 for line in lines), "legible: 5.4 pt and more"
    said = "".join(line.text for line in lines)
    assert asset in said
    assert "240A C4FF FE11 2233" in said


def test_letters_that_the_font_lacks_are_replaced() -> None:
    assert printable("Łódź, Straße, Ĝ\n😀") == "Łódź, Straße, Ĝ??"
    assert width_em("Łódź", False) > width_em("i", False) > 0


def test_identification_is_that_of_tr005() -> None:
    assert identification(DEV_EUI, "0" * 16, "air") == TEXT
    whole = identification(
        DEV_EUI, "1122334455667788", "waste", vendor_id="AABB", owner_token="aabbcc", serial="yww1"
    )
    assert whole == "LW:D0:1122334455667788:240AC4FFFE112233:AABB0003:OAABBCC:SYWW1"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"serial": "A:B"}, "cannot stand"),
        ({"serial": "A" * 25}, "at most 24"),
        ({"owner_token": "ü"}, "cannot stand"),
        ({"owner_token": "0123456789abcdef0123456789abcdef"}, "never goes on a label"),
        ({"serial": "0123 4567 89ab cdef 0123 4567 89ab cdef"}, "never goes on a label"),
        ({"vendor_id": "12345"}, "vendor id"),
        ({"owner_token": "A" * 24, "serial": "B" * 17}, "90 characters"),
    ],
)
def test_what_a_label_cannot_hold_is_refused(change: dict[str, str], said: str) -> None:
    with pytest.raises(OrderError, match=said):
        identification(DEV_EUI, "0" * 16, "air", **change)
    with pytest.raises(OrderError, match="JoinEUI"):
        identification(DEV_EUI, "0" * 15, "air")


@pytest.fixture
def folder(tmp_path: Path, bare_herten: Inventory) -> Path:
    at = datetime(2026, 5, 1, 8, tzinfo=UTC)
    inventory = begin_period(bare_herten, DEV_EUI, "herten-air-01", at)
    other = begin_period(inventory, "f" * 16, "herten-glas-03", at)
    inventory_files.write(tmp_path / "inventory", other)
    return tmp_path / "inventory"


def run(folder: Path, out: Path, *arguments: str, code: int = 0) -> str:
    command = ["label", "--inventory", str(folder), "--out", str(out), *arguments]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_writes_labels_by_asset_and_by_device(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "label"
    run(folder, out, "--asset", "herten-air-01", "--format", "png")
    assert_reads(Image.open(out), TEXT)
    run(folder, out, "--dev-eui", DEV_EUI.upper(), "--format", "svg", "--lang", "en")
    assert_reads(svg_picture(out.read_text()), TEXT)
    both = ["--asset", "herten-air-01", "--dev-eui", "f" * 16]
    said = json.loads(run(folder, out, *both, "--format", "zpl", "--json"))
    texts = [TEXT, "LW:D0:0000000000000000:FFFFFFFFFFFFFFFF:00000003"]
    assert said["labels"] == texts
    for picture, text in zip(zpl_pictures(out.read_bytes()), texts, strict=True):
        assert_reads(picture, text)
    run(folder, out, *both, "--skip", "20")
    assert_reads(pdf_page(out.read_bytes(), tmp_path, 1), TEXT)


def test_the_command_refuses_with_the_next_step(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "label"
    assert "Give --asset" in run(folder, out, code=1)
    assert "revier-provision node" in run(folder, out, "--asset", "herten-bay-07", code=1)
    assert "serves no asset" in run(folder, out, "--dev-eui", "0" * 16, code=1)
    both = ["--asset", "herten-air-01", "--asset", "herten-glas-03"]
    assert "--format pdf or zpl" in run(folder, out, *both, "--format", "png", code=1)
    assert "--skip 0 to 20" in run(folder, out, *both, "--skip", "21", code=1)
    assert not out.exists()
    assert "Correct --out" in run(folder, tmp_path, *both, code=1)
