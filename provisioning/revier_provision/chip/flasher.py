# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Put a runtime image onto the chip behind a port: only where it differs, and checked after."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from revier_provision.chip import esptool
from revier_provision.chip.baud import BaudMemory
from revier_provision.chip.chip_info import ChipInfo, chip_from
from revier_provision.chip.esptool_words import as_error
from revier_provision.chip.image import Piece, RuntimeImage
from revier_provision.chip.match import require_chip

Progress = Callable[[int, int], None]
"""progress(bytes done, bytes in all)"""

_WRITING = re.compile(r"^Writing at (0x[0-9a-f]+)")
_SKIPPED = "already in flash, skipping"
_DIFFERS = re.compile(r"Verification failed|digest mismatch|does not match")


class FlashResult(msgspec.Struct, frozen=True, kw_only=True):
    """`skipped`: every byte was there already. `baud`: the speed that worked."""

    skipped: bool
    baud: int
    seconds: float


class Flasher:
    """The chip on one port: a device, or a pyserial URL that passes DTR and RTS on (rfc2217).

    Every call resets the board into its boot loader and afterwards starts it. `adapter` is what
    the speed is remembered under (Port.adapter). Every call may raise BoardError.
    """

    def __init__(self, port: str, memory: BaudMemory, adapter: str | None = None) -> None:
        self._port = port
        self._memory = memory
        self._adapter = adapter or port
        self._chip: ChipInfo | None = None

    def chip(self) -> ChipInfo:
        """Ask the chip what it is; once."""
        if self._chip is None:
            ran = esptool.checked(self._port, ["--no-stub", "--after", "hard-reset", "flash-id"])
            self._chip = chip_from(ran.lines)
        return self._chip

    def flash(
        self,
        image: RuntimeImage,
        progress: Progress = lambda *_: None,
        *,
        erase: bool = False,
    ) -> FlashResult:
        """Write what is not there yet; the chip then compares each piece by its MD5.

        Refuses a chip that the image is not made for before it writes. NVS and files stay as they
        are, unless `erase`: then the whole flash is erased first. MicroPython does not start where
        another program has left something in the place of its files (ports/esp32 inisetup.py,
        check_bootsec).
        """
        require_chip(image, self.chip())
        total = sum(len(piece.data) for piece in image.pieces)
        begun_s = time.monotonic()
        meter = _Meter(image.pieces, progress)
        with _files(image.pieces) as named:
            command = ["write-flash", "--erase-all" if erase else "--skip-flashed", *named]
            baud, ran = self._at_best_speed(image, command, meter.hear)
        progress(total, total)
        skipped = sum(_SKIPPED in line for line in ran.lines) == len(image.pieces)
        return FlashResult(skipped=skipped, baud=baud, seconds=time.monotonic() - begun_s)

    def holds(self, image: RuntimeImage) -> bool:
        """Read back: whether every byte of the image is in the flash, as it should be."""
        require_chip(image, self.chip())
        with _files(image.pieces) as named:
            baud = self._memory.ladder(self._adapter)[0]
            ran = self._run(image, baud, ["verify-flash", *named], lambda _: None)
        if ran.code == 0:
            return True
        if any(_DIFFERS.search(line) for line in ran.lines):
            return False
        raise as_error(self._port, ran.lines)

    def _at_best_speed(
        self, image: RuntimeImage, command: Sequence[str], on_line: esptool.OnLine
    ) -> tuple[int, esptool.Ran]:
        """Down the ladder while failures may be the speed's; what works is remembered."""
        ladder = self._memory.ladder(self._adapter)
        for baud in ladder:
            ran = self._run(image, baud, command, on_line)
            if ran.code == 0:
                self._memory.remember(self._adapter, baud)
                return baud, ran
            if not ran.at_full_speed or baud == ladder[-1]:
                break
        raise as_error(self._port, ran.lines)

    def _run(
        self, image: RuntimeImage, baud: int, command: Sequence[str], on_line: esptool.OnLine
    ) -> esptool.Ran:
        chip = image.chip.lower().replace("-", "")
        options = ["--port", self._port, "--chip", chip, "--baud", str(baud)]
        return esptool.run([*options, "--after", "hard-reset", *command], on_line)


class _Meter:
    """Progress over all pieces, from the address that esptool says."""

    def __init__(self, pieces: Sequence[Piece], progress: Progress) -> None:
        self._pieces = pieces
        self._progress = progress
        self._total = sum(len(piece.data) for piece in pieces)

    def hear(self, line: str) -> None:
        found = _WRITING.match(line)
        if found is None:
            return
        address, done = int(found[1], 16), 0
        for piece in self._pieces:
            done += min(max(address - piece.address, 0), len(piece.data))
        self._progress(done, self._total)


@contextmanager
def _files(pieces: Sequence[Piece]) -> Iterator[list[str]]:
    """Arguments of esptool: address and file of each piece."""
    with tempfile.TemporaryDirectory(prefix="revier-flash-") as folder:
        named = []
        for piece in pieces:
            path = Path(folder) / f"{piece.address:06x}.bin"
            path.write_bytes(piece.data)
            named += [f"0x{piece.address:x}", str(path)]
        yield named
