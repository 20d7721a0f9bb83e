# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""From a USB port to a chip that runs MicroPython.

    image = RuntimeImage.load(path, sha256)
    flasher = Flasher(port.device, BaudMemory(default_state_file()), adapter=port.adapter)
    require_chip(image, flasher.chip(), board="heltec_v3")
    flasher.flash(image, progress)

esptool is GPL-2.0-or-later: it runs as a child process and is never imported.
"""

from revier_provision.chip.baud import BAUDS, BaudMemory, default_state_file
from revier_provision.chip.chip_info import ChipInfo
from revier_provision.chip.flasher import Flasher, FlashResult
from revier_provision.chip.image import RuntimeImage
from revier_provision.chip.match import CHIP_BY_MCU, expected_chip, require_chip
from revier_provision.chip.ports import Port, choose, list_ports

__all__ = [
    "BAUDS",
    "CHIP_BY_MCU",
    "BaudMemory",
    "ChipInfo",
    "FlashResult",
    "Flasher",
    "Port",
    "RuntimeImage",
    "choose",
    "default_state_file",
    "expected_chip",
    "list_ports",
    "require_chip",
]
