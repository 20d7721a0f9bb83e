# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""What a downloaded file is, said before anything is written."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revier_bench.workbench import make_runtime
from revier_bench.workbench.runtime_image import (
    APP_AT,
    BOOT_AT,
    NVS_AT,
    NVS_BYTES,
    TABLE_AT,
    esp_image,
    partition_table,
)
from revier_provision import OrderError
from revier_provision.chip import RuntimeImage


def written(folder: Path, data: bytes, name: str = "image.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("chip", ["ESP32", "ESP32-S3"])
def test_an_official_image_is_known(tmp_path: Path, chip: str) -> None:
    data = make_runtime(chip, "v1.29.1-preview.3")
    image = RuntimeImage.load(written(tmp_path, data))
    assert (image.chip, image.offset) == (chip, BOOT_AT[chip])
    assert image.version == "v1.29.1-preview.3"
    assert image.flash_bytes == 4 * 1024 * 1024
    assert image.size_bytes == len(data)
    assert image.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("chip", ["ESP32", "ESP32-S3"])
def test_all_of_it_is_written_but_nvs(tmp_path: Path, chip: str) -> None:
    data = make_runtime(chip)
    flash = bytearray(b"\x11" * (APP_AT + len(data)))
    before = bytes(flash)
    image = RuntimeImage.load(written(tmp_path, data))
    for piece in image.pieces:
        assert piece.address % 4096 == 0
        flash[piece.address : piece.address + len(piece.data)] = piece.data
    nvs_end = NVS_AT + NVS_BYTES
    assert flash[NVS_AT:nvs_end] == before[NVS_AT:nvs_end]
    begin = BOOT_AT[chip]
    assert flash[begin:NVS_AT] == data[: NVS_AT - begin]
    assert flash[nvs_end : begin + len(data)] == data[nvs_end - begin :]


def test_the_digest_is_compared(tmp_path: Path) -> None:
    data = make_runtime()
    path = written(tmp_path, data)
    digest = hashlib.sha256(data).hexdigest()
    assert RuntimeImage.load(path, f" {digest.upper()}\n").sha256 == digest
    with pytest.raises(OrderError, match=f"has the SHA-256 {digest}, not") as caught:
        RuntimeImage.load(path, "0" * 64)
    assert "Download it again" in caught.value.cure
    for wrong in ("", digest[:-1], "g" * 64):
        with pytest.raises(OrderError, match="64 hex digits"):
            RuntimeImage.load(path, wrong)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04" + bytes(5_000), "a zip archive"),
        (b"\x7fELF" + bytes(5_000), "an ELF file"),
        (b"UF2\n" + bytes(5_000), "a UF2 file"),
        (b"\x1f\x8b" + bytes(5_000), "a gzip archive"),
        (b"<!DOCTYPE html>" + bytes(5_000), "a page of the web"),
        (b":10000000", "an Intel HEX file"),
        (b"\x00" * 5_000, "some other file"),
        (make_runtime()[:4_000], "cut short"),
        (make_runtime()[: TABLE_AT + 0x1000], "ends before its application begins"),
        (esp_image("ESP32", bytes(60_000)), "the application alone"),
        (make_runtime()[APP_AT:], "the application alone"),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(OrderError, match=what) as caught:
        RuntimeImage.load(written(tmp_path, data))
    assert caught.value.cure


def test_another_chips_image_is_named(tmp_path: Path) -> None:
    data = bytearray(make_runtime("ESP32-S3"))
    for number, name in ((5, "ESP32-C3"), (2, "ESP32-S2"), (77, "a chip with the number 77")):
        data[12] = number
        with pytest.raises(OrderError, match=f"is made for {name}"):
            RuntimeImage.load(written(tmp_path, bytes(data)))


def test_another_program_is_named(tmp_path: Path) -> None:
    app = (
        b"\x32\x54\xcd\xab" + bytes(12) + b"2026.10.0".ljust(32, b"\0") + b"blinds".ljust(32, b"\0")
    )
    file = esp_image("ESP32-S3", bytes(8_000)).ljust(TABLE_AT, b"\xff")
    file += partition_table().ljust(APP_AT - TABLE_AT, b"\xff")
    with pytest.raises(OrderError, match="holds the program 'blinds', not MicroPython"):
        RuntimeImage.load(written(tmp_path, file + esp_image("ESP32-S3", app + bytes(3_000))))
    with pytest.raises(OrderError, match="holds some other program, not MicroPython"):
        RuntimeImage.load(written(tmp_path, file + esp_image("ESP32-S3", bytes(3_000))))


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(OrderError, match="Cannot read"):
        RuntimeImage.load(tmp_path / "nowhere.bin")
    with pytest.raises(OrderError, match="Cannot read"):
        RuntimeImage.load(tmp_path)
    with pytest.raises(OrderError, match="larger than any chip's flash"):
        RuntimeImage.load(written(tmp_path, bytes(16 * 1024 * 1024 + 1)))


HEADS = st.binary(max_size=64).map(lambda tail: b"\xe9" + tail)
TABLES = st.lists(st.binary(min_size=30, max_size=30), max_size=4).map(
    lambda rows: b"".join(b"\xaa\x50" + row for row in rows)
)


@given(HEADS | st.binary(max_size=200), TABLES, st.integers(0, 20_000))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_either_an_image_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, table: bytes, size: int
) -> None:
    data = bytearray(make_runtime("ESP32-S3", code_bytes=2_000))
    data[: len(head)] = head
    data[TABLE_AT : TABLE_AT + len(table)] = table
    path = written(tmp_path_factory.mktemp("any"), bytes(data[: len(data) - size]))
    try:
        image = RuntimeImage.load(path)
    except OrderError:
        return
    assert image.chip in BOOT_AT
    assert all(piece.data for piece in image.pieces)
