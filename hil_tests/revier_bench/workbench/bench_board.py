# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A board on a USB cable: chip, flash, boot loader, MicroPython, serial adapter."""

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from revier_bench.chips.environments import Still
from revier_bench.virtual_board import BoardSpec, Kernel, build_board
from revier_bench.virtual_board.kernel import DEFAULT_START_UNIX_US
from revier_bench.workbench.boot_loader import BootLoader
from revier_bench.workbench.chip_flash import ChipFlash
from revier_bench.workbench.kernel_thread import KernelThread
from revier_bench.workbench.runtime_image import BOOT_AT
from revier_bench.workbench.serial_server import SerialServer
from revier_bench.workbench.usb_adapter import State, UsbAdapter
from revier_bench.world.air import Medium, NullAir

MAC = bytes.fromhex("025245560001")  # locally administered: no real board has it
BOARD_BY_CHIP = {"ESP32": "lilygo_t3_v1_6_1", "ESP32-S3": "heltec_v3"}
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a board.

    bad_bauds     speeds at which the adapter garbles
    stuck         addresses of flash bytes that come out wrong when written
    broken_reset  DTR and RTS are not connected: only press_boot() leads to the boot loader
    """

    bad_bauds: frozenset[int] = frozenset()
    stuck: frozenset[int] = frozenset()
    broken_reset: bool = False


SOUND = Faults()


class BenchBoard:
    """A context manager; the board has power as soon as it is entered.

    folder        its flash and its build files; the same folder again is the same board
    chip          ESP32 or ESP32-S3
    environment, air, start_unix_us, spec: of the virtual board (BoardSpec's other fields, such as
                  `board`: the description whose parts are soldered on)

    `lines` is what MicroPython said, `virtual` the virtual board: touch it in do() only. `pace`, to
    be set before it is entered: how much faster than the wall's its time is. While it waits for
    input at its serial line, as in the service window, it is the wall's in any case.
    """

    def __init__(
        self,
        folder: Path,
        chip: str = "ESP32-S3",
        *,
        mac: bytes = MAC,
        faults: Faults = SOUND,
        environment: Any = None,
        air: Medium | None = None,
        start_unix_us: int = DEFAULT_START_UNIX_US,
        build_dir: Path | None = None,
        **spec: Any,
    ) -> None:
        if chip not in BOOT_AT:
            raise ValueError(f"the bench has no chip {chip!r}: {', '.join(BOOT_AT)}")
        self.chip = chip
        self.flash = ChipFlash(folder)
        self.lines: list[str] = []
        self._faults = faults
        self.pace = 1.0
        self._said = threading.Condition()
        self._kernel = Kernel(start_unix_us, build_dir or folder / "shim")
        self._spec = BoardSpec(
            name="bench",
            mac=mac,
            flash_image=self.flash.image,
            work_dir=folder,
            **{"board": BOARD_BY_CHIP[chip]} | spec,
        )
        self.virtual = build_board(
            self._kernel, self._spec, NullAir() if air is None else air, environment or Still()
        )
        self.virtual.on_console_line = self._hear

    def preload(self, runtime: bytes) -> None:
        """Before it is entered: a runtime image (make_runtime) is in the flash already."""
        self.flash.write(BOOT_AT[self.chip], runtime)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self._kernel.close)
            pty = os.open(self.virtual.attach_pty(), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            undo.callback(os.close, pty)
            loader = BootLoader(self.chip, self._spec.mac, self.flash.file, self._faults.stuck)
            undo.callback(loader.close)
            self._world = KernelThread(self._kernel, self.pace)
            undo.callback(self._world.close)
            self._adapter = UsbAdapter(self.chip, self.flash, loader, pty, self._power)
            self._adapter.bad_bauds = self._faults.bad_bauds
            self._adapter.broken_reset = self._faults.broken_reset
            self._server = SerialServer(self._adapter)
            undo.callback(self._server.close)
            self._adapter.say = self._server.say
            self._server.call(self._adapter.run)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._server.call(self._adapter.off)
        finally:
            failure = self._world.failure
            self._undo.close()
        if failure is not None:
            raise failure

    @property
    def url(self) -> str:
        """For pyserial: passes DTR, RTS and speed on. The same for the board's whole life."""
        return self._server.url

    @property
    def state(self) -> State:
        return self._adapter.state

    @property
    def starts(self) -> list[State]:
        """Every reset, by what it led to."""
        return self._adapter.starts

    @property
    def rom_lines(self) -> list[str]:
        """What ROM and boot loader said."""
        return self._adapter.said

    @property
    def bauds(self) -> list[int]:
        """Every speed that a client asked for."""
        return self._adapter.bauds

    def cut(self) -> None:
        """Pull the cable: no power, no port."""
        self._server.cut()
        self._server.call(self._adapter.off)

    def plug(self) -> None:
        """Put the cable in again: the board starts."""
        self._server.call(self._adapter.run)
        self._server.plug()

    def press_reset(self) -> None:
        self._server.call(self._adapter.run)

    def press_boot(self) -> None:
        """BOOT held while RST is pressed: the boot loader."""
        self._server.call(self._adapter.download)

    def flip(self, address: int) -> None:
        """Turn one bit of the runtime's flash over."""
        self._server.call(lambda: self._adapter.flip(address))

    def do(self, order: Callable[[], Answer]) -> Answer:
        """Something with `virtual` or its kernel, in the kernel's thread."""
        return self._world.do(order)

    def wait_for(self, text: str, limit_s: float = 60.0) -> None:
        """Until the board has said a line with this text. Raises TimeoutError."""
        with self._said:
            found = self._said.wait_for(lambda: any(text in line for line in self.lines), limit_s)
        if not found:
            raise TimeoutError(f"the board did not say {text!r}: {self.lines[-20:]}")

    def _power(self, on: bool) -> None:
        self._world.do(self.virtual.power_on if on else self.virtual.power_off)

    def _hear(self, t_us: int, line: str) -> None:  # noqa: ARG002
        with self._said:
            self.lines.append(line)
            self._said.notify_all()
