# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""One chip: the runtime, NVS and the file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from revier_bench.virtual_board import Nvs
from revier_bench.workbench.chip_flash import ChipFlash
from revier_bench.workbench.runtime_image import FLASH_BYTES, NVS_AT, NVS_BYTES, VFS_AT


def test_a_new_chip_is_erased(tmp_path: Path) -> None:
    flash = ChipFlash(tmp_path)
    assert flash.read() == b"\xff" * FLASH_BYTES
    assert set(flash.image.read_bytes()) == {0xFF}
    assert Nvs(flash.image).values == {}


def test_nvs_and_files_go_into_the_chip_and_out_again(tmp_path: Path) -> None:
    flash = ChipFlash(tmp_path)
    nvs = Nvs(flash.image)
    nvs.set("lorawan", "app_key", b"\xff" * 16)  # ends as erased flash looks
    nvs.commit()
    with flash.image.open("r+b") as image:
        image.write(b"file system")
    flash.gather()
    assert flash.read()[VFS_AT : VFS_AT + 11] == b"file system"
    flash.image.write_bytes(b"")
    nvs.path.unlink()
    again = ChipFlash(tmp_path)
    again.scatter()
    assert Nvs(again.image).get("lorawan", "app_key") == b"\xff" * 16
    assert again.image.read_bytes()[:11] == b"file system"
    later = Nvs(again.image)
    later.set("lorawan", "dev_nonce", 7)
    later.commit()
    assert Nvs(again.image).get("lorawan", "app_key") == b"\xff" * 16


def test_an_erased_chip_has_no_keys_any_more(tmp_path: Path) -> None:
    flash = ChipFlash(tmp_path)
    nvs = Nvs(flash.image)
    nvs.set("lorawan", "app_key", bytes(16))
    nvs.commit()
    flash.gather()
    flash.write(NVS_AT, b"\xff" * NVS_BYTES)
    flash.scatter()
    assert Nvs(flash.image).values == {}


def test_more_nvs_than_the_partition_holds_is_said(tmp_path: Path) -> None:
    flash = ChipFlash(tmp_path)
    nvs = Nvs(flash.image)
    for number in range(8):
        nvs.set("big", f"k{number}", bytes(4_000))
    nvs.commit()
    with pytest.raises(ValueError, match="do not fit into the NVS partition"):
        flash.gather()
