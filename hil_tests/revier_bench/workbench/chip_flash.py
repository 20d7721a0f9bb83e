# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The flash chip of a board as one file, and its parts as the running virtual board has them.

`chip.bin` is what a flasher reads and writes. The board's LittleFS image and its NVS lie beside
it while it runs; gather() puts them in, scatter() takes them out again.
"""

from pathlib import Path

from revier_bench.virtual_board.flash import MAGIC, Nvs
from revier_bench.workbench.runtime_image import FLASH_BYTES, NVS_AT, NVS_BYTES, VFS_AT, VFS_BYTES

_ERASED = b"\xff"


class ChipFlash:
    """`file` is the whole chip, `image` the board's file system (BoardSpec.flash_image)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "chip.bin"
        self.image = folder / "flash.img"
        self._nvs = self.image.with_suffix(".nvs")
        if not self.file.exists():
            self.file.write_bytes(_ERASED * FLASH_BYTES)
            self.scatter()

    def gather(self) -> None:
        """The board is off: its file system and NVS go into the chip."""
        if self._nvs.exists() and self._nvs.stat().st_size > NVS_BYTES:
            Nvs(self.image).commit()  # without the records that later ones replaced
        nvs = self._nvs.read_bytes() if self._nvs.exists() else b""
        if len(nvs) > NVS_BYTES:
            raise ValueError(f"{self._nvs}: {len(nvs)} bytes do not fit into the NVS partition")
        with self.file.open("r+b") as chip:
            chip.seek(NVS_AT)
            chip.write(nvs.ljust(NVS_BYTES, _ERASED))
            chip.seek(VFS_AT)
            chip.write(self.image.read_bytes())

    def scatter(self) -> None:
        """Before the board starts: what lies in the chip becomes its file system and NVS."""
        data = self.read()
        self.image.write_bytes(data[VFS_AT : VFS_AT + VFS_BYTES])
        nvs = data[NVS_AT : NVS_AT + NVS_BYTES]
        self._nvs.unlink(missing_ok=True)
        if nvs.startswith(MAGIC):
            self._nvs.write_bytes(nvs)
            Nvs(self.image).commit()

    def read(self) -> bytes:
        return self.file.read_bytes()

    def write(self, address: int, data: bytes) -> None:
        with self.file.open("r+b") as chip:
            chip.seek(address)
            chip.write(data)
