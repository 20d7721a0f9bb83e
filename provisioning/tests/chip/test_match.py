# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Image, chip and board belong together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from revier_bench.virtual_board.wiring import BOARDS_DIR
from revier_bench.workbench import make_runtime
from revier_provision import BoardError, OrderError
from revier_provision.chip import ChipInfo, RuntimeImage, expected_chip, require_chip
from revier_provision.chip.chip_info import chip_from, family
from revier_provision.chip.match import CHIP_BY_MCU, MCU_BY_BOARD

MB = 1024 * 1024


def chip(name: str, flash_bytes: int = 4 * MB) -> ChipInfo:
    return ChipInfo(name=name, model=name, factory_mac=bytes(6), flash_bytes=flash_bytes)


@pytest.fixture
def s3_image(tmp_path: Path) -> RuntimeImage:
    path = tmp_path / "s3.bin"
    path.write_bytes(make_runtime("ESP32-S3"))
    return RuntimeImage.load(path)


def test_every_description_of_the_firmware_is_known() -> None:
    there = {p.stem: json.loads(p.read_text())["mcu"] for p in BOARDS_DIR.glob("*.json")}
    assert there == MCU_BY_BOARD
    assert {expected_chip(name) for name in there} <= set(CHIP_BY_MCU.values())


def test_a_descriptions_file_says_its_chip_too(tmp_path: Path) -> None:
    assert expected_chip(str(BOARDS_DIR / "heltec_v3.json")) == "ESP32-S3"
    (tmp_path / "odd.json").write_text('{"mcu": "esp8266"}')
    for wrong in ("nowhere", str(tmp_path / "odd.json")):
        with pytest.raises(OrderError, match="There is no board"):
            expected_chip(wrong)
    with pytest.raises(OrderError, match="is no description"):
        expected_chip(str(tmp_path / "missing.json"))


def test_the_wrong_chip_is_refused_with_both_names(s3_image: RuntimeImage) -> None:
    require_chip(s3_image, chip("ESP32-S3"), "heltec_v3")
    with pytest.raises(BoardError, match=r"s3\.bin is made for ESP32-S3, but .* an ESP32\b"):
        require_chip(s3_image, chip("ESP32"))
    with pytest.raises(BoardError, match="heltec_v3 has an ESP32-S3, but this board has an ESP32"):
        require_chip(None, chip("ESP32"), "heltec_v3")
    require_chip(None, chip("ESP32"), "lilygo_t3_v1_6_1")


def test_a_flash_that_is_too_small_is_refused(s3_image: RuntimeImage) -> None:
    require_chip(s3_image, chip("ESP32-S3", 8 * MB))
    require_chip(s3_image, chip("ESP32-S3", 0))
    with pytest.raises(BoardError, match="needs 4 MB of flash"):
        require_chip(s3_image, chip("ESP32-S3", 2 * MB))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("ESP32-D0WDQ6 (revision v1.0)", "ESP32"),
        ("ESP32-D0WD-V3 (revision v3.1)", "ESP32"),
        ("ESP32-S0WD (revision v1.0)", "ESP32"),
        ("ESP32-PICO-D4 (revision v1.1)", "ESP32"),
        ("ESP32-U4WDH (revision v3.0)", "ESP32"),
        ("ESP32-S3 (QFN56) (revision v0.2)", "ESP32-S3"),
        ("ESP32-S3-PICO-1 (LGA56) (revision v0.2)", "ESP32-S3"),
        ("ESP32-S2FH4 (revision v1.0)", "ESP32-S2"),
        ("ESP32-C3 (QFN32) (revision v0.4)", "ESP32-C3"),
        ("ESP8266EX", "ESP8266EX"),
    ],
)
def test_families_of_models(model: str, name: str) -> None:
    assert family(model) == name


def test_esptools_words_about_a_chip() -> None:
    said = (
        "Chip type:          ESP32-S3 (QFN56) (revision v0.2)",
        "MAC:                24:0a:c4:11:22:33",
        "Detected flash size: 16MB",
    )
    info = chip_from(said)
    assert (info.name, info.factory_mac.hex(), info.flash_bytes) == (
        "ESP32-S3",
        "240ac4112233",
        16 * MB,
    )
    assert chip_from(said[:2]).flash_bytes == 0
    for part in (said[:1], said[1:], ()):
        with pytest.raises(BoardError, match="did not say which chip"):
            chip_from(part)
