# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The firmware as it is now, as the bundle that a technician gets."""

from pathlib import Path

from revier_bench import firmware_mpy, image
from revier_node import VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH
from revier_provision.update.firmware_bundle import Firmware

VERSION = f"{VERSION_MAJOR}.{VERSION_MINOR}.{VERSION_PATCH}"


def build(firmware_dir: Path = firmware_mpy.FIRMWARE_DIR) -> Firmware:
    """Not signed. Raises RuntimeError with mpy-cross's or board_check's words."""
    image.check_boards(firmware_dir / "image" / "boards")
    return Firmware(
        version=VERSION,
        slot_files=firmware_mpy.compiled(firmware_dir),
        root_files={f"/{name}": data for name, data in image.root_files(firmware_dir).items()},
    )
