# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Whether image, chip and board belong together; asked before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

from revier_provision.chip.chip_info import ChipInfo
from revier_provision.chip.image import RuntimeImage
from revier_provision.errors import BoardError, OrderError

CHIP_BY_MCU = {"esp32": "ESP32", "esp32s3": "ESP32-S3"}
"""`mcu` of a board description -> esptool's name."""

MCU_BY_BOARD = {
    "generic_esp32s3": "esp32s3",
    "heltec_v3": "esp32s3",
    "lilygo_t3_s3": "esp32s3",
    "lilygo_t3_v1_6_1": "esp32",
    "lilygo_t_beam_sx1262": "esp32",
    "lilygo_t_beam_sx1276": "esp32",
    "xiao_esp32s3_wio_sx1262": "esp32s3",
}
"""The descriptions of firmware/image/boards, which an installed revier-provision does not hold."""


def expected_chip(board: str) -> str:
    """The chip on a board: of a description by its name, or of a file given by its path."""
    mcu = MCU_BY_BOARD.get(board)
    if mcu is None and board.endswith(".json"):
        try:
            mcu = json.loads(Path(board).read_text("utf-8")).get("mcu")
        except (OSError, ValueError, AttributeError):
            cure = "Correct the path, or give the name of a board"
            raise OrderError("{board} is no description of a board", cure, board=board) from None
    if mcu not in CHIP_BY_MCU:
        cure = "Give one of {names}, or a description's file"
        raise OrderError(
            "There is no board {board!r}",
            cure,
            board=board,
            names=", ".join(sorted(MCU_BY_BOARD)),
        )
    return CHIP_BY_MCU[mcu]


def require_chip(image: RuntimeImage | None, chip: ChipInfo, board: str | None = None) -> None:
    """Raises BoardError if the chip is not the image's, or not the board's, or too small."""
    if board is not None and expected_chip(board) != chip.name:
        cure = "Take the right board, or say which board this is with --board"
        problem = "{board} has an {expected_chip}, but this board has an {name}"
        raise BoardError(
            problem, cure, board=board, expected_chip=expected_chip(board), name=chip.name
        )
    if image is None:
        return
    if image.chip != chip.name:
        cure = "Give the image for {chip_name}; nothing was written"
        problem = "{name} is made for {chip}, but this board has an {chip_name}"
        raise BoardError(problem, cure, name=image.path.name, chip=image.chip, chip_name=chip.name)
    ends_at = image.offset + image.size_bytes
    if chip.flash_bytes and max(image.flash_bytes, ends_at) > chip.flash_bytes:
        needs_mb = max(image.flash_bytes, ends_at) / 2**20
        cure = "Give an image for {flash_mb} MB of flash; nothing was written"
        problem = "{name} needs {needs_mb:g} MB of flash, but this chip has less"
        raise BoardError(
            problem,
            cure,
            name=image.path.name,
            needs_mb=needs_mb,
            flash_mb=chip.flash_bytes // 2**20,
        )
