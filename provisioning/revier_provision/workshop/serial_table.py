# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The workbench as it is: boards on serial ports, esptool for their chips, the site's images."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property

from revier_inventory.message import Message, _, joined, n_, verbatim
from revier_provision.board.repl_board import open_repl
from revier_provision.chip import (
    BaudMemory,
    ChipInfo,
    Flasher,
    RuntimeImage,
    choose,
    default_state_file,
    list_ports,
    require_chip,
)
from revier_provision.errors import OrderError
from revier_provision.update import firmware_bundle, signing_key
from revier_provision.update.firmware_bundle import Firmware
from revier_provision.update.firmware_put import put_firmware
from revier_provision.workshop.serial_board import SerialBoard, open_serial_board
from revier_provision.workshop.site_file import Site
from revier_provision.workshop.table import Chip, Say


class SerialTable:
    """Table for a site; many threads may use it, each with a port of its own.

    Without an image in the site file chips are not asked by esptool: MicroPython must run already.
    """

    def __init__(self, site: Site, memory: BaudMemory | None = None) -> None:
        self._site = site
        self._memory = memory or BaudMemory(default_state_file())
        self._flashers: dict[str, Flasher] = {}
        self._lock = threading.Lock()

    @property
    def has_runtime(self) -> bool:
        return bool(self._site.runtimes)

    @property
    def has_bundle(self) -> bool:
        return self._site.bundle is not None

    def ports(self) -> Sequence[str]:
        """Those with an adapter that boards have."""
        return [port.device for port in list_ports() if port.chip is not None]

    def find(self, port: str, board: str) -> Chip | None:
        if not self.has_runtime:
            return None
        flasher = Flasher(port, self._memory, choose(list_ports(), port).adapter)
        with self._lock:
            self._flashers[port] = flasher  # another board may have been plugged in here
        info = flasher.chip()
        require_chip(self._image(info), info, board)
        return Chip(name=info.name, mac=info.factory_mac)

    def flash(self, port: str, chip: Chip, say: Say) -> Message | None:
        with self._lock:
            flasher = self._flashers[port]
        image = self._image(flasher.chip())
        assert image.chip == chip.name

        def progress(done: int, total: int) -> None:
            say(verbatim(image.version), done / total)

        result = flasher.flash(image, progress)
        if result.skipped:
            return None
        return _(
            "MicroPython {version}, compared by the chip, at {baud} baud",
            version=image.version,
            baud=result.baud,
        )

    def upload(self, port: str, window_s: float, say: Say) -> Message | None:
        with open_repl(port, window_s) as repl:
            put = put_firmware(repl, self._firmware, say, self._trusted, keep_newer=True)
        if not put.changed:
            return None
        done = _(
            "version {version} in slot {slot}, {sent_files} files read back",
            version=put.version,
            slot=put.slot,
            sent_files=put.sent_files,
        )
        if not self._site.trust:
            return done
        keys = n_("{count} key for updates", "{count} keys for updates", len(self._site.trust))
        return joined(", ", [done, keys])

    def open(self, port: str, window_s: float) -> AbstractContextManager[SerialBoard]:
        return open_serial_board(port, window_s)

    def _image(self, chip: ChipInfo) -> RuntimeImage:
        """The site's image for this chip."""
        for image in self._images:
            if image.chip == chip.name:
                return image
        have = ", ".join(image.chip for image in self._images)
        cure = "Use another board, or add the image for {name} to the site file"
        raise OrderError(
            "This board has an {name}; the site has images for {have}",
            cure,
            name=chip.name,
            have=have,
        )

    @cached_property
    def _images(self) -> tuple[RuntimeImage, ...]:
        with self._lock:
            return tuple(RuntimeImage.load(r.file, r.sha256) for r in self._site.runtimes)

    @cached_property
    def _firmware(self) -> Firmware:
        assert self._site.bundle is not None
        with self._lock:
            return firmware_bundle.load(self._site.bundle)

    @cached_property
    def _trusted(self) -> bytes:
        """Empty: the board keeps the keys that it has."""
        return signing_key.read_trusted(self._site.trust)
