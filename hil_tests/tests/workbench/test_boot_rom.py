# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Only what was written whole boots."""

from __future__ import annotations

from random import Random

import pytest

from revier_bench.workbench import boot_rom
from revier_bench.workbench.runtime_image import (
    APP_AT,
    BOOT_AT,
    FLASH_BYTES,
    TABLE_AT,
    esp_image,
    make_runtime,
)

CHIPS = sorted(BOOT_AT)


def flash_with(chip: str, image: bytes, cut_at: int | None = None) -> bytearray:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    flash[BOOT_AT[chip] : BOOT_AT[chip] + len(image[:cut_at])] = image[:cut_at]
    return flash


@pytest.mark.parametrize("chip", CHIPS)
def test_an_empty_chip_says_what_the_rom_says(chip: str) -> None:
    starts, said = boot_rom.boot(b"\xff" * FLASH_BYTES, chip)
    assert not starts
    assert "invalid header: 0xffffffff" in said


@pytest.mark.parametrize("chip", CHIPS)
def test_a_whole_image_boots(chip: str) -> None:
    assert boot_rom.boot(flash_with(chip, make_runtime(chip)), chip)[0]


@pytest.mark.parametrize("chip", CHIPS)
def test_any_flipped_bit_of_a_part_keeps_it_from_booting(chip: str) -> None:
    image = make_runtime(chip, code_bytes=2_000)
    flash = flash_with(chip, image)
    chance = Random(chip)
    parts = [
        (BOOT_AT[chip], len(esp_image(chip, bytes(8_000)))),
        (TABLE_AT, 128 + 32),
        (APP_AT, len(image) - APP_AT + BOOT_AT[chip]),
    ]
    for begin, size in parts:
        ends = {begin, begin + 1, begin + size - 1} if begin != TABLE_AT else {begin, begin + 31}
        for address in ends | {begin + chance.randrange(size) for _ in range(40)}:
            if flash[address : address + 1] == b"\xff" and begin == TABLE_AT:
                continue  # the padding of the table's MD5 row
            flash[address] ^= 1 << chance.randrange(8)
            if boot_rom.boot(flash, chip)[0]:
                pytest.fail(f"boots with another byte at 0x{address:x}")
            flash[begin : begin + size] = flash_with(chip, image)[begin : begin + size]
    assert boot_rom.boot(flash, chip)[0]


@pytest.mark.parametrize("chip", CHIPS)
def test_an_image_that_was_cut_short_does_not_boot(chip: str) -> None:
    image = make_runtime(chip)
    for cut_at in (100, 9_000, TABLE_AT - BOOT_AT[chip], APP_AT - BOOT_AT[chip], len(image) - 1):
        assert not boot_rom.boot(flash_with(chip, image, cut_at), chip)[0]


def test_another_chips_image_does_not_boot() -> None:
    flash = flash_with("ESP32-S3", make_runtime("ESP32-S3"))
    flash[0x1000 : 0x1000 + 8_192] = make_runtime("ESP32")[:8_192]
    starts, said = boot_rom.boot(flash, "ESP32")
    assert not starts
    assert "mismatch chip ID, expected 0, found 9" in "\n".join(said)
